// Package gate is the one way from Go into firmware functions. The interface has
// two implementations: goefi's call gate in an EFI application and package
// fakefw in tests on the host.
//
// The package owns the rule for Go memory in arguments: a pointer travels as an
// [Arg], which moves its target to the heap. The heap neither moves nor, while
// the call runs, frees it; a stack could do both.
package gate

// Interface calls functions of the firmware.
type Interface interface {
	// Call calls the function at fn and returns its status. At most 12
	// arguments.
	Call(fn uintptr, args ...Arg) uintptr

	// CallNative calls the function at fn with the firmware's own processor
	// state restored, in which Go memory does not exist: its arguments are plain
	// words and none of them may be an address of Go memory.
	CallNative(fn uintptr, args ...uintptr) uintptr

	// LoadFile2Entry returns the address of a function that serves a
	// raw.LoadFile2Protocol.
	LoadFile2Entry() uintptr
}
