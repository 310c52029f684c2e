// Package goefi runs an ordinary Go program as a UEFI application.
//
// A program that imports it, is built with the tag uefi and is converted with package pecoff, is an EFI application:
//
//	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -tags uefi -trimpath -buildmode=pie -ldflags "-E _rt0_amd64_uefi" -o x.elf
//
// The Go toolchain and runtime are the unmodified ones for Linux: this package serves the system calls that the runtime makes,
// in the application itself. Goroutines, timers, garbage collection, nil-dereference panics and preemption work. Other builds
// of the package compile and do nothing; then [Running] reports false.
//
// GOAMD64 must be v1 or v2: AVX is not used, since the firmware's interrupts may come at any time and only the state that
// FXSAVE knows is saved.
//
// # What a program sees
//
// os.Args comes from the UEFI shell or from the load options. Standard output and error are the firmware's console
// (EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL), standard input is empty, and there are no files. The environment is empty. time.Now is
// the firmware's clock. crypto/rand works where EFI_RNG_PROTOCOL, RDSEED or RDRAND does, and else ends the program with a line
// that says so; it also adds 32 MiB to the memory of the program. There is one processor.
//
// Returning from main, or os.Exit(0), gives the firmware EFI_SUCCESS. An unrecovered panic or os.Exit(2) gives EFI_ABORTED.
// Any other exit code n is the OEM error 0xC0000000000000nn. Before that all memory, page tables and descriptor tables go back
// to the firmware. Memory, handles and protocols that the program itself asked the firmware for stay, as for any application.
//
// The watchdog timer is left alone (UEFI 2.10 §7.5.1): a firmware that starts a boot option arms it for five minutes, and a
// program that runs longer must turn it off.
//
// # Where it does not run
//
// Firmware that uses 5-level paging, PCIDs or control-flow enforcement is refused with a line on the screen and the serial
// port, and EFI_UNSUPPORTED.
//
// # Limits
//
// The firmware may be passed pointers to Go memory for what its own code reads and writes. Memory that the program has not
// touched yet gets its pages in the middle of the call, where none can be asked for: more than 512 KiB of it must be written to
// before, once per page. Devices must not use Go memory at all: what disks and networks read and write comes from AllocatePages.
//
// This package owns the calling conventions, the processor's state and memory; the protocols are package uefi's. Specification:
// UEFI 2.10.
package goefi

import "github.com/rayos/rayboot/efi/goefi/internal/kernel"

// MaxArguments is how many arguments a firmware function can be called with.
const MaxArguments = kernel.MaxArguments

// Stats are counters of the system-call layer, for tests and diagnostics.
type Stats = kernel.Stats
