package kms

import (
	"errors"
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
)

// guest is a guest's screen whose pixels lie in many pieces of memory.
type guest struct {
	presentation.Target
	picture presentation.Picture
}

func newGuest(t *testing.T, size image.Point) *guest {
	t.Helper()
	const piece = 1000
	stride := size.X * 4
	bytes := make([]byte, stride*size.Y)
	m, err := presentation.NewMemory([]presentation.Region{{Addr: 4096, Bytes: bytes}})
	if err != nil {
		t.Fatal(err)
	}
	var ranges []presentation.Range
	for at := 0; at < len(bytes); at += piece {
		ranges = append(ranges, presentation.Range{Addr: uint64(4096 + at), Size: uint64(min(piece, len(bytes)-at))})
	}
	p, err := presentation.NewPicture(presentation.Frame{Format: presentation.BGRX, Width: size.X, Height: size.Y, Stride: stride, Memory: ranges}, m)
	if err != nil {
		t.Fatal(err)
	}
	return &guest{presentation.Target{Format: presentation.BGRX, Width: size.X, Height: size.Y, Stride: stride, Bytes: bytes}, p}
}

// draw fills a rectangle with a colour.
func (g *guest) draw(r image.Rectangle, c color.RGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			copy(g.Bytes[y*g.Stride+4*x:], []byte{c.B, c.G, c.R})
		}
	}
}

func (g *guest) at(x, y int) color.RGBA {
	p := g.Bytes[y*g.Stride+4*x:]
	return color.RGBA{p[2], p[1], p[0], 0xff}
}

func start(t *testing.T, f *fake) *Screen {
	t.Helper()
	s, err := newScreen("card", func(string) (device, error) {
		if f.isOpen {
			f.fail("opened twice")
		}
		f.isOpen = true
		return f, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.isOpen {
		t.Error("the card is held while nothing is shown")
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if f.isOpen || len(f.buffers) > 0 {
			t.Errorf("at the end the card is open: %v, with %d buffers", f.isOpen, len(f.buffers))
		}
		for _, text := range f.failures {
			t.Error(text)
		}
	})
	return s
}

func draw(t *testing.T, s *Screen, g *guest, damage ...image.Rectangle) int {
	t.Helper()
	n, err := s.Draw(g.picture, damage)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// same compares the screen with a guest's that has its size, where want says nothing else.
func same(t *testing.T, f *fake, g *guest, want func(x, y int) (color.RGBA, bool)) {
	t.Helper()
	for y := range g.Height {
		for x := range g.Width {
			c := g.at(x, y)
			if want != nil {
				if other, ok := want(x, y); ok {
					c = other
				}
			}
			if got := f.at(x, y); got != c {
				t.Fatalf("pixel %d, %d is %v, want %v", x, y, got, c)
			}
		}
	}
}

var red, green = color.RGBA{0xff, 0, 0, 0xff}, color.RGBA{0, 0xff, 0, 0xff}

// TestScreenIsThePicture draws at random: whole pictures, small pieces, and a pointer that moves, on drivers with and
// without flips, a second buffer, and a pointer of their own. What is shown is the guest's picture each time.
func TestScreenIsThePicture(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"all":                func(*fake) {},
		"one buffer":         func(f *fake) { f.room = 1 },
		"no flips":           func(f *fake) { f.flipError = unix.ENOSYS },
		"late flips":         func(f *fake) { f.late = true },
		"no pointer":         func(f *fake) { f.cursorError = unix.ENXIO },
		"one and no pointer": func(f *fake) { f.room, f.cursorError = 1, unix.ENXIO },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			change(f)
			s, g := start(t, f), newGuest(t, image.Pt(64, 48))
			random := rand.New(rand.NewPCG(1, 2))
			arrow := image.NewNRGBA(image.Rect(0, 0, 5, 6))
			for i := range arrow.Pix {
				arrow.Pix[i] = 0xff // white, not transparent
			}
			at := image.Pt(30, 20)
			for i := range 300 {
				r := image.Rect(random.IntN(64), random.IntN(48), random.IntN(65), random.IntN(49))
				if i == 0 || i%5 == 0 {
					r = image.Rect(0, 0, 64, 48)
				}
				g.draw(r, color.RGBA{uint8(random.Uint32()), uint8(i), 7, 0xff})
				if !r.Empty() {
					draw(t, s, g, r)
				}
				if i == 10 {
					if err := s.SetCursor(presentation.Cursor{Image: arrow, Hot: image.Pt(1, 2)}); err != nil {
						t.Fatal(err)
					}
				}
				if i%3 == 0 {
					at = image.Pt(random.IntN(70)-3, random.IntN(52)-2)
					if err := s.MoveCursor(at); err != nil {
						t.Fatal(err)
					}
				}
				same(t, f, g, func(x, y int) (color.RGBA, bool) {
					painted := f.cursorError != nil && i >= 10 && image.Pt(x, y).In(arrow.Rect.Add(at).Sub(image.Pt(1, 2)))
					return color.RGBA{0xff, 0xff, 0xff, 0xff}, painted
				})
			}
			if double := f.room == 2 && f.flipError == nil && !f.late; double != (f.flips > 50) {
				t.Errorf("%d flips", f.flips)
			}
			if f.sets != 1 {
				t.Errorf("the mode was set %d times", f.sets)
			}
			if f.cursorError == nil && f.pointers == 0 {
				t.Error("the card was not asked for its pointer")
			}
		})
	}
}

