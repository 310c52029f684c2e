//go:build ovmf

package ovmftests

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/picture"
	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/presentation/screendump"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
)

// TestShowFirmware shows a Windows guest without a disk: QEMU's own picture before it
// begins, its firmware's shell, and that again after a reset. Our picture is QEMU's.
// Then QEMU is killed.
func TestShowFirmware(t *testing.T) {
	t.Parallel()
	machine, client := startFirmware(t)
	dir, told := t.TempDir(), &showMarkers{}
	shown, file := filepath.Join(dir, "shown.png"), filepath.Join(dir, "shot.ppm")
	sink, err := picture.NewSink(shown, image.Pt(1024, 768))
	if err != nil {
		t.Fatal(err)
	}
	d := display.New(sink, told.emit, func(err error) { t.Error(err) })
	d.Show("windows")
	ended := make(chan error, 1)
	go func() { ended <- screendump.Serve(t.Context(), client, "windows", d.Source("windows")) }()
	same := func() (shot *image.NRGBA) { // waits until the picture in the file is QEMU's
		until(t, "QEMU's picture", func() string { return fmt.Sprint(machine.Output(), d.Surfaces()) }, func() (ok bool) {
			shot = readPNG(t, shown)
			return shot != nil && bytes.Equal(ppm(shot), dumpOf(t, client, file))
		})
		return shot
	}
	before := same()
	for n, command := range []string{"cont", "system_reset"} {
		if err := client.Execute(t.Context(), command, nil, nil); err != nil {
			t.Fatal(err)
		}
		until(t, "the firmware's shell", machine.Output, func() bool { return strings.Count(machine.Output(), "Shell>") > n })
		shot := same()
		if size := shot.Rect.Max; size == before.Rect.Max {
			t.Errorf("after %s the picture is still as large as before the guest began: %v", command, size)
		}
		if letters := bytes.Count(shot.Pix, []byte{0x98, 0x98, 0x98, 0xff}); letters < 1000 { // as grey as UEFI's are
			t.Errorf("after %s there are %d pixels of letters", command, letters)
		}
	}
	machine.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	checkMarkers(t, told.all())
	if left := d.Surfaces(); len(left) != 0 {
		t.Errorf("surfaces of a guest that is gone: %v", left)
	}
}

// readPNG reads the file of an opaque picture; it is nil before there is one.
func readPNG(t *testing.T, path string) *image.NRGBA {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	opaque := img.(*image.RGBA) // for which both forms are the same
	return &image.NRGBA{Pix: opaque.Pix, Stride: opaque.Stride, Rect: opaque.Rect}
}

// dumpOf is QEMU's picture of its screen.
func dumpOf(t *testing.T, client *qmp.Client, file string) []byte {
	t.Helper()
	if err := client.Execute(t.Context(), "screendump", map[string]string{"filename": file}, nil); err != nil {
		t.Fatal(err)
	}
	shot, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

// startFirmware starts a Windows guest that has no disk and does not run yet.
func startFirmware(t *testing.T) (*showhost.Machine, *qmp.Client) {
	t.Helper()
	qemu, err := debqemu.Fetch(t.Context(), debqemu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	on := guest.Machine{Tree: qemu.Tree, Vars: filepath.Join(dir, "vars.fd"), Monitor: filepath.Join(dir, "qmp.sock")}
	template, err := os.ReadFile(qemu.Tree.Path(guest.FirmwareDir, guest.FirmwareVars))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(on.Vars, template, 0o600); err != nil {
		t.Fatal(err)
	}
	config := guest.Default(guest.Windows)
	config.MemoryMiB = 256
	machine, err := showhost.StartQEMU(t.Context(), qemu.Tree, append(config.Args(on), "-S"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(machine.Stop)
	return machine, monitorOf(t, on.Monitor)
}
