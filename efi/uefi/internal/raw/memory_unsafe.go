package raw

import "unsafe"

// pointer makes a pointer of an address in firmware memory. It stays out of line
// because the Go 1.26 compiler stumbles over an inlined one: it then finds a
// uintptr where it copies from a pointer.
//
//go:noinline
func pointer(addr uintptr) unsafe.Pointer {
	// SAFETY: addr is memory of the firmware (or of a fake firmware, mapped
	// outside the Go heap), which the garbage collector neither moves nor frees.
	// The detour through &addr is what a conversion of a foreign address needs:
	// it derives from no Go object, and go vet and checkptr hold only for those.
	return *(*unsafe.Pointer)(unsafe.Pointer(&addr))
}

// At views the firmware memory at addr as a T. The caller knows that a T lies
// there, that addr is not null, and that the memory stays allocated while the
// result is used.
func At[T any](addr uintptr) *T { return (*T)(pointer(addr)) }

// Bytes views n bytes of firmware memory at addr under the same conditions as
// [At].
func Bytes(addr uintptr, n int) []byte { return Slice[byte](addr, n) }

// Slice views n consecutive values of firmware memory at addr under the same
// conditions as [At].
func Slice[T any](addr uintptr, n int) []T {
	if n == 0 {
		return nil
	}
	// SAFETY: the caller vouches for n values of T at addr, see At.
	return unsafe.Slice((*T)(pointer(addr)), n)
}

// Encode returns a copy of the bytes of a record that holds no Go pointers.
func Encode[T any](record *T) []byte {
	// SAFETY: the slice covers exactly the one value that record points to.
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(record)), unsafe.Sizeof(*record))...)
}

// Decode copies the start of b into a T, which must hold no Go pointers. It
// reports false if b is shorter than a T.
func Decode[T any](b []byte) (T, bool) {
	var record T
	if uintptr(len(b)) < unsafe.Sizeof(record) {
		return record, false
	}
	// SAFETY: the slice covers exactly the one local value.
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&record)), unsafe.Sizeof(record)), b)
	return record, true
}

// Address is the address of the first byte of firmware memory that was viewed
// with [Bytes], 0 for an empty slice.
func Address(b []byte) uintptr {
	// SAFETY: only the number is used; memory of the firmware does not move.
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// SizeOf is the size of a T in bytes.
func SizeOf[T any]() uintptr {
	var t T
	return unsafe.Sizeof(t)
}
