// Package uefi gives Go programs the services and protocols of UEFI firmware:
// console, graphics, files, block devices, device paths, load options,
// variables, images, the initrd of a Linux kernel, memory, time and reset; and,
// below all of them, the registers and the ACPI tables of the machine.
//
// Everything hangs off a [System]: [Running] makes it in an EFI application,
// package fakefw makes one of a firmware in memory for tests on any host.
//
//	sys, err := uefi.Running()
//	...
//	key, ok, err := sys.ConIn().WaitKey(5 * time.Second)
//
// It owns the translation between the specification's calls and Go: typed
// arguments, errors that name the operation and hold a [Status], bounds on all
// that the firmware hands out. It does not own policy, and it is not the
// Go runtime on UEFI, which is package goefi.
//
// Memory that a device may touch is allocated as [Pages]; the package copies
// between them and Go memory where a caller does not ask for Pages himself.
//
// While a firmware function runs, no other goroutine of the program does. A
// System and its parts may be used from several goroutines; an open file may not.
//
// Specification: UEFI 2.10.
package uefi
