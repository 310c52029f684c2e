// Package mem reads and writes memory at plain addresses.
//
// It owns the one step from an address to a pointer for everything below goefi: the firmware's tables, page tables, thread
// stacks and the memory that the Go runtime passes to its system calls. None of that memory belongs to the Go heap of the
// code that calls here, so an address (never a Go pointer) is the honest type for it. It does not check addresses.
//
// Nothing here allocates, panics or calls the runtime, so that it may be used before the runtime has started.
package mem

import "unsafe"

// PageSize is the size of a page in bytes, the unit of UEFI's memory services (UEFI 2.10 §7.2).
const PageSize = 4096

// pointer turns an address into a pointer.
//
// SAFETY: callers pass addresses of memory that is mapped and that the garbage collector neither moves nor frees: firmware
// memory, static variables, or memory that a thread passes to a system call and that stays in place until it returns.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

// Load8 reads a byte.
//
// SAFETY: for this and the accessors below see pointer; x86-64 and arm64 allow every alignment in ordinary memory.
func Load8(a uintptr) uint8 { return *(*uint8)(pointer(a)) }

// Load16 reads a 16-bit value.
func Load16(a uintptr) uint16 { return *(*uint16)(pointer(a)) }

// Load32 reads a 32-bit value.
func Load32(a uintptr) uint32 { return *(*uint32)(pointer(a)) }

// Load64 reads a 64-bit value.
func Load64(a uintptr) uint64 { return *(*uint64)(pointer(a)) }

// LoadWord reads an address.
func LoadWord(a uintptr) uintptr { return *(*uintptr)(pointer(a)) }

// Store8 writes a byte.
func Store8(a uintptr, v uint8) { *(*uint8)(pointer(a)) = v }

// Store16 writes a 16-bit value.
func Store16(a uintptr, v uint16) { *(*uint16)(pointer(a)) = v }

// Store32 writes a 32-bit value.
func Store32(a uintptr, v uint32) { *(*uint32)(pointer(a)) = v }

// Store64 writes a 64-bit value.
func Store64(a uintptr, v uint64) { *(*uint64)(pointer(a)) = v }

// StoreWord writes an address.
func StoreWord(a, v uintptr) { *(*uintptr)(pointer(a)) = v }

// Zero clears n bytes from a, whole pages at a time where it can.
func Zero(a, n uintptr) {
	for ; n >= PageSize; a, n = a+PageSize, n-PageSize {
		*(*[PageSize]byte)(pointer(a)) = [PageSize]byte{}
	}
	for ; n >= 8; a, n = a+8, n-8 {
		Store64(a, 0)
	}
	for ; n > 0; a, n = a+1, n-1 {
		Store8(a, 0)
	}
}

// Copy copies n bytes to dst from src, upwards; the two must not overlap unless dst is below src.
func Copy(dst, src, n uintptr) {
	for ; n >= 8; dst, src, n = dst+8, src+8, n-8 {
		Store64(dst, Load64(src))
	}
	for ; n > 0; dst, src, n = dst+1, src+1, n-1 {
		Store8(dst, Load8(src))
	}
}

// At returns a pointer to a structure at an address, to be kept in local variables only.
//
// SAFETY: see pointer. The structure holds no Go pointers.
func At[T any](a uintptr) *T { return (*T)(pointer(a)) }
