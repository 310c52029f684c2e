package uefi_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// directoryLies are directories that no volume has, by what the error says.
var directoryLies = map[string]func(honest fakefw.Function, args []uintptr) uefi.Status{
	"readdir .: more than 65536 entries": func(_ fakefw.Function, args []uintptr) uefi.Status {
		return entry(args, 'x')
	},
	"are too few": func(_ fakefw.Function, args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1]) = 79
		return uefi.Success
	},
	"claims 5000 bytes": func(_ fakefw.Function, args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1]) = 5000
		return uefi.Success
	},
	"file size is 9223372036854775808": func(honest fakefw.Function, args []uintptr) uefi.Status {
		status := honest(args)
		raw.At[raw.FileInfo](args[2]).FileSize = 1 << 63
		return status
	},
	`entry "/": invalid argument`: renamed('/'),
	`entry "": invalid argument`:  renamed(0),
}

func entry(args []uintptr, name uint16) uefi.Status {
	*raw.At[uintptr](args[1]) = 84
	*raw.At[raw.FileInfo](args[2]) = raw.FileInfo{Size: 84}
	copy(raw.Slice[uint16](args[2]+80, 2), []uint16{name, 0})
	return uefi.Success
}

func renamed(name uint16) func(fakefw.Function, []uintptr) uefi.Status {
	return func(honest fakefw.Function, args []uintptr) uefi.Status {
		status := honest(args)
		if *raw.At[uintptr](args[1]) != 0 {
			raw.Slice[uint16](args[2]+80, 1)[0] = name
		}
		return status
	}
}

func TestReadOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(fakefw.Files{"f": "content"})
	fsys := openVolume(t, v, fw)
	f, err := fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	fw.Override("File.Read", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1])++
		return uefi.Success
	})
	if _, err := f.Read(make([]byte, 3)); err == nil || !strings.Contains(err.Error(), "claims 8 bytes in a buffer of 7") {
		t.Errorf("more than asked for: %v", err)
	}
	if _, err := fsys.ReadFile("f"); err == nil {
		t.Error("a file with more than its size was read")
	}
	fw.Override("File.Read", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1]) = 0
		return uefi.Success
	})
	if _, err := io.ReadAll(f); err == nil || !strings.Contains(err.Error(), "file ends at 0 of 7 bytes") {
		t.Errorf("nothing at all: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err == nil {
		t.Error("a file was closed twice")
	}
	fw.Override("File.Write", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1])--
		return uefi.Success
	})
	if err := fsys.WriteAt("f", []byte("CON"), 0); err == nil || !strings.Contains(err.Error(), "wrote 2 of 3 bytes: short write") {
		t.Errorf("a short write: %v", err)
	}
}

func TestFileIsAReader(t *testing.T) {
	fw := newFirmware(t)
	content := strings.Repeat("0123456789", 20_000)
	fsys := openVolume(t, fw.AddVolume(fakefw.Files{"f": content}), fw)
	f, err := fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := iotest.TestReader(f, []byte(content)); err != nil {
		t.Error(err)
	}
}

// TestGrowingFile: what is read is what the size promised when it was opened.
func TestGrowingFile(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(fakefw.Files{"f": "content"})
	fsys := openVolume(t, v, fw)
	f, err := fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v.WriteFile("f", []byte("content and more"))
	if b, err := io.ReadAll(f); err != nil || string(b) != "content" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestDevicePathOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(nil)
	sys := fw.System()
	endless := make([]byte, 32<<10)
	for i := 0; i < len(endless); i += 4 {
		copy(endless[i:], []byte{1, 1, 4, 0})
	}
	for want, path := range map[string][]byte{
		"length 3 is less than 4": {1, 1, 3, 0},
		"more than 16384 bytes":   endless,
		"length 255 is not":       {0x7f, 0xff, 255, 0},
	} {
		p, err := sys.AllocatePages(len(path))
		if err != nil {
			t.Fatal(err)
		}
		copy(p.Bytes(), path)
		honest := fw.Override("OpenProtocol", func(args []uintptr) uefi.Status {
			*raw.At[uintptr](args[2]) = p.Address()
			return uefi.Success
		})
		if got, err := sys.DevicePath(v.Handle); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("path %v, %v; want %s", got, err, want)
		}
		fw.Override("OpenProtocol", honest)
		if err := p.Free(); err != nil {
			t.Fatal(err)
		}
	}
	fw.Override("OpenProtocol", func([]uintptr) uefi.Status { return uefi.Success })
	if _, err := sys.DevicePath(v.Handle); err == nil {
		t.Error("a null protocol was used")
	}
}
