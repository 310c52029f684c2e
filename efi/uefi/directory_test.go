package uefi_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

func TestCreate(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(someFiles)
	fsys := openVolume(t, v, fw)
	for name, data := range map[string][]byte{
		"new":                       []byte("content"),
		"EFI/rayos/nothing":         {},
		"loader/entries/Größe.conf": bytes.Repeat([]byte("0123456789abcdef"), 200_000), // more than two chunks
	} {
		if err := fsys.Create(name, data); err != nil {
			t.Fatal(err)
		}
		if got := v.ReadFile(name); !bytes.Equal(got, data) {
			t.Errorf("%s holds %d bytes that are not the %d written", name, len(got), len(data))
		}
	}
}

func TestRename(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(fakefw.Files{"loader/entries/a+3.conf": "title A", "top": "x"})
	fsys := openVolume(t, v, fw)
	for _, names := range [][2]string{{"loader/entries/A+3.conf", "loader/entries/a+2-1.conf"}, {"top", "bottom"}} {
		if err := fsys.Rename(names[0], names[1]); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(v.ReadFile("loader/entries/a+2-1.conf")); got != "title A" {
		t.Errorf("the renamed file holds %q", got)
	}
	list, err := fsys.ReadDir("loader/entries")
	if err != nil || len(list) != 1 || list[0].Name() != "a+2-1.conf" {
		t.Errorf("the directory holds %v, %v", list, err)
	}
}

func TestRemove(t *testing.T) {
	fw := newFirmware(t)
	fsys := openVolume(t, fw.AddVolume(someFiles), fw)
	for _, name := range []string{"empty", "loader/entries/b.conf"} {
		if err := fsys.Remove(name); err != nil {
			t.Fatal(err)
		}
		if _, err := fsys.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s after removing it: %v", name, err)
		}
	}
}

func TestDirectoryErrors(t *testing.T) {
	fw := newFirmware(t)
	fsys := openVolume(t, fw.AddVolume(someFiles), fw)
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{fsys.Create("loader/loader.conf", nil), fs.ErrExist, "create loader/loader.conf: file already exists"},
		{fsys.Create("LOADER", nil), fs.ErrExist, ""},
		{fsys.Create("none/x", nil), uefi.ErrNotFound, "create none/x: EFI_NOT_FOUND"},
		{fsys.Create("a/../x", nil), fs.ErrInvalid, "create a/../x: invalid argument"},
		{fsys.Remove("none"), fs.ErrNotExist, "remove none: EFI_NOT_FOUND"},
		{fsys.Remove("."), fs.ErrInvalid, ""},
		{fsys.Remove("loader"), uefi.WarnDeleteFailure, "remove loader: EFI_WARN_DELETE_FAILURE"},
		{fsys.Rename("none", "x"), fs.ErrNotExist, "rename none: to x: EFI_NOT_FOUND"},
		{fsys.Rename("loader", "x"), nil, "is a directory"},
		{fsys.Rename("loader/loader.conf", "loader/entries/x"), fs.ErrInvalid, "invalid argument"},
		{fsys.Rename("loader/loader.conf", `loader/a\b`), fs.ErrInvalid, ""},
		{fsys.Rename("loader/loader.conf", "loader/a:b"), fs.ErrPermission, "EFI_ACCESS_DENIED"},
		{fsys.Rename("loader/loader.conf", "loader/LOADER.CONF"), fs.ErrExist, ""},
		{fsys.Rename("loader/entries/a.conf", "loader/entries/b.conf"), fs.ErrExist, "rename loader/entries/a.conf: to loader/entries/b.conf: file already exists"},
		{fsys.Rename(".", "x"), fs.ErrInvalid, ""},
	} {
		if c.err == nil || c.is != nil && !errors.Is(c.err, c.is) || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("got %v, want %v with %q", c.err, c.is, c.text)
		}
	}
}

