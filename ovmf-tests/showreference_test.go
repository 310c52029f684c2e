//go:build ovmf

package ovmftests

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/virtgpu"
)

// TestShowReference shows the same guest by QEMU's own back-end, which is written in C,
// and by ours. The guest asks both for the same, and both show the same picture. How
// often a console is flushed is a matter of time, so that is not compared.
func TestShowReference(t *testing.T) {
	if !*long {
		t.Skip("it fetches 60 MB; -long runs it")
	}
	t.Parallel()
	dir := t.TempDir()
	host, err := showhost.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	picture, asked := ofReference(t, host, dir)
	d := display.New(newWatcher(1280, 800), (&showMarkers{}).emit, func(err error) { t.Error(err) }) // QEMU's own size
	machine, err := host.Serve(t.Context(), dir, "linux", "text", d.Source("linux"), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Stop()
	if err := machine.Await("text is written"); err != nil {
		t.Fatal(err)
	}
	until(t, "the picture of the reference", func() string { return fmt.Sprint(d.Surfaces()) }, func() bool {
		shot, err := d.Screenshot("linux")
		return err == nil && bytes.Equal(ppm(shot), picture)
	})
	machine.Stop()
	if err := <-machine.Ended; err != nil {
		t.Fatal(err)
	}
	done, refused := machine.Device.Counts()
	t.Logf("commands of ours: %v, of the reference: %v", done, asked)
	if refused != 0 || done[virtgpu.TransferToHost2D] == 0 || done[virtgpu.ResourceFlush] == 0 || asked[virtgpu.ResourceFlush] == 0 {
		t.Errorf("%d requests were refused", refused)
	}
	for _, c := range []map[virtgpu.Command]int{done, asked} {
		delete(c, virtgpu.TransferToHost2D)
		delete(c, virtgpu.ResourceFlush)
	}
	if !maps.Equal(done, asked) || len(done) < 5 {
		t.Errorf("the guest has asked us for %v, the reference for %v", done, asked)
	}
}

// command is how the reference tells that it carries out a command.
var command = regexp.MustCompile(`DEBUG: [0-9:.]+: ([0-9]+) (VIRTIO|\(null\))`)

// ofReference is the picture that QEMU shows of the guest with the reference behind it,
// and how often the guest has asked for what until then.
func ofReference(t *testing.T, host *showhost.Guest, dir string) (picture []byte, asked map[virtgpu.Command]int) {
	t.Helper()
	reference, err := showhost.FetchReference(t.Context(), filepath.Join(dir, "reference"))
	if err != nil {
		t.Fatal(err)
	}
	on := guest.Machine{Display: filepath.Join(dir, "reference.sock"), Monitor: filepath.Join(dir, "reference.qmp")}
	backend, err := reference.Start(t.Context(), on.Display)
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Stop()
	until(t, "the reference", backend.Output, func() bool {
		_, err := os.Stat(on.Display)
		return err == nil
	})
	m, err := host.Start(t.Context(), "text", on)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Await("text is written"); err != nil {
		t.Fatal(err, backend.Output())
	}
	client, file := monitorOf(t, on.Monitor), filepath.Join(dir, "reference.ppm")
	picture = textThatStays(t, backend.Output, func() []byte { return dumpOf(t, client, file) })
	asked = map[virtgpu.Command]int{}
	for _, match := range command.FindAllStringSubmatch(backend.Output(), -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		asked[virtgpu.Command(n)]++
	}
	return picture, asked
}
