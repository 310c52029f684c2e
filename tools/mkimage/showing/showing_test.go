package showing

import (
	"bytes"
	"errors"
	stdimage "image"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/settings"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/guestfs"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// A guest that runs is in TestShowDisk of ovmf-tests.

// disk makes an image with a guest, if it is to have one.
func disk(t *testing.T, toml string, linux bool) *os.File {
	t.Helper()
	spec := image.Spec{
		SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Seed: "test", Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		BootManager: fakeefi.Application("manager", 70_000),
	}
	if toml != "" {
		spec.Payload = []fat32.File{fat32.Bytes(settings.Path, []byte(toml))}
	}
	if linux {
		name := filepath.Join(t.TempDir(), "linux")
		o := guestfs.Options{SizeBytes: 64 << 20, ID: image.NewID("test", "Linux guest"), Modified: spec.Modified}
		if err := guestfs.Tiny(t.Context(), name, t.TempDir(), []byte("kernel"), []byte("initrd"), o); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		area, err := content.LinuxArea(f, o.SizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		spec.Areas = []content.Area{area}
	}
	path := filepath.Join(t.TempDir(), "disk.img")
	if _, err := image.Build(t.Context(), spec, image.Output{Path: path}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestOpen(t *testing.T) {
	f := disk(t, "[linux]\nmemory-mib = 96\n", true)
	g, err := Open(f, gpt.MinDiskBytes, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{g.Machine.Kernel: "kernel", g.Machine.Initrd: "initrd"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if m := g.Machine; m.Disk != f.Name() || m.DiskOffsetBytes != 21895315456 || m.DiskSizeBytes != 20<<30 || g.Config.MemoryMiB != 96 {
		t.Errorf("%+v, %+v", m, g.Config)
	}
	if g, err = Open(disk(t, "", true), gpt.MinDiskBytes, t.TempDir()); err != nil || g.Config.MemoryMiB != 1024 {
		t.Errorf("without settings: %+v, %v", g, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(disk(t, "", false), gpt.MinDiskBytes, t.TempDir()); !errors.Is(err, ErrNoGuest) {
		t.Errorf("no guest: %v", err)
	}
	if _, err := Open(disk(t, "[linux]\nmemory = 1\n", true), gpt.MinDiskBytes, t.TempDir()); !errors.Is(err, settings.ErrSettings) {
		t.Errorf("settings: %v", err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, ext4.KernelPath), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(disk(t, "", true), gpt.MinDiskBytes, full); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder that is in use: %v", err)
	}
}

func TestListener(t *testing.T) {
	for _, pieces := range [][]string{{"abc text xyz"}, {"te", "x", "t"}, {strings.Repeat("x", 100), "tetex", "t"}} {
		var out bytes.Buffer
		l := newListener("text", &out)
		for _, p := range pieces {
			if _, err := l.Write([]byte(p)); err != nil || l.heard() && p != pieces[len(pieces)-1] {
				t.Fatalf("%q: %v, heard %v", p, err, l.heard())
			}
		}
		if _, err := l.Write([]byte(" text")); err != nil || !l.heard() || out.String() != strings.Join(pieces, "")+" text" {
			t.Errorf("%q: heard %v, passed on %q", pieces, l.heard(), out.String())
		}
	}
	l := newListener("", new(bytes.Buffer))
	if _, err := l.Write([]byte("x")); err != nil || l.heard() {
		t.Errorf("nothing is waited for: heard %v, %v", l.heard(), err)
	}
}

// TestRecorder draws a part of a picture, another size, and nothing.
func TestRecorder(t *testing.T) {
	r := NewRecorder(stdimage.Pt(640, 480))
	if n, _ := r.Changes(); n != 0 || r.Picture() != nil || r.Size() != stdimage.Pt(640, 480) {
		t.Errorf("%d changes of nothing", n)
	}
	pixels := []byte{1, 2, 3, 0, 4, 5, 6, 0}
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: pixels}})
	if err != nil {
		t.Fatal(err)
	}
	draw := func(width, height int, damage stdimage.Rectangle) {
		t.Helper()
		p, err := presentation.NewPicture(presentation.Frame{
			Format: presentation.BGRX, Width: width, Height: height, Stride: 4 * width, Memory: []presentation.Range{{Size: 8}},
		}, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Draw(p, []stdimage.Rectangle{damage}); err != nil {
			t.Fatal(err)
		}
	}
	draw(2, 1, stdimage.Rect(0, 0, 2, 1))
	copy(pixels, []byte{7, 7, 7, 7, 8, 8, 8, 8})
	draw(2, 1, stdimage.Rect(1, 0, 2, 1))
	if got := r.Picture(); !bytes.Equal(got.Pix, []byte{3, 2, 1, 255, 8, 8, 8, 255}) {
		t.Errorf("only the second pixel was to change: %v", got.Pix)
	}
	draw(1, 2, stdimage.Rect(0, 0, 1, 1)) // all of it is new
	if got := r.Picture(); got.Rect != stdimage.Rect(0, 0, 1, 2) || !bytes.Equal(got.Pix, []byte{7, 7, 7, 255, 8, 8, 8, 255}) {
		t.Errorf("another size: %v %v", got.Rect, got.Pix)
	}
	if n, last := r.Changes(); n != 3 || time.Since(last) > time.Hour {
		t.Errorf("%d changes, the last %v", n, last)
	}
}
