//go:build ovmf

package ovmftests

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/display"
)

// pacer is the display of a guest, which lets the guest go on with its pages as they
// come, shown or not: it may use the memory of a page again once the one after it is
// the guest's picture.
type pacer struct {
	*display.Source
	mu     sync.Mutex
	port   io.Writer // nil before the guest runs
	first  uint32    // number of the guest's first page
	passed uint32    // pages that it may use again
}

// Update is called by the guest's one goroutine.
func (p *pacer) Update(id presentation.ID, u presentation.Update) error {
	if err := p.Source.Update(id, u); err != nil {
		return err
	}
	var pixel [4]byte
	u.Picture.Read(presentation.Target{Format: presentation.BGRX, Width: 1, Height: 1, Stride: 4, Bytes: pixel[:]}, u.Picture.Bounds())
	number := binary.LittleEndian.Uint32(pixel[:]) & 0xffffff
	if number < p.first {
		return nil // its text console
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; p.first+p.passed < number; p.passed++ {
		if _, err := p.port.Write([]byte{'.'}); err != nil {
			return nil // it has just been killed
		}
	}
	return nil
}

// TestShowSwitch switches 100 times between two guests that both go on drawing. After
// each switch the screen has the picture of the one that is shown, whole, until the next.
func TestShowSwitch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host, err := showhost.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	sink := newWatcher(1024, 768)
	d := display.New(sink, (&showMarkers{}).emit, func(err error) { t.Error(err) })
	names := []string{"linux", "windows"}
	first := []uint32{1 << 20, 1 << 21}
	for i, name := range names {
		p := &pacer{Source: d.Source(name), first: first[i]}
		p.mu.Lock()
		machine, err := host.Serve(t.Context(), dir, name, fmt.Sprintf("paced:1000000:1024x768:%d", first[i]), p, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		p.port = machine.Port
		p.mu.Unlock()
		t.Cleanup(func() {
			machine.Stop()
			if err := <-machine.Ended; err != nil {
				t.Error(err)
			}
		})
	}
	of := func(page uint32) int { return int(page >> 21) } // whose page it is
	for i := range 100 {
		who := i % 2
		before := len(sink.all())
		d.Show(names[who])
		state := func() string { return fmt.Sprintf("switch %d to %s: %v", i, names[who], d.Surfaces()) }
		until(t, "a page", state, func() bool { // at once, but for guests that are starting
			return slices.ContainsFunc(sink.all()[before:], func(page uint32) bool { return of(page) == who })
		})
		at := len(sink.all())
		until(t, "the page after it", state, func() bool { return len(sink.all()) > at })
		for _, page := range sink.all()[at-1:] {
			if of(page) != who {
				t.Fatalf("switch %d: page %#x of %s while %s is shown", i, page, names[of(page)], names[who])
			}
		}
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if sink.torn != 0 {
		t.Errorf("%d of %d pages were torn", sink.torn, len(sink.pages))
	}
	for who := range names {
		own := slices.DeleteFunc(slices.Clone(sink.pages), func(page uint32) bool { return of(page) != who })
		if !slices.IsSorted(own) || len(own) < 100 {
			t.Errorf("%d pages of %s, in order: %v", len(own), names[who], slices.IsSorted(own))
		}
	}
}
