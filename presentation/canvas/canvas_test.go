package canvas

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/rayos/rayboot/presentation"
)

func TestFit(t *testing.T) {
	for _, c := range []struct {
		picture, screen image.Point
		want            image.Rectangle
	}{
		{image.Pt(800, 600), image.Pt(800, 600), image.Rect(0, 0, 800, 600)},
		{image.Pt(800, 600), image.Pt(1920, 1080), image.Rect(240, 0, 1680, 1080)},
		{image.Pt(3840, 2160), image.Pt(1920, 1080), image.Rect(0, 0, 1920, 1080)},
		{image.Pt(1080, 1920), image.Pt(1920, 1080), image.Rect(656, 0, 1263, 1080)},
		{image.Pt(16384, 1), image.Pt(640, 480), image.Rect(0, 239, 640, 240)},
		{image.Pt(0, 10), image.Pt(640, 480), image.Rectangle{}},
		{image.Pt(10, 10), image.Pt(0, 480), image.Rectangle{}},
	} {
		if got := Fit(c.picture, c.screen).Rect; got != c.want {
			t.Errorf("%v on %v: %v, want %v", c.picture, c.screen, got, c.want)
		}
	}
}

func FuzzView(f *testing.F) {
	f.Add(800, 600, 1920, 1080, 3, 4, 10, 10)
	f.Add(1, 16384, 640, 480, 0, 16000, 1, 384)
	f.Fuzz(func(t *testing.T, pw, ph, sw, sh, x, y, w, h int) {
		for _, n := range []int{pw, ph, sw, sh} {
			if n > presentation.MaxSide {
				return
			}
		}
		v := Fit(image.Pt(pw, ph), image.Pt(sw, sh))
		if !v.Rect.In(image.Rect(0, 0, sw, sh)) {
			t.Fatalf("%v is not on the screen", v.Rect)
		}
		if v.Rect.Empty() || x < 0 || y < 0 || w < 1 || h < 1 || x > pw-w || y > ph-h || w > pw || h > ph {
			return
		}
		on := v.Covers(image.Rect(x, y, x+w, y+h))
		if !on.In(v.Rect) {
			t.Errorf("%v is not within %v", on, v.Rect)
		}
		if p := v.Point(image.Pt(x, y)); !p.In(v.Rect) {
			t.Errorf("point %v is not within %v", p, v.Rect)
		}
		if p := v.Back(v.Rect.Max); !p.In(image.Rect(0, 0, pw, ph)) {
			t.Errorf("point %v is not in the picture", p)
		}
	})
}

// picture makes a picture of random pixels, and the memory they lie in.
func picture(t *testing.T, size image.Point, random *rand.ChaCha8) (presentation.Picture, []byte) {
	t.Helper()
	target := memory(size, presentation.BGRX)
	if _, err := random.Read(target.Bytes); err != nil {
		t.Fatal(err)
	}
	return asPicture(target), target.Bytes
}

// TestPieceByPiece draws pictures of several sizes on screens of several formats: whole at once, and changed piece by piece.
// Both must come to the same.
func TestPieceByPiece(t *testing.T) {
	screen := image.Pt(96, 64)
	for _, format := range []presentation.Format{presentation.BGRX, presentation.RGBX, presentation.BGR, presentation.RGB, presentation.RGB565} {
		for _, size := range []image.Point{screen, image.Pt(40, 40), image.Pt(300, 150), image.Pt(97, 64), image.Pt(1, 1)} {
			random := rand.NewChaCha8([32]byte{1})
			p, pixels := picture(t, size, random)
			byPiece := New(memory(screen, format))
			var painter Painter
			var dirty presentation.Damage
			paint := func(c *Canvas, by *Painter, rects ...image.Rectangle) {
				by.Read(p, rects, screen, format)
				by.Paint(c, p, rects, &dirty)
			}
			paint(byPiece, &painter, p.Bounds())
			for range 20 {
				r := image.Rect(int(random.Uint64()%uint64(size.X+1)), int(random.Uint64()%uint64(size.Y+1)), int(random.Uint64()%uint64(size.X+1)), int(random.Uint64()%uint64(size.Y+1)))
				for y := r.Min.Y; y < r.Max.Y; y++ {
					_, _ = random.Read(pixels[4*(y*size.X+r.Min.X) : 4*(y*size.X+r.Max.X)]) // cannot fail
				}
				before := bytes.Clone(byPiece.Bytes)
				dirty.Clear()
				paint(byPiece, &painter, r)
				checkDirty(t, byPiece, before, dirty.Rects())
			}
			whole := New(memory(screen, format))
			paint(whole, new(Painter), p.Bounds())
			checkSame(t, whole, byPiece)
		}
	}
}

