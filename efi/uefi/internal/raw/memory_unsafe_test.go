package raw

import "unsafe"

// addressOf is the address of a slice, which the caller keeps alive.
func addressOf(words []uint32) uintptr {
	// SAFETY: the test's slice is on the heap, which does not move.
	return uintptr(unsafe.Pointer(&words[0]))
}