// TestOneCopy counts: each changed pixel is written once.
func TestOneCopy(t *testing.T) {
	f := newFake()
	s, g := start(t, f), newGuest(t, image.Pt(64, 48))
	whole := image.Rect(0, 0, 64, 48)
	for i := range 5 {
		if n := draw(t, s, g, whole); n != 64*48*4 {
			t.Errorf("whole picture %d: %d bytes", i, n)
		}
	}
	if n := draw(t, s, g, image.Rect(3, 3, 7, 5)); n != 4*2*4 {
		t.Errorf("a piece: %d bytes", n)
	}
}

// TestModes has guests of three sizes: two that the screen has a mode for, and one that is scaled.
func TestModes(t *testing.T) {
	f := newFake()
	s := start(t, f)
	if s.Size() != image.Pt(64, 48) {
		t.Errorf("size %v", s.Size())
	}
	for _, c := range []struct {
		size  image.Point
		mode  string
		black []image.Rectangle // the borders
	}{
		{image.Pt(64, 48), "64x48@60", nil},
		{image.Pt(40, 30), "40x30@60", nil},
		{image.Pt(16, 48), "64x48@60", []image.Rectangle{image.Rect(0, 0, 24, 48), image.Rect(40, 0, 64, 48)}},
		{image.Pt(128, 48), "64x48@60", []image.Rectangle{image.Rect(0, 0, 64, 12), image.Rect(0, 36, 64, 48)}},
	} {
		g := newGuest(t, c.size)
		g.draw(image.Rectangle{Max: c.size}, red)
		draw(t, s, g, image.Rectangle{Max: c.size})
		if s.Mode() != c.mode {
			t.Errorf("%v: mode %s, want %s", c.size, s.Mode(), c.mode)
		}
		for y := range f.current.Height {
			for x := range f.current.Width {
				want := red
				if slices.ContainsFunc(c.black, image.Pt(x, y).In) {
					want = color.RGBA{0, 0, 0, 0xff}
				}
				if got := f.at(x, y); got != want {
					t.Fatalf("%v: pixel %d, %d is %v, want %v", c.size, x, y, got, want)
				}
			}
		}
	}
}

func TestHotplug(t *testing.T) {
	f := newFake()
	s, g := start(t, f), newGuest(t, image.Pt(64, 48))
	whole := image.Rect(0, 0, 64, 48)
	draw(t, s, g, whole)

	f.plugged = false
	s.changed.Store(true)
	if n := draw(t, s, g, whole); n != 0 || len(f.buffers) != 0 || s.Size() != (image.Point{}) {
		t.Errorf("%d bytes and %d buffers for no screen of %v", n, len(f.buffers), s.Size())
	}

	f.plugged, f.modes = true, f.modes[1:]
	s.changed.Store(true)
	g.draw(whole, green)
	draw(t, s, g, image.Rect(1, 1, 2, 2))
	if s.Mode() != "40x30@60" || f.at(20, 15) != green {
		t.Errorf("mode %s, colour %v", s.Mode(), f.at(20, 15))
	}
}

func TestNoScreenNoCard(t *testing.T) {
	f := newFake()
	f.plugged = false
	if _, err := newScreen("card", func(string) (device, error) { return f, nil }); !errors.Is(err, ErrNoScreen) {
		t.Errorf("got %v", err)
	}
	busy := errors.New("busy")
	if _, err := newScreen("card", func(string) (device, error) { return nil, busy }); !errors.Is(err, busy) {
		t.Errorf("got %v", err)
	}
}

// TestBlankAndBack gives the card back and takes it again.
func TestBlankAndBack(t *testing.T) {
	f := newFake()
	s, g := start(t, f), newGuest(t, image.Pt(64, 48))
	g.draw(image.Rect(0, 0, 64, 48), green)
	for range 3 {
		draw(t, s, g, image.Rect(0, 0, 64, 48))
		same(t, f, g, nil)
		if err := s.Blank(); err != nil {
			t.Fatal(err)
		}
		if f.isOpen || len(f.buffers) > 0 {
			t.Errorf("blank, the card is open: %v, with %d buffers", f.isOpen, len(f.buffers))
		}
	}
}
