package harness

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"time"
)

// CompareScreen waits until the screen shows exactly the reference picture, which lies in a PNG file. Pixels inside the
// masks are not compared. With update it writes the reference instead, once the screen has stood still.
func (m *Machine) CompareScreen(reference string, update bool, masks ...image.Rectangle) {
	m.t.Helper()
	if update {
		if err := writePNG(reference, m.stillScreen()); err != nil {
			m.t.Fatal(err)
		}
		m.t.Logf("%s is written anew: look at it before you commit it", reference)
		return
	}
	want, err := readPNG(reference)
	if err != nil {
		m.t.Fatalf("%v; make it with: go test -tags ovmf ./ovmf-tests -run %s -update", err, m.t.Name())
	}
	got := m.stillScreen()
	if err := samePicture(got, want, masks); err != nil {
		kept := Dist() + "/screen-differs.png"
		m.t.Errorf("the screen is not %s: %v; what it shows: %s (%v)", reference, err, kept, writePNG(kept, got))
	}
}

// ExpectScreen waits until the screen shows exactly this picture.
func (m *Machine) ExpectScreen(want image.Image) {
	m.t.Helper()
	for deadline := time.Now().Add(m.patience); ; time.Sleep(stillPause) {
		got := m.Screenshot()
		err := samePicture(got, want, nil)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			kept := Dist() + "/screen-differs.png"
			m.fatal(fmt.Errorf("the screen is not as it should be: %w; what it shows: %s (%v)", err, kept, writePNG(kept, got)))
		}
	}
}

// stillPause is long enough for emulated firmware to draw the next row of a screen.
const stillPause = 500 * time.Millisecond

// stillScreen returns the screen when three pictures in a row are the same.
func (m *Machine) stillScreen() image.Image {
	m.t.Helper()
	last, same := m.Screenshot(), 0
	for deadline := time.Now().Add(m.patience); same < 2; {
		if time.Now().After(deadline) {
			m.fatal(errors.New("the screen does not come to rest"))
		}
		time.Sleep(stillPause)
		next := m.Screenshot()
		if samePicture(next, last, nil) == nil {
			same++
		} else {
			same = 0
		}
		last = next
	}
	return last
}

// samePicture tells how the pictures differ outside the masks.
func samePicture(got, want image.Image, masks []image.Rectangle) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("it is %v, not %v", got.Bounds(), want.Bounds())
	}
	var differing image.Rectangle
	count := 0
	for y := want.Bounds().Min.Y; y < want.Bounds().Max.Y; y++ {
		for x := want.Bounds().Min.X; x < want.Bounds().Max.X; x++ {
			p := image.Pt(x, y)
			if sameColor(got.At(x, y), want.At(x, y)) || masked(p, masks) {
				continue
			}
			count++
			differing = differing.Union(image.Rectangle{p, p.Add(image.Pt(1, 1))})
		}
	}
	if count > 0 {
		return fmt.Errorf("%d pixels differ, all in %v", count, differing)
	}
	return nil
}

func sameColor(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	return r1 == r2 && g1 == g2 && b1 == b2
}

func masked(p image.Point, masks []image.Rectangle) bool {
	for _, m := range masks {
		if p.In(m) {
			return true
		}
	}
	return false
}

func readPNG(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	picture, err := png.Decode(f)
	return picture, errors.Join(err, f.Close())
}

func writePNG(path string, picture image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, picture), f.Close())
}
