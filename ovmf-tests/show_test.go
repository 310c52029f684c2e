//go:build ovmf

package ovmftests

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/display"
)

// watcher is a sink that checks each page it is told to draw: a page of flips is
// made of one value, so one that has two was torn.
type watcher struct {
	size   image.Point
	target presentation.Target

	mu    sync.Mutex
	pages []uint32
	torn  int
	drawn int
	seen  chan struct{} // gets one for each page
}

func newWatcher(width, height int) *watcher {
	return &watcher{size: image.Pt(width, height), seen: make(chan struct{}, 1000)}
}

func (w *watcher) Size() image.Point                   { return w.size }
func (w *watcher) SetCursor(presentation.Cursor) error { return nil }
func (w *watcher) MoveCursor(image.Point) error        { return nil }
func (w *watcher) Blank() error                        { return nil }
func (w *watcher) Draw(p presentation.Picture, damage []image.Rectangle) (int, error) {
	size := p.Bounds().Max
	if w.target.Width != size.X || w.target.Height != size.Y {
		w.target = presentation.Target{Format: presentation.BGRX, Width: size.X, Height: size.Y, Stride: size.X * 4, Bytes: make([]byte, size.X*size.Y*4)}
	}
	n := 0
	for _, r := range damage {
		n += p.Read(w.target, r)
	}
	b := w.target.Bytes
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drawn++
	if number := binary.LittleEndian.Uint32(b); number>>24 == 0xff {
		w.pages = append(w.pages, number&0xffffff)
		if !bytes.Equal(b[4:], b[:len(b)-4]) {
			w.torn++
		}
		select {
		case w.seen <- struct{}{}:
		default: // more pages than the guest has flipped; the test says so
		}
	}
	return n, nil
}

// all returns the pages that were drawn so far.
func (w *watcher) all() []uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pages)
}

// showMarkers collects the markers of a display.
type showMarkers struct {
	mu    sync.Mutex
	lines []string
}

func (s *showMarkers) emit(m markers.Emitter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, m.Marker().String())
}

func (s *showMarkers) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// until waits for something to be true.
func until(t *testing.T, what string, state func() string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: timed out\n%s", what, state())
		}
	}
}

// TestShow runs a guest on stock QEMU 10, whose display is our process, and looks
// at every page it flips; then QEMU is killed.
func TestShow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	guest, err := showhost.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	const flips = 300
	sink, told := newWatcher(1024, 768), &showMarkers{}
	d := display.New(sink, told.emit, func(err error) { t.Error(err) })
	d.Show("linux")
	machine, err := guest.Serve(t.Context(), dir, "linux", fmt.Sprintf("paced:%d:1024x768:1", flips), d.Source("linux"), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range sink.seen {
			if _, err := machine.Port.Write([]byte{'.'}); err != nil {
				return // the guest is gone
			}
		}
	}()
	until(t, "flips", machine.Output, func() bool {
		return strings.Contains(machine.Output(), "SHOWGUEST flips ") && strings.Contains(machine.Output(), " us") || strings.Contains(machine.Output(), "failed")
	})
	t.Log(machine.Output(), d.Surfaces())
	checkFlips(t, sink, flips)
	if err := machine.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-machine.Ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the display outlives its guest")
	}
	_ = machine.Cmd.Wait() // it was killed
	checkMarkers(t, told.all())
	if left := d.Surfaces(); len(left) != 0 {
		t.Errorf("surfaces of a guest that is gone: %v", left)
	}
}

func checkFlips(t *testing.T, sink *watcher, flips int) {
	t.Helper()
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if sink.torn != 0 || !slices.IsSorted(sink.pages) {
		t.Errorf("%d pages were torn; in this order: %v", sink.torn, sink.pages)
	}
	seen := slices.Compact(slices.Clone(sink.pages))
	if len(seen) != flips {
		t.Errorf("%d of %d pages were seen", len(seen), flips)
	}
}

// checkMarkers looks for the life of the surface that was shown last.
func checkMarkers(t *testing.T, all string) {
	t.Helper()
	at := 0
	for _, want := range []string{"SURFACE_CREATE] id=", "FIRST_FRAME] id=", "PRESENTED] id=", "HIDDEN] id=", "DESTROY] id="} {
		i := strings.Index(all[at:], "[RAYOS_PRESENTATION:"+want)
		if i < 0 {
			t.Fatalf("no %s in order in\n%s", want, all)
		}
		at += i
	}
	if !strings.Contains(all[strings.LastIndex(all, "\n")+1:], "DESTROY") {
		t.Errorf("the last marker is not DESTROY:\n%s", all)
	}
}
