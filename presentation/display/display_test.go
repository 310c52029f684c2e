package display

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation"
)

// recorder is a sink that remembers what it was told; the real ones have tests
// of their own.
type recorder struct {
	calls []string
	err   error
}

func (r *recorder) Size() image.Point { return image.Pt(8, 6) }

func (r *recorder) Draw(p presentation.Picture, damage []image.Rectangle) (int, error) {
	r.calls = append(r.calls, fmt.Sprintf("draw %v%v", p.Bounds().Max, damage))
	return 4, r.err
}

func (r *recorder) SetCursor(c presentation.Cursor) error {
	r.calls = append(r.calls, fmt.Sprintf("cursor %v", c.Image != nil))
	return nil
}

func (r *recorder) MoveCursor(at image.Point) error {
	r.calls = append(r.calls, fmt.Sprint("move ", at))
	return nil
}

func (r *recorder) Blank() error {
	r.calls = append(r.calls, "blank")
	return nil
}

// bench is a display with what has come out of it.
type bench struct {
	*Display
	recorder
	emitted  []string
	reported []error
}

func newBench() *bench {
	b := &bench{}
	b.Display = New(&b.recorder, func(m markers.Emitter) {
		b.emitted = append(b.emitted, strings.TrimPrefix(m.Marker().String(), "[RAYOS_PRESENTATION:"))
	}, func(err error) { b.reported = append(b.reported, err) })
	return b
}

// expect compares what the sink was told, and what was emitted, since the last call.
func (b *bench) expect(t *testing.T, calls, emitted string) {
	t.Helper()
	if got := strings.Join(b.calls, "; "); got != calls {
		t.Errorf("the sink was told\n%s\nwant\n%s", got, calls)
	}
	if got := strings.Join(b.emitted, "; "); got != emitted {
		t.Errorf("emitted\n%s\nwant\n%s", got, emitted)
	}
	b.calls, b.emitted = nil, nil
}

