package guestmem

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func memfd(t *testing.T, flags int, size int64) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", flags)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestMemoryCannotShrink tries to take the memory away from under the reader.
func TestMemoryCannotShrink(t *testing.T) {
	fd := memfd(t, unix.MFD_ALLOW_SEALING, 8192)
	b, err := Map(fd, 4096, 4096)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("the file was shortened under its reader: %v", err)
	}
	b[4095] = 1
	if err := Unmap(b); err != nil {
		t.Error(err)
	}
}

func TestMapRefuses(t *testing.T) {
	if _, err := Map(memfd(t, 0, 8192), 0, 4096); !errors.Is(err, ErrShrinks) {
		t.Errorf("memory that cannot be sealed: %v", err)
	}
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(8192); err != nil {
		t.Fatal(err)
	}
	if _, err := Map(int(f.Fd()), 0, 4096); !errors.Is(err, ErrShrinks) {
		t.Errorf("a file on a disk: %v", err)
	}
	fd := memfd(t, unix.MFD_ALLOW_SEALING, 8192)
	for _, r := range [][2]uint64{{0, 0}, {0, 8193}, {4096, 8192}, {1 << 63, 1 << 63}, {0, 1 << 63}, {^uint64(0) - 4095, 4096}, {12288, 4096}, {1, 4096}} {
		if b, err := Map(fd, r[0], r[1]); err == nil {
			t.Errorf("%d bytes at %d of 8192: mapped %d", r[1], r[0], len(b))
		}
	}
}

func TestWords(t *testing.T) {
	b := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for offset, want := range map[int]uint16{0: 0x0201, 2: 0x0403, 4: 0x0605, 6: 0x0807} {
		if got := Load16(b, offset); got != want {
			t.Errorf("at %d: %#x, want %#x", offset, got, want)
		}
	}
	Store16(b, 2, 0xbbaa)
	Store16(b, 4, 0xddcc)
	if string(b) != "\x01\x02\xaa\xbb\xcc\xdd\x07\x08" {
		t.Errorf("%x", b)
	}
}