func TestVolumeInfo(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(someFiles)
	fsys := openVolume(t, v, fw)
	v.SetFree(5000)
	want := uefi.VolumeInfo{Label: "ESP", SizeBytes: 400 << 20, FreeBytes: 4608, BlockBytes: 512}
	if got, err := fsys.Info(); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	v.SetReadOnly()
	if got, err := fsys.Info(); err != nil || !got.ReadOnly {
		t.Errorf("a read-only volume: %+v, %v", got, err)
	}
}

func TestReadOnlyVolume(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(someFiles)
	v.SetReadOnly()
	fsys := openVolume(t, v, fw)
	for name, err := range map[string]error{
		"create": fsys.Create("new", []byte("x")),
		"remove": fsys.Remove("loader/loader.conf"),
		"rename": fsys.Rename("loader/loader.conf", "loader/x.conf"),
	} {
		if !errors.Is(err, uefi.ErrWriteProtected) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFullVolume: what does not fit leaves neither a file nor less room, and what
// fits exactly is written.
func TestFullVolume(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(someFiles)
	v.SetFree(3 << 20)
	fsys := openVolume(t, v, fw)
	if err := fsys.Create("big", make([]byte, 3<<20+1)); !errors.Is(err, uefi.ErrVolumeFull) {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := fsys.Stat("big"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is left of it: %v", err)
	}
	if err := fsys.Create("exact", make([]byte, 3<<20)); err != nil {
		t.Error(err)
	}
}

// Changes to a directory of which every single call is made to fail, with what
// must hold after the error.
var directoryOps = map[string]struct {
	op    func(*uefi.FileSystem) error
	after func(content func(name string) string) bool
}{
	"create": {
		func(f *uefi.FileSystem) error { return f.Create("d/new", []byte("data")) },
		func(content func(string) string) bool { return content("d/new") == "none" },
	},
	"rename": {
		func(f *uefi.FileSystem) error { return f.Rename("d/old", "d/new") },
		func(content func(string) string) bool {
			return content("d/old")+content("d/new") == "xnone" || content("d/old")+content("d/new") == "nonex"
		},
	},
	"remove": {
		func(f *uefi.FileSystem) error { return f.Remove("d/old") },
		func(content func(string) string) bool { return content("d/old") == "x" || content("d/old") == "none" },
	},
	"info": {
		func(f *uefi.FileSystem) error { return ignore(f.Info()) },
		func(content func(string) string) bool { return content("d/old") == "x" },
	},
}

func TestEveryDirectoryCallFailing(t *testing.T) {
	setup := func() *fakefw.Firmware {
		fw := fakefw.New()
		fw.AddVolume(fakefw.Files{"d/old": "x"})
		return fw
	}
	for name, c := range directoryOps {
		t.Run(name, func(t *testing.T) {
			run := func(fw *fakefw.Firmware) error { return onVolume(c.op)(fw.System()) }
			fakefw.EachFailure(t, uefi.ErrDeviceError, setup, run, func(t *testing.T, fw *fakefw.Firmware, call string, err error) {
				if !errors.Is(err, uefi.ErrDeviceError) && !lookup(call, err) {
					t.Errorf("%s failed, the error is %v", call, err)
				}
				if !c.after(func(name string) string { return contentOrNone(fw, name) }) {
					t.Errorf("d/old holds %s, d/new %s after %v", contentOrNone(fw, "d/old"), contentOrNone(fw, "d/new"), err)
				}
				if leaks := fw.Leaks(); len(leaks) > 0 {
					t.Errorf("not given back: %q", leaks)
				}
			})
		})
	}
}

// contentOrNone is what a file of the boot volume holds, "none" without it.
func contentOrNone(fw *fakefw.Firmware, name string) (text string) {
	err := onVolume(func(f *uefi.FileSystem) error {
		data, err := f.ReadFile(name)
		text = string(data)
		return err
	})(fw.System())
	if errors.Is(err, fs.ErrNotExist) {
		return "none"
	}
	if err != nil {
		return err.Error()
	}
	return text
}
