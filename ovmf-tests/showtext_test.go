//go:build ovmf

package ovmftests

import (
	"bytes"
	"fmt"
	"image"
	"net"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/qmp"
)

// TestShowText boots a guest to its text console on our display, and again on
// QEMU's own virtio-gpu: both show the same picture.
func TestShowText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host, err := showhost.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := qemusPicture(t, host, dir)
	d := display.New(newWatcher(1024, 768), (&showMarkers{}).emit, func(err error) { t.Error(err) })
	machine, err := host.Serve(t.Context(), dir, "linux", "text", d.Source("linux"), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Stop()
	if err := machine.Await("text is written"); err != nil {
		t.Fatal(err)
	}
	state := func() string { return fmt.Sprint(machine.Output(), d.Surfaces()) }
	until(t, "the text on our display", state, func() bool {
		shot, err := d.Screenshot("linux")
		return err == nil && bytes.Equal(ppm(shot), want)
	})
}

// qemusPicture is the text as QEMU's own device shows it.
func qemusPicture(t *testing.T, host *showhost.Guest, dir string) []byte {
	t.Helper()
	path, file := filepath.Join(dir, "qmp.sock"), filepath.Join(dir, "shot.ppm")
	m, err := host.Start(t.Context(), "text", guest.Machine{Monitor: path}, "-device", "virtio-gpu-pci,xres=1024,yres=768")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Await("text is written"); err != nil {
		t.Fatal(err)
	}
	client := monitorOf(t, path)
	return textThatStays(t, m.Output, func() []byte { return dumpOf(t, client, file) })
}

// textThatStays waits for a picture, as PPM, with much text, that is the same twice. There
// may be none at first.
func textThatStays(t *testing.T, state func() string, picture func() []byte) (last []byte) {
	t.Helper()
	until(t, "a picture with text that stays", state, func() bool {
		now := picture()
		stays := bytes.Equal(now, last) && len(bytes.Trim(now[min(16, len(now)):], "\x00")) > 100000
		last = now
		return stays
	})
	return last
}

// monitorOf connects to the monitor of a QEMU that has been started.
func monitorOf(t *testing.T, path string) *qmp.Client {
	t.Helper()
	var conn net.Conn
	until(t, "a monitor at "+path, func() string { return "" }, func() bool {
		var err error
		conn, err = net.Dial("unix", path)
		return err == nil
	})
	client, err := qmp.New(conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // QEMU may have gone before
	return client
}

// ppm is a picture as QEMU's screendump writes it.
func ppm(shot *image.NRGBA) []byte {
	b := fmt.Appendf(nil, "P6\n%d %d\n255\n", shot.Rect.Dx(), shot.Rect.Dy())
	for p := shot.Pix; len(p) >= 4; p = p[4:] {
		b = append(b, p[:3]...)
	}
	return b
}
