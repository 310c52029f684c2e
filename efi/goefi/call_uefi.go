//go:build uefi

package goefi

import (
	"syscall"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
)

// Running reports whether the program runs as an EFI application.
func Running() bool { return kern.SystemTable() != 0 }

// ImageHandle is the handle of the application (UEFI 2.10 §4.1.1), 0 outside of firmware.
func ImageHandle() uintptr { return kern.Image() }

// SystemTable is the address of the EFI_SYSTEM_TABLE, 0 outside of firmware.
func SystemTable() uintptr { return kern.SystemTable() }

// Call calls the firmware function at fn with at most [MaxArguments] arguments and returns its result, usually an EFI_STATUS.
// No other goroutine runs meanwhile. A pointer to Go memory must be converted in the argument list itself, as
// uintptr(unsafe.Pointer(p)); it is good until Call returns.
//
//go:uintptrescapes
func Call(fn uintptr, args ...uintptr) uintptr { return enter(fn, args, 0) }

// CallNative is [Call] with all of the firmware's own processor state, as StartImage and ResetSystem need it: the function may
// run other programs and operating systems. Arguments must not point to Go memory, which is not there during the call.
func CallNative(fn uintptr, args ...uintptr) uintptr { return enter(fn, args, 1) }

// enter makes the private system call. It does not tell the Go scheduler, since nothing else could run in the meantime.
//
//go:nosplit
func enter(fn uintptr, args []uintptr, native uintptr) uintptr {
	if len(args) > MaxArguments {
		panic("goefi: too many arguments for a firmware function")
	}
	var block [MaxArguments]uintptr
	copy(block[:], args)
	// SAFETY: block stays in place until the system call returns, since this function cannot grow the stack.
	result, _, _ := syscall.RawSyscall(kernel.FirmwareCall, fn, uintptr(unsafe.Pointer(&block)), native)
	return result
}

// LoadFile2Entry is the address of a function that the firmware can call as EFI_LOAD_FILE2_PROTOCOL.LoadFile (UEFI 2.10 §13.2).
// It serves the memory that is described behind the protocol's only member: {LoadFile, address of the data, size in bytes}.
func LoadFile2Entry() uintptr { return loadFile2Address() }

// ReadStats returns the counters so far.
func ReadStats() Stats { return kern.Stats() }
