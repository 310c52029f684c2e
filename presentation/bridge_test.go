package presentation

import (
	"errors"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/markers"
)

// bench is a bridge with a clock of its own, and what it has emitted.
type bench struct {
	*Bridge
	time    time.Time
	emitted []string
}

func newBench() *bench {
	b := &bench{time: time.Unix(1000, 0)}
	b.Bridge = New(func() time.Time { return b.time }, func(m markers.Emitter) {
		if err := markers.Check(m.Marker()); err != nil {
			panic(err)
		}
		b.emitted = append(b.emitted, m.Marker().String())
	})
	return b
}

func (b *bench) expect(t *testing.T, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = "[RAYOS_PRESENTATION:" + want[i]
	}
	if !slices.Equal(b.emitted, want) {
		t.Errorf("emitted\n%s\nwant\n%s", strings.Join(b.emitted, "\n"), strings.Join(want, "\n"))
	}
	b.emitted = nil
}

func testPicture(t testing.TB, width, height int) Picture {
	t.Helper()
	size := width * height * 4
	p, err := NewPicture(Frame{BGRX, width, height, width * 4, 0, []Range{{0, uint64(size)}}}, mustMemory(t, Region{0, make([]byte, size)}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLifecycle(t *testing.T) {
	b, p := newBench(), testPicture(t, 64, 48)
	id, err := b.CreateSurface("linux", 0, image.Pt(64, 48))
	if err != nil {
		t.Fatal(err)
	}
	b.expect(t, "SURFACE_CREATE] id=1, width=64, height=48, guest=linux")
	if err := b.Present(id); !errors.Is(err, ErrState) {
		t.Errorf("Present without a frame = %v", err)
	}
	if err := b.Hide(id); !errors.Is(err, ErrState) {
		t.Errorf("Hide of what is not shown = %v", err)
	}
	if err := b.UpdateFrame(id, Update{Picture: p}); err != nil {
		t.Fatal(err)
	}
	b.expect(t, "FIRST_FRAME] id=1, seq=0")
	for _, step := range []func(ID) error{b.Present, b.Present, b.Hide, b.Hide, b.Present} {
		if err := step(id); err != nil {
			t.Fatal(err)
		}
	}
	b.expect(t, "PRESENTED] id=1", "HIDDEN] id=1", "PRESENTED] id=1")
	if err := b.Destroy(id); err != nil {
		t.Fatal(err)
	}
	b.expect(t, "HIDDEN] id=1", "DESTROY] id=1")
	for _, err := range []error{b.Present(id), b.Hide(id), b.Destroy(id), b.UpdateFrame(id, Update{Picture: p}), b.MovePicture(id, p), b.Renew(id), b.Present(0), b.Destroy(77)} {
		if !errors.Is(err, ErrNoSurface) {
			t.Errorf("a destroyed surface: %v", err)
		}
	}
	b.expect(t)
}

func TestFrameAvailableOnce(t *testing.T) {
	b, p := newBench(), testPicture(t, 64, 48)
	id, _ := b.CreateSurface("linux", 0, image.Pt(64, 48))
	update := func(r image.Rectangle) {
		t.Helper()
		if err := b.UpdateFrame(id, Update{Picture: p, Damage: []image.Rectangle{r}}); err != nil {
			t.Fatal(err)
		}
	}
	if b.FrameAvailable(id) {
		t.Error("a frame before the first")
	}
	update(image.Rect(0, 0, 1, 1))
	shot, ok := b.Take(id)
	if !ok || !slices.Equal(shot.Damage, []image.Rectangle{p.Bounds()}) {
		t.Errorf("first frame: %v, %v; want all of it", shot.Damage, ok)
	}
	if _, ok := b.Take(id); ok || b.FrameAvailable(id) {
		t.Error("a frame was there twice")
	}
	update(image.Rect(0, 0, 1, 1))
	update(image.Rect(60, 40, 100, 100))
	shot, _ = b.Take(id)
	if want := []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(60, 40, 64, 48)}; !slices.Equal(shot.Damage, want) || shot.Seq != 2 {
		t.Errorf("two frames at once: %v, seq %d", shot.Damage, shot.Seq)
	}
	if s := b.Surfaces()[0].Stats; s.Frames != 3 || s.Replaced != 1 {
		t.Errorf("statistics: %+v", s)
	}
}

func TestMovedMemory(t *testing.T) {
	b, p := newBench(), testPicture(t, 64, 48)
	id, _ := b.CreateSurface("linux", 0, image.Pt(64, 48))
	if err := b.MovePicture(id, p); err != nil || b.FrameAvailable(id) {
		t.Errorf("a picture before the first frame: %v, %v", err, b.FrameAvailable(id))
	}
	b.UpdateFrame(id, Update{Picture: p})
	b.Present(id)
	b.MovePicture(id, Picture{})
	if _, ok := b.Take(id); ok {
		t.Error("took a frame whose memory is gone")
	}
	if _, err := b.Picture(id); !errors.Is(err, ErrFrame) {
		t.Errorf("Picture without memory = %v", err)
	}
	b.MovePicture(id, testPicture(t, 64, 48))
	if shot, ok := b.Take(id); !ok || len(shot.Damage) != 1 || shot.Damage[0] != p.Bounds() {
		t.Errorf("after the memory is back: %v, %v", shot.Damage, ok)
	}
}

func TestSurfaceLimit(t *testing.T) {
	b := newBench()
	for range MaxSurfaces {
		if _, err := b.CreateSurface("linux", 0, image.Pt(1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.CreateSurface("linux", 0, image.Pt(1, 1)); !errors.Is(err, ErrTooMany) {
		t.Errorf("surface %d: %v", MaxSurfaces+1, err)
	}
	b.Destroy(7)
	if id, err := b.CreateSurface("linux", 0, image.Pt(1, 1)); err != nil || id != MaxSurfaces+1 {
		t.Errorf("in the free place: %d, %v", id, err)
	}
	for _, size := range []image.Point{{}, {MaxSide + 1, 1}, {1, -1}} {
		if _, err := b.CreateSurface("linux", 0, size); !errors.Is(err, ErrFrame) {
			t.Errorf("size %v: %v", size, err)
		}
	}
	all := b.Surfaces()
	if !slices.IsSortedFunc(all, func(a, b Surface) int { return int(a.ID) - int(b.ID) }) || len(all) != MaxSurfaces {
		t.Errorf("%d surfaces in the order %v", len(all), all)
	}
}

func TestStatistics(t *testing.T) {
	b, p := newBench(), testPicture(t, 64, 48)
	id, _ := b.CreateSurface("linux", 0, image.Pt(64, 48))
	b.emitted = nil
	for i := range 200 {
		b.time = b.time.Add(20 * time.Millisecond)
		if err := b.UpdateFrame(id, Update{Picture: p, Since: b.time.Add(-time.Duration(i%100+1) * time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		shot, _ := b.Take(id)
		b.Drawn(shot, 100)
	}
	s := b.Surfaces()[0].Stats
	ms := time.Millisecond
	if s.Frames != 200 || s.Drawn != 200 || s.Replaced != 0 || s.Bytes != 20000 || s.Latency != (Latency{50 * ms, 90 * ms, 99 * ms, 100 * ms}) {
		t.Errorf("statistics: %+v", s)
	}
	if s.Rate < 49 || s.Rate > 51 {
		t.Errorf("rate %v, want 50", s.Rate)
	}
	b.expect(t, "FIRST_FRAME] id=1, seq=0", "FRAME_UPDATE] id=1, seq=50", "FRAME_UPDATE] id=1, seq=100", "FRAME_UPDATE] id=1, seq=150")
	b.time = b.time.Add(time.Minute)
	if rate := b.Surfaces()[0].Stats.Rate; rate != 0 {
		t.Errorf("rate of a guest that draws no more: %v", rate)
	}
}
