//go:build ovmf

package ovmftests

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/display"
)

// mover counts how often a guest's pixels have moved to another mapping.
type mover struct {
	*display.Source
	times atomic.Int64
}

func (m *mover) Move(id presentation.ID, p presentation.Picture) error {
	if !p.Empty() {
		m.times.Add(1)
	}
	return m.Source.Move(id, p)
}

// TestShowReset gives a guest more memory while its text is shown, which maps all of its
// memory anew; then resets it, and again while its firmware runs. It has the same picture
// each time.
func TestShowReset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host, err := showhost.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	told := &showMarkers{}
	d := display.New(newWatcher(1024, 768), told.emit, func(err error) { t.Error(err) })
	d.Show("linux")
	out := &mover{Source: d.Source("linux")}
	machine, err := host.Serve(t.Context(), dir, "linux", "text", out, func(err error) { t.Error(err) }, "-m", "256M,slots=2,maxmem=1G")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		machine.Stop()
		if err := <-machine.Ended; err != nil {
			t.Error(err)
		}
	})
	client := monitorOf(t, machine.Monitor)
	do := func(command string, arguments any) {
		t.Helper()
		if err := client.Execute(t.Context(), command, arguments, nil); err != nil {
			t.Fatal(err)
		}
	}
	state := func() string { return fmt.Sprint(machine.Output(), told.all(), d.Surfaces()) }
	text := func(boots int) []byte { // waits for the guest's text
		return textThatStays(t, state, func() []byte {
			shot, err := d.Screenshot("linux")
			if err != nil || strings.Count(machine.Output(), "text is written") < boots {
				return nil
			}
			return ppm(shot)
		})
	}
	want := text(1)
	before := out.times.Load()
	do("object-add", map[string]any{"qom-type": "memory-backend-memfd", "id": "more", "size": 128 << 20, "share": true})
	do("device_add", map[string]any{"driver": "pc-dimm", "id": "dimm", "memdev": "more"})
	until(t, "memory that is mapped anew", state, func() bool { return out.times.Load() > before })
	if !bytes.Equal(text(1), want) {
		t.Error("with more memory it has another picture")
	}

	do("system_reset", nil)
	until(t, "the end of its screen", state, func() bool { return strings.Contains(told.all(), "DESTROY] id=1") })
	do("system_reset", nil)
	if !bytes.Equal(text(2), want) {
		t.Error("after a reset it has another picture")
	}
}
