package fat32

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"testing"
)

func TestWriteAtChangesNothingElse(t *testing.T) {
	m := smallVolume(t, 1<<20, smallFiles())
	f, err := Open(m, int64(len(m)))
	if err != nil {
		t.Fatal(err)
	}
	const name = "efi/boot/bootx64.efi"
	before := slices.Clone(m)
	content, err := fs.ReadFile(f, name)
	if err != nil {
		t.Fatal(err)
	}
	patch := bytes.Repeat([]byte{0x11}, 1500) // over three clusters
	if err := f.WriteAt(m, name, patch, 700); err != nil {
		t.Fatal(err)
	}
	copy(content[700:], patch)
	if got, err := fs.ReadFile(f, name); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("the file is not as written: %v", err)
	}
	changed := 0
	for i := range m {
		if m[i] != before[i] {
			changed++
		}
	}
	if changed != len(patch) {
		t.Errorf("%d bytes of the volume changed, want %d", changed, len(patch))
	}
}

func TestWriteAtRefuses(t *testing.T) {
	m := smallVolume(t, 1<<20, smallFiles())
	f, err := Open(m, int64(len(m)))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(m)
	for _, c := range []struct {
		name   string
		length int
		offset int64
		want   error
	}{
		{"loader/loader.conf", 11, 0, fs.ErrInvalid},
		{"loader/loader.conf", 1, 10, fs.ErrInvalid},
		{"loader/loader.conf", 1, -1, fs.ErrInvalid},
		{"loader", 1, 0, fs.ErrInvalid},
		{"missing", 1, 0, fs.ErrNotExist},
		{"../loader", 1, 0, fs.ErrInvalid},
	} {
		if err := f.WriteAt(m, c.name, make([]byte, c.length), c.offset); !errors.Is(err, c.want) {
			t.Errorf("%s: %d bytes at %d: %v, want %v", c.name, c.length, c.offset, err, c.want)
		}
	}
	if !bytes.Equal(m, before) {
		t.Error("the volume changed")
	}
}
