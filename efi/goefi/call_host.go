//go:build !uefi

package goefi

// Running reports whether the program runs as an EFI application: this build does not.
func Running() bool { return false }

// ImageHandle is the handle of the application, 0 outside of firmware.
func ImageHandle() uintptr { return 0 }

// SystemTable is the address of the EFI_SYSTEM_TABLE, 0 outside of firmware.
func SystemTable() uintptr { return 0 }

// unsupported is EFI_UNSUPPORTED (UEFI 2.10 Appendix D), for there is no firmware to call.
const unsupported = 1<<63 | 3

// Call returns EFI_UNSUPPORTED.
//
//go:uintptrescapes
func Call(fn uintptr, args ...uintptr) uintptr { return unsupported }

// CallNative returns EFI_UNSUPPORTED.
func CallNative(fn uintptr, args ...uintptr) uintptr { return unsupported }

// LoadFile2Entry is 0 outside of firmware.
func LoadFile2Entry() uintptr { return 0 }

// ReadStats returns zeroes outside of firmware.
func ReadStats() Stats { return Stats{} }
