package uefi_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

// newFirmware makes a machine that is closed, and found without leaks, when the
// test ends.
func newFirmware(t *testing.T) *fakefw.Firmware {
	t.Helper()
	fw := fakefw.New()
	t.Cleanup(func() {
		if leaks := fw.Leaks(); len(leaks) > 0 {
			t.Errorf("not given back: %q", leaks)
		}
		fw.Close()
	})
	return fw
}

func openVolume(t *testing.T, v *fakefw.Volume, fw *fakefw.Firmware) *uefi.FileSystem {
	t.Helper()
	fsys, err := fw.System().FileSystem(v.Handle)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

var someFiles = fakefw.Files{
	"loader/loader.conf":       "timeout 5\n",
	"loader/entries/a.conf":    "title A\n",
	"loader/entries/B.conf":    "title B\n",
	"EFI/BOOT/BOOTX64.EFI":     "MZ" + strings.Repeat("boot", 100_000),
	"empty/":                   "",
	"EFI/rayos/nothing.bin":    "",
	"EFI/rayos/Grüße, 世界.conf": "text",
}

func TestFileSystemIsAnFS(t *testing.T) {
	fw := newFirmware(t)
	fsys := openVolume(t, fw.AddVolume(someFiles), fw)
	var names []string
	for name := range someFiles {
		names = append(names, strings.TrimSuffix(name, "/"))
	}
	if err := fstest.TestFS(fsys, names...); err != nil {
		t.Fatal(err)
	}
}

func TestFileSystemReadPages(t *testing.T) {
	fw := newFirmware(t)
	fsys := openVolume(t, fw.AddVolume(someFiles), fw)
	for name, content := range someFiles {
		if strings.HasSuffix(name, "/") {
			continue
		}
		p, err := fsys.ReadPages(strings.ToUpper(name))
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Bytes()) != content {
			t.Errorf("%s: got %d bytes, not the %d of the file", name, len(p.Bytes()), len(content))
		}
		if err := p.Free(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileSystemErrors(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(someFiles)
	fsys := openVolume(t, v, fw)
	v.ClaimSize("loader/loader.conf", 1000)
	v.ClaimSize("EFI/BOOT/BOOTX64.EFI", 1<<62)
	read := func(name string) error { _, err := fsys.ReadPages(name); return err }
	write := func(name, data string, offset int64) error { return fsys.WriteAt(name, []byte(data), offset) }
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{read("loader/none"), uefi.ErrNotFound, "open loader/none: EFI_NOT_FOUND"},
		{read("loader/none"), fs.ErrNotExist, ""},
		{read("/loader"), fs.ErrInvalid, "open /loader: invalid argument"},
		{read("loader/../EFI"), fs.ErrInvalid, ""},
		{read(`loader\loader.conf`), fs.ErrInvalid, ""},
		{read("loader"), nil, "read loader: is a directory"},
		{read("loader/loader.conf"), io.ErrUnexpectedEOF, "got 10 of 1000 bytes"},
		{read("EFI/BOOT/BOOTX64.EFI"), nil, "is more than"},
		{write("loader/none", "x", 0), uefi.ErrNotFound, "write loader/none: EFI_NOT_FOUND"},
		{write("loader", "x", 0), nil, "write loader: is a directory"},
		{write("loader/entries/a.conf", "x", 8), fs.ErrInvalid, "1 bytes at 8 do not lie within the file's 8"},
		{write("loader/entries/a.conf", "x", -1), fs.ErrInvalid, ""},
		{write("loader/entries/a.conf", "123456789", 0), fs.ErrInvalid, ""},
	} {
		if c.err == nil || c.is != nil && !errors.Is(c.err, c.is) || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("got %v, want %v with %q", c.err, c.is, c.text)
		}
	}
}

func TestFileSystemWriteAt(t *testing.T) {
	fw := newFirmware(t)
	content := strings.Repeat("0123456789abcdef", 200_000) // more than two chunks
	v := fw.AddVolume(fakefw.Files{"state": content})
	fsys := openVolume(t, v, fw)
	change := strings.Repeat("x", 2_500_000)
	if err := fsys.WriteAt("state", []byte(change), 16); err != nil {
		t.Fatal(err)
	}
	want := content[:16] + change + content[16+len(change):]
	if !bytes.Equal(v.ReadFile("state"), []byte(want)) {
		t.Error("the file does not hold what was written")
	}
	v.SetReadOnly()
	if err := fsys.WriteAt("state", []byte("x"), 0); !errors.Is(err, uefi.ErrWriteProtected) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("on a read-only volume: %v", err)
	}
}

func TestFileReaderAt(t *testing.T) {
	fw := newFirmware(t)
	content := strings.Repeat("0123456789abcdef", 20_000)
	fsys := openVolume(t, fw.AddVolume(fakefw.Files{"f": content}), fw)
	f, err := fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := io.NewSectionReader(f.(io.ReaderAt), 5, 300_000)
	got, err := io.ReadAll(r)
	if err != nil || string(got) != content[5:300_005] {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	b := make([]byte, 10)
	if n, err := f.(io.ReaderAt).ReadAt(b, int64(len(content))-4); n != 4 || err != io.EOF {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
}
