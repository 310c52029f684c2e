// Package raw mirrors the tables, protocols and records of the UEFI
// specification, version 2.10, as Go structs: the names are the specification's
// in Go spelling, the layouts are those of a 64-bit machine. Function pointers
// and data pointers are plain uintptr, as the garbage collector has no business
// with firmware memory.
//
// The package knows layouts and nothing else: it calls nothing and checks
// nothing. It is also the only place where an address of the firmware becomes a
// Go pointer, in memory_unsafe.go.
package raw

// GUID is an EFI_GUID as it lies in memory: the first three fields are
// little-endian (UEFI 2.10 §A).
type GUID = [16]byte
