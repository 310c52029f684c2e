package kernel

import (
	"encoding/binary"
	"maps"
	"testing"
)

var fakeImage = make([]byte, 512)

// fakePE returns the address of the headers of an image with two sections.
func fakePE(*fakeMachine) uintptr {
	le := binary.LittleEndian
	b := fakeImage
	le.PutUint32(b[peOffset:], 64)
	le.PutUint16(b[64+coffSections:], 2)
	le.PutUint16(b[64+coffOptional:], 16)
	section := b[64+coffSize+16:]
	for i, s := range []struct{ address, size, flags uint32 }{{0x1000, 0x1800, sectionExecute}, {0x3000, 0x1000, sectionWrite}} {
		le.PutUint32(section[i*sectionEntry+sectionAddress:], s.address)
		le.PutUint32(section[i*sectionEntry+sectionSize:], s.size)
		le.PutUint32(section[i*sectionEntry+sectionFlags:], s.flags)
	}
	return address(&b[0])
}

func TestGuardImage(t *testing.T) {
	k, m := newKernel(t)
	if !k.guardImage() {
		t.Fatal("guardImage reports that there is no memory")
	}
	base := fakePE(m)
	want := map[uintptr]string{0: "hidden", base + 0x1000: "rx", base + 0x2000: "rx", base + 0x3000: "rw"}
	if !maps.Equal(m.guarded, want) {
		t.Errorf("guarded %v, want %v", m.guarded, want)
	}
}
