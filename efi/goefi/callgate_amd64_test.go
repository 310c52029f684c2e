package goefi

import (
	"bytes"
	"testing"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/abiprobe"
)

// SAFETY: for variables on the heap or in the image, which stay where they are.
func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// kept keeps its arguments on the heap.
var kept []any

func onHeap[T any](v T) *T {
	p := &v
	kept = append(kept, p)
	return p
}

func TestCallGate(t *testing.T) {
	args := onHeap([MaxArguments]uintptr{})
	for i := range args {
		args[i] = uintptr(0x1000 + i)
	}
	before := *args
	// At several depths of the stack, so that both alignments of a multiple of 8 come up.
	for depth := range 8 {
		abiprobe.Last = abiprobe.Record{}
		result := deeper(depth, abiprobe.Function(), addressOf(args))
		if result != abiprobe.Result {
			t.Fatalf("the result is %#x, want %#x", result, uint64(abiprobe.Result))
		}
		got := abiprobe.Last
		if got.SP%16 != 0 {
			t.Errorf("depth %d: the stack pointer at the call is %#x", depth, got.SP)
		}
		if got.CX != 0x1000 || got.DX != 0x1001 || got.R8 != 0x1002 || got.R9 != 0x1003 {
			t.Errorf("register arguments %#x %#x %#x %#x", got.CX, got.DX, got.R8, got.R9)
		}
		for i, v := range got.Stack {
			if v != uint64(0x1004+i) {
				t.Errorf("argument %d is %#x", i+4, v)
			}
		}
		if *args != before {
			t.Error("the arguments are changed")
		}
	}
}

//go:noinline
func deeper(n int, fn, args uintptr) uintptr {
	if n == 0 {
		return callGate(fn, args)
	}
	return deeper(n-1, fn, args)
}

func TestLoadFile2(t *testing.T) {
	const (
		success          = 0
		invalidParameter = 0x8000000000000002
		unsupported      = 0x8000000000000003
		bufferTooSmall   = 0x8000000000000005
	)
	data := []byte("an initrd of twenty-nine bytes")
	this := onHeap([3]uintptr{loadFile2Address(), addressOf(&data[0]), uintptr(len(data))})
	for _, c := range []struct {
		name             string
		this             uintptr
		bootPolicy       uintptr
		size             uintptr
		buffer, sizeNull bool
		want, wantSize   uintptr
	}{
		{"ask for the size", addressOf(this), 0, 0, false, false, bufferTooSmall, uintptr(len(data))},
		{"one byte short", addressOf(this), 0, uintptr(len(data)) - 1, true, false, bufferTooSmall, uintptr(len(data))},
		{"exact", addressOf(this), 0, uintptr(len(data)), true, false, success, uintptr(len(data))},
		{"larger", addressOf(this), 0, 64, true, false, success, uintptr(len(data))},
		{"boot policy", addressOf(this), 1, 64, true, false, unsupported, 64},
		{"BOOLEAN is a byte", addressOf(this), 0xff00, 64, true, false, success, uintptr(len(data))},
		{"no protocol", 0, 0, 64, true, false, invalidParameter, 64},
		{"no size", addressOf(this), 0, 64, true, true, invalidParameter, 64},
	} {
		size, buffer := onHeap(c.size), onHeap([64]byte{})
		args := onHeap([MaxArguments]uintptr{c.this, 0, c.bootPolicy, addressOf(size), addressOf(buffer)})
		if !c.buffer {
			args[4] = 0
		}
		if c.sizeNull {
			args[3] = 0
		}
		if got := callGate(loadFile2Address(), addressOf(args)); got != c.want || *size != c.wantSize {
			t.Errorf("%s: status %#x, size %d; want %#x, %d", c.name, got, *size, c.want, c.wantSize)
		}
		want := make([]byte, 64)
		if c.want == success {
			copy(want, data)
		}
		if !bytes.Equal(buffer[:], want) {
			t.Errorf("%s: the buffer holds %q", c.name, buffer[:])
		}
	}
}
