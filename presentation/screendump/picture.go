package screendump

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"github.com/rayos/rayboot/presentation"
)

// maxFileBytes bounds a picture's file: the largest frame, and its header.
const maxFileBytes = presentation.MaxFrameBytes + maxHeader

const maxHeader = 32

// errPicture is in the chain of the errors about files that are not what QEMU writes.
var errPicture = errors.New("no picture as QEMU writes it")

// dump is a picture out of a file, whose bytes it uses.
type dump struct {
	file   []byte
	size   image.Point
	pixels []byte // three for each: red, green, blue
}

// decode reads a binary PPM (Netpbm's ppm(5)) as QEMU's ui/console.c writes it: one
// picture of eight bits per channel, without comments.
func decode(file []byte) (dump, error) {
	d := dump{file: file}
	end := 0
	for range 3 { // lines of the header
		n := bytes.IndexByte(file[end:min(len(file), maxHeader)], '\n')
		if n < 0 {
			return dump{}, fmt.Errorf("%w: it has no header", errPicture)
		}
		end += n + 1
	}
	header := string(file[:end])
	if _, err := fmt.Sscanf(header, "P6\n%d %d\n255\n", &d.size.X, &d.size.Y); err != nil {
		return dump{}, fmt.Errorf("%w: header %q: %w", errPicture, header, err)
	}
	d.pixels = file[end:]
	switch {
	case d.size.X < 1 || d.size.X > presentation.MaxSide || d.size.Y < 1 || d.size.Y > presentation.MaxSide:
		return dump{}, fmt.Errorf("%w: %d by %d pixels, 1 to %d are taken", errPicture, d.size.X, d.size.Y, presentation.MaxSide)
	case len(d.pixels) != d.size.X*d.size.Y*3:
		return dump{}, fmt.Errorf("%w: %d bytes of %d by %d pixels", errPicture, len(d.pixels), d.size.X, d.size.Y)
	}
	return d, nil
}

// picture makes the pixels readable to the bridge.
func (d dump) picture() (presentation.Picture, error) {
	m, err := presentation.NewMemory([]presentation.Region{{Bytes: d.pixels}})
	if err != nil {
		return presentation.Picture{}, err
	}
	return presentation.NewPicture(presentation.Frame{
		Format: presentation.RGB, Width: d.size.X, Height: d.size.Y, Stride: d.size.X * 3,
		Memory: []presentation.Range{{Size: uint64(len(d.pixels))}},
	}, m)
}

// changed returns what differs from the picture before: for each run of rows that have
// changed, the rectangle around it. It is all of a picture of another size.
func (d dump) changed(before dump) []image.Rectangle {
	if d.size != before.size {
		return []image.Rectangle{{Max: d.size}}
	}
	var all []image.Rectangle
	var run image.Rectangle
	for y := range d.size.Y {
		left, right := differ(d.row(y), before.row(y))
		if left == right {
			if !run.Empty() {
				all, run = append(all, run), image.Rectangle{}
			}
			continue
		}
		run = run.Union(image.Rect(left/3, y, (right+2)/3, y+1))
	}
	if !run.Empty() {
		all = append(all, run)
	}
	return all
}

func (d dump) row(y int) []byte { return d.pixels[y*d.size.X*3 : (y+1)*d.size.X*3] }

// differ returns the first byte that differs, and the one after the last.
func differ(a, b []byte) (from, to int) {
	if bytes.Equal(a, b) {
		return 0, 0
	}
	to = len(a)
	for a[from] == b[from] {
		from++
	}
	for a[to-1] == b[to-1] {
		to--
	}
	return from, to
}