func picture(t testing.TB, width, height int) presentation.Picture {
	t.Helper()
	size := width * height * 4
	bytes := make([]byte, size)
	copy(bytes, []byte{1, 2, 3, 4})
	m, err := presentation.NewMemory([]presentation.Region{{Addr: 0, Bytes: bytes}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := presentation.NewPicture(presentation.Frame{
		Format: presentation.BGRX, Width: width, Height: height, Stride: width * 4,
		Memory: []presentation.Range{{Addr: 0, Size: uint64(size)}},
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t *testing.T, s *Source) presentation.ID {
	t.Helper()
	id, err := s.Create(0, image.Pt(8, 6))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func update(t *testing.T, s *Source, id presentation.ID, damage ...image.Rectangle) {
	t.Helper()
	if err := s.Update(id, presentation.Update{Picture: picture(t, 8, 6), Damage: damage}); err != nil {
		t.Fatal(err)
	}
}

func TestShownOnceItDraws(t *testing.T) {
	b := newBench()
	linux := b.Source("linux")
	if b.Show("linux") {
		t.Error("a guest without a screen is shown")
	}
	id := create(t, linux)
	b.expect(t, "", "SURFACE_CREATE] id=1, width=8, height=6, guest=linux")
	update(t, linux, id)
	b.expect(t, "draw (8,6)[(0,0)-(8,6)]; cursor false; move (0,0)", "FIRST_FRAME] id=1, seq=0; PRESENTED] id=1")
	update(t, linux, id, image.Rect(1, 1, 2, 2))
	b.expect(t, "draw (8,6)[(1,1)-(2,2)]", "")
	linux.SetCursor(id, presentation.Cursor{Image: image.NewNRGBA(image.Rect(0, 0, 2, 2))}, image.Pt(3, 4))
	linux.MoveCursor(id, image.Pt(5, 5))
	b.expect(t, "cursor true; move (3,4); move (5,5)", "")
	if err := linux.Destroy(id); err != nil {
		t.Fatal(err)
	}
	b.expect(t, "blank", "HIDDEN] id=1; DESTROY] id=1")
	update(t, linux, create(t, linux))
	b.expect(t, "draw (8,6)[(0,0)-(8,6)]; cursor false; move (0,0)",
		"SURFACE_CREATE] id=2, width=8, height=6, guest=linux; FIRST_FRAME] id=2, seq=0; PRESENTED] id=2")
	b.ShowNone()
	b.expect(t, "blank", "HIDDEN] id=2")
	update(t, linux, 2)
	b.expect(t, "", "")
}

// TestSwitch shows two guests in turns. What the hidden one draws is not drawn,
// and all of it is there when it is shown again.
func TestSwitch(t *testing.T) {
	b := newBench()
	linux, windows := b.Source("linux"), b.Source("windows")
	l, w := create(t, linux), create(t, windows)
	update(t, linux, l)
	update(t, windows, w)
	windows.SetCursor(w, presentation.Cursor{Image: image.NewNRGBA(image.Rect(0, 0, 2, 2))}, image.Pt(1, 1))
	b.emitted, b.calls = nil, nil
	for range 50 {
		if !b.Show("linux") {
			t.Fatal("linux is not shown")
		}
		update(t, windows, w, image.Rect(0, 0, 1, 1))
		b.expect(t, "draw (8,6)[(0,0)-(8,6)]; cursor false; move (0,0)", "PRESENTED] id=1")
		if !b.Show("windows") {
			t.Fatal("windows is not shown")
		}
		update(t, linux, l, image.Rect(0, 0, 1, 1))
		b.expect(t, "draw (8,6)[(0,0)-(8,6)]; cursor true; move (1,1)", "HIDDEN] id=1; PRESENTED] id=2")
		b.ShowNone()
		b.expect(t, "blank", "HIDDEN] id=2")
	}
}

func TestScreenshot(t *testing.T) {
	b := newBench()
	if _, err := b.Screenshot("linux"); !errors.Is(err, ErrNothing) {
		t.Errorf("without a guest: %v", err)
	}
	s := b.Source("linux")
	id := create(t, s)
	if _, err := b.Screenshot("linux"); !errors.Is(err, ErrNothing) {
		t.Errorf("before the first frame: %v", err)
	}
	update(t, s, id)
	shot, err := b.Screenshot("linux")
	if want := (color.NRGBA{3, 2, 1, 255}); err != nil || shot.NRGBAAt(0, 0) != want || shot.Rect != image.Rect(0, 0, 8, 6) {
		t.Errorf("the first pixel is %v of %v, want %v; %v", shot.NRGBAAt(0, 0), shot.Rect, want, err)
	}
	if err := s.Move(id, presentation.Picture{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Screenshot("linux"); !errors.Is(err, ErrNothing) {
		t.Errorf("after its memory went away: %v", err)
	}
}

func TestSinkFails(t *testing.T) {
	b := newBench()
	s := b.Source("linux")
	b.Show("linux")
	b.err = errors.New("no screen any more")
	update(t, s, create(t, s))
	if len(b.reported) != 1 || !errors.Is(b.reported[0], b.err) {
		t.Errorf("reported %v", b.reported)
	}
	if drawn := b.Surfaces()[0].Stats.Drawn; drawn != 0 {
		t.Errorf("%d frames count as drawn", drawn)
	}
}

// plugged is a sink whose screen changes.
type plugged struct {
	*recorder
	changed chan struct{}
}

func (p plugged) Changed() <-chan struct{} { return p.changed }

// TestScreenChanges plugs a screen in while something is shown, and while nothing is.
func TestScreenChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{}
		sink := plugged{&b.recorder, make(chan struct{})}
		b.Display = New(sink, func(markers.Emitter) {}, func(err error) { t.Error(err) })
		s := b.Source("linux")
		id := create(t, s)
		update(t, s, id)
		sink.changed <- struct{}{}
		synctest.Wait()
		b.expect(t, "", "")
		b.Show("linux")
		update(t, s, id, image.Rect(1, 1, 2, 2))
		b.calls = nil
		for range 2 {
			sink.changed <- struct{}{}
			synctest.Wait()
			b.expect(t, "draw (8,6)[(0,0)-(8,6)]; cursor false; move (0,0)", "")
		}
		if frames := b.Surfaces()[0].Stats.Frames; frames != 2 {
			t.Errorf("%d frames, the guest made 2", frames)
		}
		close(sink.changed)
	})
}

// TestManyAtOnce is for the race detector, and finds a display that locks itself.
func TestManyAtOnce(t *testing.T) {
	b := newBench()
	var all sync.WaitGroup
	for _, guest := range []string{"linux", "windows"} {
		all.Go(func() {
			s := b.Source(guest)
			for range 100 {
				id := create(t, s)
				update(t, s, id)
				b.Show(guest)
				update(t, s, id)
				_, _ = b.Screenshot(guest) // the other one may have any picture or none
				if err := s.Destroy(id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if left := b.Surfaces(); len(left) != 0 || slices.ContainsFunc(b.emitted, func(s string) bool { return s == "" }) {
		t.Errorf("left over: %v", left)
	}
}
