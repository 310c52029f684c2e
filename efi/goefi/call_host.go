//go:build !uefi

package goefi

// Running reports whether the program runs as an EFI application: this build does not.
func Running() bool { return false }

// ImageHandle is the handle of the application, 0 outside of firmware.
func ImageHandle() uintptr { return 0 }

// SystemTable is the address of the EFI_SYSTEM_TABLE, 0 outside of firmware.
func SystemTable() uintptr { return 0 }

// Call panics: there is no firmware to call.
//
//go:uintptrescapes
func Call(fn uintptr, args ...uintptr) uintptr { panic(notUEFI) }

// CallNative panics: there is no firmware to call.
func CallNative(fn uintptr, args ...uintptr) uintptr { panic(notUEFI) }

// LoadFile2Entry is 0 outside of firmware.
func LoadFile2Entry() uintptr { return 0 }

// MemoryStats are zero outside of firmware.
func MemoryStats() Stats { return Stats{} }

const notUEFI = "goefi: call of the firmware outside of UEFI"
