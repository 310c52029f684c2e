// Package picture writes what a guest shows into a file, as PNG or PPM: for screenshots, for tests, and for machines
// without a screen.
package picture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rayos/rayboot/presentation"
)

// Save writes an image to a file, in the format that its name ends with: .png or .ppm. It is written beside and renamed,
// so the file always has the whole of one image or of the other.
func Save(path string, img image.Image) error {
	encode, err := encoder(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	w := bufio.NewWriter(f)
	err = errors.Join(encode(w, img), w.Flush(), f.Chmod(0o644), f.Sync())
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

// Check tells whether Save could take this name, before there is an image.
func Check(path string) error {
	_, err := encoder(path)
	return err
}

func encoder(path string) (func(io.Writer, image.Image) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		return png.Encode, nil
	case ".ppm":
		return encodePPM, nil
	}
	return nil, fmt.Errorf("picture %s: its name must end with .png or .ppm", path)
}

// encodePPM writes the binary form of the format (Netpbm's P6).
func encodePPM(w io.Writer, img image.Image) error {
	b := img.Bounds()
	if _, err := fmt.Fprintf(w, "P6\n%d %d\n255\n", b.Dx(), b.Dy()); err != nil {
		return err
	}
	row := make([]byte, 0, 3*b.Dx())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row = row[:0]
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			row = append(row, c.R, c.G, c.B)
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Sink is a [presentation.Sink] that writes each picture to a file, in the place of the one before.
type Sink struct {
	path   string
	size   image.Point
	shown  presentation.Target // a copy of the picture
	cursor presentation.Cursor
	at     image.Point
	count  int
}

// NewSink returns a sink that writes to the file at path, and says that it has that size.
func NewSink(path string, size image.Point) (*Sink, error) {
	if err := Check(path); err != nil {
		return nil, err
	}
	return &Sink{path: path, size: size}, nil
}

// Size returns the size that the sink was made with.
func (s *Sink) Size() image.Point { return s.size }

// Draw writes the picture to the file.
func (s *Sink) Draw(p presentation.Picture, damage []image.Rectangle) (bytes int, err error) {
	if p.Empty() {
		return 0, nil
	}
	if w, h := p.Bounds().Dx(), p.Bounds().Dy(); s.shown.Width != w || s.shown.Height != h {
		s.shown = presentation.Target{Format: presentation.RGBX, Width: w, Height: h, Stride: 4 * w, Bytes: make([]byte, 4*w*h)}
		damage = []image.Rectangle{p.Bounds()}
	}
	for _, r := range damage {
		bytes += p.Read(s.shown, r)
	}
	s.count++
	return bytes, s.save()
}

// save writes the picture with the pointer on it.
func (s *Sink) save() error {
	img := image.NewRGBA(image.Rect(0, 0, s.shown.Width, s.shown.Height))
	copy(img.Pix, s.shown.Bytes)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 0xff
	}
	if s.cursor.Image != nil {
		r := s.cursor.Image.Rect
		draw.Draw(img, r.Sub(r.Min).Add(s.at).Sub(s.cursor.Hot), s.cursor.Image, r.Min, draw.Over)
	}
	return Save(s.path, img)
}

// Count returns how many pictures were drawn.
func (s *Sink) Count() int { return s.count }

// SetCursor shows the pointer from the next picture on.
func (s *Sink) SetCursor(c presentation.Cursor) error {
	s.cursor = c
	return nil
}

// MoveCursor puts the pointer's hot spot at a point of the picture.
func (s *Sink) MoveCursor(at image.Point) error {
	s.at = at
	return nil
}

// Blank shows nothing more. The file keeps the last picture.
func (s *Sink) Blank() error {
	s.shown = presentation.Target{}
	return nil
}

// Close ends the sink; the file stays.
func (s *Sink) Close() error { return nil }

// Changed returns a channel that never gets a value.
func (s *Sink) Changed() <-chan struct{} { return nil }
