package kms

import (
	"fmt"
	"image"
	"image/color"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
)

// fake is a card in memory. What it shows is what a screen would: it reads a buffer at set and flip, and where it is told
// to; like virtio-gpu. ovmf-tests have the real ones.
type fake struct {
	modes       []modeInfo
	plugged     bool
	room        int // buffers
	flipError   error
	cursorError error
	late        bool

	buffers  []*buffer
	current  *buffer
	shown    []byte
	flips    int
	sets     int
	waiting  bool
	isOpen   bool
	pointers int
	failures []string
}

func (f *fake) fail(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fake) heads(bool) ([]head, error) {
	if !f.plugged {
		return nil, nil
	}
	return []head{{connector: 7, crtc: 3, modes: f.modes}}, nil
}

func (f *fake) create(size image.Point) (*buffer, error) {
	if len(f.buffers) >= f.room {
		return nil, unix.ENOMEM
	}
	return f.plain(size, presentation.BGRX)
}

func (f *fake) plain(size image.Point, format presentation.Format) (*buffer, error) {
	stride := size.X*4 + 64
	b := &buffer{fb: 1, Target: presentation.Target{Format: format, Width: size.X, Height: size.Y, Stride: stride, Bytes: make([]byte, stride*size.Y)}}
	f.buffers = append(f.buffers, b)
	return b, nil
}

func (f *fake) destroy(b *buffer) error {
	i := slices.Index(f.buffers, b)
	if i < 0 {
		f.fail("a buffer was freed twice")
		return nil
	}
	f.buffers = slices.Delete(f.buffers, i, i+1)
	if b == f.current {
		f.current, f.shown = nil, nil
	}
	return nil
}

func (f *fake) show(b *buffer) {
	f.current, f.shown = b, slices.Clone(b.Bytes)
}

func (f *fake) set(h head, m modeInfo, b *buffer) error {
	if m.size() != image.Pt(b.Width, b.Height) {
		f.fail("mode %s with a buffer of %dx%d", m.label(), b.Width, b.Height)
	}
	f.sets++
	f.show(b)
	return nil
}

func (f *fake) flip(_ head, b *buffer) error {
	if f.flipError != nil {
		return f.flipError
	}
	if f.waiting {
		f.fail("a flip before the last one has happened")
	}
	if b == f.current {
		f.fail("a flip to what is shown")
	}
	f.flips, f.waiting = f.flips+1, true
	f.show(b)
	return nil
}

func (f *fake) wait() error {
	if f.waiting = false; f.late {
		return errLate
	}
	return nil
}

func (f *fake) dirty(b *buffer, clips []clipRect) error {
	if b != f.current {
		f.fail("told of pixels that are not shown")
	}
	for _, c := range clips {
		for y := int(c.y1); y < int(c.y2); y++ {
			copy(f.shown[y*b.Stride+4*int(c.x1):y*b.Stride+4*int(c.x2)], b.Bytes[y*b.Stride+4*int(c.x1):])
		}
	}
	return nil
}

func (f *fake) driver() string { return "fake" }

func (f *fake) cursorSize() image.Point { return image.Pt(64, 64) }

func (f *fake) pointer(_ head, b *buffer, at, hot image.Point) error {
	f.pointers++
	return f.cursorError
}
func (f *fake) movePointer(head, image.Point) error { return f.cursorError }
func (f *fake) giveBack()                           {}
func (f *fake) close() error {
	f.isOpen = false
	return nil
}

// at is the colour of a pixel of the screen.
func (f *fake) at(x, y int) color.RGBA {
	p := f.shown[y*f.current.Stride+4*x:]
	return color.RGBA{p[2], p[1], p[0], 0xff}
}

func newFake() *fake {
	return &fake{plugged: true, room: 2, modes: []modeInfo{mode(64, 48, 60, typePreferred, 0), mode(40, 30, 60, 0, 0)}}
}
