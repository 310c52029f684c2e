package picture_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/picture"
)

// guest makes a picture of a guest, and the memory that it lies in.
func guest(t *testing.T, size image.Point) (presentation.Picture, []byte) {
	t.Helper()
	pixels := make([]byte, 4*size.X*size.Y)
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: pixels}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := presentation.NewPicture(presentation.Frame{
		Format: presentation.BGRX, Width: size.X, Height: size.Y, Stride: 4 * size.X, Memory: []presentation.Range{{Size: uint64(len(pixels))}},
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	return p, pixels
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestSinkAndPointer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "screen.png")
	s, err := picture.NewSink(path, image.Pt(8, 4))
	if err != nil {
		t.Fatal(err)
	}
	p, pixels := guest(t, image.Pt(8, 4))
	pixels[4*(8*1+2)+2] = 0xff // red at 2, 1
	if n, err := s.Draw(p, nil); err != nil || n != 8*4*4 {
		t.Fatalf("first picture: %d bytes, %v", n, err)
	}
	arrow := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	arrow.Set(0, 0, color.White)
	if err := s.SetCursor(presentation.Cursor{Image: arrow}); err != nil {
		t.Fatal(err)
	}
	if err := s.MoveCursor(image.Pt(5, 3)); err != nil {
		t.Fatal(err)
	}
	pixels[0], pixels[4] = 0xff, 0xff // blue at 0, 0, and at 1, 0 where it is not told
	if n, err := s.Draw(p, []image.Rectangle{image.Rect(0, 0, 1, 1)}); err != nil || n != 4 {
		t.Fatalf("second picture: %d bytes, %v", n, err)
	}
	img := decode(t, path)
	for at, want := range map[image.Point]string{{2, 1}: "ff0000ff", {0, 0}: "0000ffff", {1, 0}: "000000ff", {5, 3}: "ffffffff"} {
		r, g, b, a := img.At(at.X, at.Y).RGBA()
		if got := fmt.Sprintf("%02x%02x%02x%02x", r>>8, g>>8, b>>8, a>>8); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
	if s.Count() != 2 {
		t.Errorf("%d pictures", s.Count())
	}
}

func TestPPM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ppm")
	p, pixels := guest(t, image.Pt(2, 1))
	copy(pixels, []byte{3, 2, 1, 0, 6, 5, 4, 0})
	if err := picture.Save(path, p.Image()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestSaveKeepsOldFile has a picture that cannot be written: the file before it stays, and nothing else is left.
func TestSaveKeepsOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := picture.Save(path, image.NewNRGBA(image.Rectangle{})); err == nil { // PNG has no empty pictures
		t.Error("saved nothing")
	}
	got, err := os.ReadFile(path)
	entries, dirErr := os.ReadDir(dir)
	if err != nil || string(got) != "old" || dirErr != nil || len(entries) != 1 {
		t.Errorf("file %q, %v; entries %v, %v", got, err, entries, dirErr)
	}
	if err := picture.Check("a.jpeg"); err == nil || !strings.Contains(err.Error(), ".png or .ppm") {
		t.Errorf("got %v", err)
	}
}
