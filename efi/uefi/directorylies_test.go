package uefi_test

import (
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// directoryChangeLies are changes that the firmware only claims, by what the error
// says.
var directoryChangeLies = map[string]struct {
	call string
	lie  func(fw *fakefw.Firmware, v *fakefw.Volume) fakefw.Function
	op   func(*uefi.FileSystem) error
}{
	"after deleting it: file already exists": {"File.Delete", onlyClose, func(f *uefi.FileSystem) error { return f.Remove("f") }},
	"under the new name: EFI_NOT_FOUND":      {"File.SetInfo", nothing, func(f *uefi.FileSystem) error { return f.Rename("f", "g") }},
	"does not hold what was written":         {"File.Write", nothing, func(f *uefi.FileSystem) error { return f.Create("new", []byte("x")) }},
	"a new file":                             {"File.GetInfo", notEmpty, func(f *uefi.FileSystem) error { return f.Create("new", []byte("x")) }},
	"not a file of 7 bytes":                  {"File.Flush", truncateG, func(f *uefi.FileSystem) error { return f.Rename("f", "g") }},
}

func nothing(*fakefw.Firmware, *fakefw.Volume) fakefw.Function {
	return func([]uintptr) uefi.Status { return uefi.Success }
}

// onlyClose closes the file, as Delete must, and no more.
func onlyClose(fw *fakefw.Firmware, _ *fakefw.Volume) fakefw.Function {
	honest := fw.Override("File.Close", nil)
	fw.Override("File.Close", honest)
	return honest
}

func notEmpty(*fakefw.Firmware, *fakefw.Volume) fakefw.Function {
	return func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[2]) = 84
		*raw.At[raw.FileInfo](args[3]) = raw.FileInfo{Size: 84, FileSize: 5}
		return uefi.Success
	}
}

func truncateG(_ *fakefw.Firmware, v *fakefw.Volume) fakefw.Function {
	return func([]uintptr) uefi.Status { v.ClaimSize("g", 3); return uefi.Success }
}

// TestDirectoryChangesOfLyingFirmware: a change that the firmware only claims is
// an error, and a file that came out wrong is removed.
func TestDirectoryChangesOfLyingFirmware(t *testing.T) {
	for want, c := range directoryChangeLies {
		t.Run(want, func(t *testing.T) {
			fw := newFirmware(t)
			v := fw.AddVolume(fakefw.Files{"f": "content"})
			fsys := openVolume(t, v, fw)
			fw.Override(c.call, c.lie(fw, v))
			if err := c.op(fsys); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			if got := contentOrNone(fw, "new"); c.call == "File.Write" && got != "none" {
				t.Errorf("a file that came out wrong is left: %q", got)
			}
		})
	}
}

func TestVolumeInfoOfLyingFirmware(t *testing.T) {
	for want, lie := range map[string]func(size *uintptr, r *raw.FileSystemInfo){
		"35 bytes are too few":             func(size *uintptr, _ *raw.FileSystemInfo) { *size = 35 },
		"bytes are free of 5":              func(_ *uintptr, r *raw.FileSystemInfo) { r.VolumeSize = 5 },
		"free of 9223372036854775808":      func(_ *uintptr, r *raw.FileSystemInfo) { r.VolumeSize = 1 << 63 },
		"claims 5000 bytes in a buffer of": func(size *uintptr, _ *raw.FileSystemInfo) { *size = 5000 },
	} {
		fw := newFirmware(t)
		fsys := openVolume(t, fw.AddVolume(nil), fw)
		honest := fw.Override("File.GetInfo", nil)
		fw.Override("File.GetInfo", func(args []uintptr) uefi.Status {
			status := honest(args)
			if size := raw.At[uintptr](args[2]); *size < 80 { // the volume's, not a file's
				lie(size, raw.At[raw.FileSystemInfo](args[3]))
			}
			return status
		})
		if got, err := fsys.Info(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %v; want %q", got, err, want)
		}
	}
}
