package mem

import (
	"bytes"
	"runtime"
	"testing"
	"unsafe"
)

// buffer returns n bytes of pattern and their address; they are pinned until the test ends.
func buffer(t *testing.T, n int) ([]byte, uintptr) {
	t.Helper()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	var p runtime.Pinner
	p.Pin(&b[0])
	t.Cleanup(p.Unpin)
	// SAFETY: the buffer is pinned.
	return b, uintptr(unsafe.Pointer(&b[0]))
}

func TestLoadStore(t *testing.T) {
	b, a := buffer(t, 32)
	Store8(a, 0x11)
	Store16(a+1, 0x2233) // unaligned on purpose
	Store32(a+3, 0x44556677)
	Store64(a+7, 0x8899aabbccddeeff)
	StoreWord(a+15, 0x123456789)
	want := []byte{0x11, 0x33, 0x22, 0x77, 0x66, 0x55, 0x44, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x89, 0x67, 0x45, 0x23, 1, 0, 0, 0}
	if !bytes.Equal(b[:23], want) {
		t.Fatalf("memory is % x, want % x", b[:23], want)
	}
	if Load8(a) != 0x11 || Load16(a+1) != 0x2233 || Load32(a+3) != 0x44556677 || Load64(a+7) != 0x8899aabbccddeeff || LoadWord(a+15) != 0x123456789 {
		t.Fatal("a load does not return what was stored")
	}
}

func TestZeroTouchesExactlyItsRange(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 4095, 4096, 4097, 3*4096 + 13} {
		b, a := buffer(t, n+16)
		before := bytes.Clone(b)
		Zero(a+8, uintptr(n))
		want := bytes.Join([][]byte{before[:8], make([]byte, n), before[8+n:]}, nil)
		if !bytes.Equal(b, want) {
			t.Errorf("Zero of %d bytes: wrong bytes changed", n)
		}
	}
}

func TestCopyTouchesExactlyItsRange(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 512, 1001} {
		src, from := buffer(t, n+1)
		dst := make([]byte, n+16)
		var p runtime.Pinner
		p.Pin(&dst[0])
		// SAFETY: pinned in the line above.
		Copy(uintptr(unsafe.Pointer(&dst[8])), from, uintptr(n))
		p.Unpin()
		if want := bytes.Join([][]byte{make([]byte, 8), src[:n], make([]byte, 8)}, nil); !bytes.Equal(dst, want) {
			t.Errorf("Copy of %d bytes: got % x", n, dst)
		}
	}
}
