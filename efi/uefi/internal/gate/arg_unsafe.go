package gate

import "unsafe"

// Arg is one argument of a firmware function: a word, or a pointer to Go or
// firmware memory. A Go target is kept alive by its Arg.
type Arg struct {
	pointer unsafe.Pointer
	word    uintptr
}

// Word passes a number, a handle or an address of firmware memory.
func Word[T ~uintptr | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int](v T) Arg {
	return Arg{word: uintptr(v)}
}

// Bool passes a BOOLEAN.
func Bool(b bool) Arg {
	if b {
		return Arg{word: 1}
	}
	return Arg{}
}

// Pointer passes the address of *p, null for nil. The firmware may read and write
// *p until the call returns; no device may, as Go memory is not identity mapped.
func Pointer[T any](p *T) Arg {
	// SAFETY: heap makes *p a heap object that the Arg keeps alive.
	return Arg{pointer: heap(unsafe.Pointer(p))}
}

// Slice passes the address of the first element, null if there is none, under
// the same conditions as [Pointer].
func Slice[T any](s []T) Arg {
	if len(s) == 0 {
		return Arg{}
	}
	return Pointer(&s[0])
}

// Value is the argument as the firmware sees it. It is valid as long as the Arg
// is alive.
func (a Arg) Value() uintptr {
	if a.pointer != nil {
		// SAFETY: the target is a heap object or firmware memory; neither moves.
		return uintptr(a.pointer)
	}
	return a.word
}

// Values are the arguments as the firmware sees them. The caller keeps args
// alive (runtime.KeepAlive) until the firmware is done with them.
func Values(args []Arg) []uintptr {
	words := make([]uintptr, len(args))
	for i, a := range args {
		words[i] = a.Value()
	}
	return words
}

var (
	sink   unsafe.Pointer
	escape bool // never true, which the compiler does not know
)

// heap makes the compiler allocate the target of p on the heap: it sees p stored
// in a global.
//
//go:noinline
func heap(p unsafe.Pointer) unsafe.Pointer {
	if escape {
		sink = p
		return sink
	}
	return p
}
