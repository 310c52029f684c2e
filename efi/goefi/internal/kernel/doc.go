// Package kernel is the part of the Linux system-call interface that the Go runtime stands on, made from UEFI boot services.
//
// It owns threads and their scheduling, futexes, the one epoll instance with its eventfd, clocks, the console, anonymous
// memory and signals. It does not know any processor: what differs between architectures is the interface [Machine]. It
// follows the Linux system-call ABI as Go 1.26 uses it, and UEFI 2.10 for the services below.
//
// # Kernel context
//
// All functions here run on the firmware's stack, with interrupts off, with a goroutine structure that is all zero, and from
// before the Go runtime has started until after it has stopped. Such code must not allocate, store Go pointers (no write
// barriers), panic, or use maps, strings beyond constants, channels or defer; addresses are uintptr throughout. Package
// variables that it uses have static initial values. A test of package goefi holds these rules against the machine code of a
// linked program. The stack check at the head of each function is allowed: with a stack guard of 0 it always passes.
package kernel