// checkSame compares pixels, without the byte of each that means nothing.
func checkSame(t *testing.T, want, got *Canvas) {
	t.Helper()
	a, b := memory(image.Pt(want.Width, want.Height), presentation.RGBA), memory(image.Pt(want.Width, want.Height), presentation.RGBA)
	asPicture(want.Target).Read(a, want.bounds())
	asPicture(got.Target).Read(b, want.bounds())
	if !bytes.Equal(a.Bytes, b.Bytes) {
		t.Errorf("a %v screen that was changed by and by differs from one that was painted at once (picture of %v)", want.Format, want.view.Picture)
	}
}

// checkDirty looks for a change outside of what is told to have changed.
func checkDirty(t *testing.T, c *Canvas, before []byte, dirty []image.Rectangle) {
	t.Helper()
	size := c.Format.Bytes()
	for y := range c.Height {
	pixel:
		for x := range c.Width {
			for _, r := range dirty {
				if image.Pt(x, y).In(r) {
					continue pixel
				}
			}
			i := y*c.Stride + x*size
			if !bytes.Equal(before[i:i+size], c.Bytes[i:i+size]) {
				t.Fatalf("pixel %d, %d has changed and is not in %v", x, y, dirty)
			}
		}
	}
}

// TestPointer moves a pointer over a picture that changes below it.
func TestPointer(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	for _, format := range []presentation.Format{presentation.BGRX, presentation.RGB565} {
		p, pixels := picture(t, image.Pt(96, 64), random)
		with, without := New(memory(image.Pt(96, 64), format)), New(memory(image.Pt(96, 64), format))
		var a, b Painter
		var dirty presentation.Damage
		arrow := image.NewNRGBA(image.Rect(0, 0, 8, 8))
		for i := range arrow.Pix {
			arrow.Pix[i] = 0xff
		}
		a.SetCursor(presentation.Cursor{Image: arrow, Hot: image.Pt(4, 4)})
		all := []image.Rectangle{p.Bounds()}
		for i, at := range []image.Point{{50, 30}, {0, 0}, {95, 63}, {200, 200}, {50, 31}, {51, 31}} {
			_, _ = random.Read(pixels) // cannot fail
			a.MoveCursor(at)
			a.Read(p, all, image.Pt(96, 64), format)
			a.Paint(with, p, all, &dirty)
			b.Read(p, all, image.Pt(96, 64), format)
			b.Paint(without, p, all, &dirty)
			on := image.Rect(at.X-4, at.Y-4, at.X+4, at.Y+4).Intersect(p.Bounds())
			if differ := differing(with, without); differ != on {
				t.Errorf("%v: pointer %d at %v shows in %v, want %v", format, i, at, differ, on)
			}
		}
		a.SetCursor(presentation.Cursor{})
		a.Paint(with, p, nil, &dirty)
		checkSame(t, without, with)
	}
}

// differing returns what is white on the first canvas only.
func differing(a, b *Canvas) (r image.Rectangle) {
	x, y := memory(image.Pt(a.Width, a.Height), presentation.RGBA), memory(image.Pt(a.Width, a.Height), presentation.RGBA)
	asPicture(a.Target).Read(x, a.bounds())
	asPicture(b.Target).Read(y, a.bounds())
	for i := 0; i < len(x.Bytes); i += 4 {
		if !bytes.Equal(x.Bytes[i:i+4], y.Bytes[i:i+4]) {
			p := image.Pt(i/4%a.Width, i/4/a.Width)
			r = r.Union(image.Rectangle{Min: p, Max: p.Add(image.Pt(1, 1))})
		}
	}
	return r
}
