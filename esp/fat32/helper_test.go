package fat32

import (
	"bytes"
	"io"
	"testing"
)

// memory is a small volume in memory.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m).ReadAt(p, off) }

func (m memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m)) {
		return 0, io.ErrShortWrite
	}
	return copy(m[off:], p), nil
}

// smallVolume makes a volume of 512-byte clusters that is too small to be FAT32 by
// the book, so that tests and fuzzing need not handle 33 MiB. It is filled with
// noise first: Create must not rely on a blank target.
func smallVolume(t testing.TB, sizeBytes int64, files []File) memory {
	t.Helper()
	root, err := newTree(files)
	if err != nil {
		t.Fatal(err)
	}
	v := &volume{geometry: layOut(sizeBytes, 512, 512), label: pack("SMALL", ""), modified: testTime, root: root}
	if err := v.allocate(); err != nil {
		t.Fatal(err)
	}
	m := memory(bytes.Repeat([]byte{0xa5}, int(sizeBytes)))
	for _, write := range []func(io.WriterAt) error{v.writeReserved, v.writeFATs, v.writeTree} {
		if err := write(m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func smallFiles() []File {
	return []File{
		Bytes("EFI/BOOT/BOOTX64.EFI", bytes.Repeat([]byte("boot"), 700)),
		Bytes("loader/loader.conf", []byte("timeout 5\n")),
		Bytes("loader/entries/a long name.conf", []byte("title A\n")),
		Bytes("empty", nil),
		{Path: "dir/"},
	}
}
