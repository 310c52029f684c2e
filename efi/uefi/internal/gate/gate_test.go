package gate

import (
	"runtime"
	"testing"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

func TestValues(t *testing.T) {
	x := uint32(5)
	s := []byte{1, 2, 3}
	words := Values([]Arg{Word(uintptr(7)), Word(-1), Bool(true), Bool(false), Pointer(&x), Slice(s), Slice(s[:0]), Pointer[int](nil)})
	for i, want := range []uintptr{0: 7, 1: ^uintptr(0), 2: 1, 3: 0, 6: 0, 7: 0} {
		if i != 4 && i != 5 && words[i] != want {
			t.Errorf("argument %d is %#x, want %#x", i, words[i], want)
		}
	}
	*raw.At[uint32](words[4]) = 9
	raw.Bytes(words[5], 3)[2] = 8
	if x != 9 || s[2] != 8 {
		t.Errorf("targets are %d and %v after writing through the arguments", x, s)
	}
}

// TestTargetsStayInPlace lets the stack grow, and so move, between taking an
// argument's value and using it, as the firmware would.
func TestTargetsStayInPlace(t *testing.T) {
	var out uint64
	arg := Pointer(&out)
	grow(arg.Value(), 2000)
	runtime.KeepAlive(arg)
	if out != 42 {
		t.Errorf("the target holds %d after writing 42 through the argument", out)
	}
}

//go:noinline
func grow(addr uintptr, depth int) byte {
	var frame [512]byte
	frame[depth%512] = byte(depth)
	if depth == 0 {
		runtime.GC()
		*raw.At[uint64](addr) = 42
		return frame[0]
	}
	return grow(addr, depth-1) + frame[depth%512]
}
