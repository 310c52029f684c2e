package harness

import (
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"testing"
)

func TestSamePicture(t *testing.T) {
	picture := func(w, h int, white ...image.Point) *image.RGBA {
		p := image.NewRGBA(image.Rect(0, 0, w, h))
		for _, at := range white {
			p.Set(at.X, at.Y, color.White)
		}
		return p
	}
	want := picture(8, 4, image.Pt(1, 1))
	for _, c := range []struct {
		name  string
		got   image.Image
		masks []image.Rectangle
		err   string // "" for the same
	}{
		{"same", picture(8, 4, image.Pt(1, 1)), nil, ""},
		{"one pixel", picture(8, 4, image.Pt(1, 1), image.Pt(7, 3)), nil, "1 pixels differ, all in (7,3)-(8,4)"},
		{"masked", picture(8, 4, image.Pt(1, 1), image.Pt(7, 3)), []image.Rectangle{image.Rect(6, 3, 8, 4)}, ""},
		{"beside the mask", picture(8, 4), []image.Rectangle{image.Rect(6, 3, 8, 4)}, "1 pixels differ"},
		{"size", picture(4, 4), nil, "it is (0,0)-(4,4)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := samePicture(c.got, want, c.masks)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want %q", err, c.err)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "x.png")
	if err := writePNG(file, want); err != nil {
		t.Fatal(err)
	}
	back, err := readPNG(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := samePicture(back, want, nil); err != nil {
		t.Errorf("through a file: %v", err)
	}
}
