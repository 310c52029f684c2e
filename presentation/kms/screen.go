// Package kms shows pictures on the machine's own screen by Linux's kernel mode setting: plain ("dumb") buffers by raw
// requests, which every driver has, from virtio-gpu and bochs to those of real cards. It owns the card while something is
// shown, the choice of the mode, the two buffers and the pointer.
//
// A picture of which much has changed is painted into the buffer that is not shown, and that one is shown next, so it is
// never seen half; small changes are painted where they are seen. Either way a changed pixel is copied once.
//
// Nothing needs to be undone when the process dies: the kernel closes the card, and its text console, which has gone on
// underneath, is on the screen again.
//
// Linux Documentation/gpu/drm-kms.rst and drm-uapi.rst, the interface before atomic mode setting.
package kms

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/canvas"
)

// ErrNoScreen is in the chain of the error of a card to which no screen is connected.
var ErrNoScreen = errors.New("no screen is connected")

// device is what a screen needs of a card.
type device interface {
	driver() string
	heads(probe bool) ([]head, error)
	create(size image.Point) (*buffer, error)
	plain(size image.Point, f presentation.Format) (*buffer, error)
	destroy(b *buffer) error
	set(h head, m modeInfo, b *buffer) error
	flip(h head, b *buffer) error
	wait() error
	dirty(b *buffer, clips []clipRect) error
	cursorSize() image.Point
	pointer(h head, b *buffer, at, hot image.Point) error
	movePointer(h head, at image.Point) error
	giveBack()
	close() error
}

// Screen is a [presentation.Sink] on the screen of one card. It holds the card only while something is shown.
type Screen struct {
	path string
	open func(path string) (device, error)

	card    device // nil while nothing is shown
	driver  string // of the card
	head    head
	mode    modeInfo // of the frames
	lit     uint32   // connector that the frames are shown on
	frames  []*frame // one or two; the first is the one that is shown
	flipped bool     // the last flip may not have happened yet
	dirties bool     // the driver wants to be told what was painted
	painter canvas.Painter
	cursor  hardCursor
	painted presentation.Damage // what Draw has changed in the frame

	watch   *watcher
	changed atomic.Bool // screens were plugged or unplugged
}

// frame is a buffer and what is still to be painted in it.
type frame struct {
	*buffer
	canvas *canvas.Canvas
	stale  presentation.Damage // of the picture
}

// Open prepares for showing pictures on the card at path, such as /dev/dri/card0. It takes the card for a moment, to see
// that it can be had and has a screen. The screen must be closed.
func Open(path string) (*Screen, error) {
	s, err := newScreen(path, openCard)
	if err != nil {
		return nil, err
	}
	if s.watch, err = watch(func() { s.changed.Store(true) }); err != nil {
		return nil, err
	}
	return s, nil
}

func newScreen(path string, open func(string) (device, error)) (*Screen, error) {
	s := &Screen{path: path, open: open}
	err := s.probe()
	if err := errors.Join(err, s.Blank()); err != nil {
		return nil, err
	}
	return s, nil
}

// probe takes the card, if it is not ours yet, and looks for a screen. The first connector with one is it.
func (s *Screen) probe() error {
	if s.card == nil {
		card, err := s.open(s.path)
		if err != nil {
			return err
		}
		s.card, s.driver = card, card.driver()
	}
	heads, err := s.card.heads(true)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	for _, h := range heads {
		if _, ok := choose(h.modes, image.Point{}); ok {
			s.head = h
			return nil
		}
	}
	s.head = head{}
	return fmt.Errorf("%s: %w", s.path, ErrNoScreen)
}

// Changed returns a channel that gets a value when screens were plugged or unplugged. The caller then asks for Size, and
// draws the whole picture. It is closed by Close.
func (s *Screen) Changed() <-chan struct{} { return s.watch.news }

// Size returns the size of the mode that the screen prefers.
func (s *Screen) Size() image.Point {
	if m, ok := choose(s.head.modes, image.Point{}); ok {
		return m.size()
	}
	return image.Point{}
}

// Mode tells how the screen is driven now, such as 1024x768@60.
func (s *Screen) Mode() string { return s.mode.label() }

// Driver returns the name of the card's driver.
func (s *Screen) Driver() string { return s.driver }

// Draw shows a picture. Where no screen is connected any more, it draws nothing until there is one again.
func (s *Screen) Draw(picture presentation.Picture, damage []image.Rectangle) (bytes int, err error) {
	if picture.Empty() {
		return 0, nil
	}
	lit, err := s.ready(picture.Bounds().Size())
	if err != nil || s.frames == nil {
		return 0, err
	}
	if lit {
		damage = []image.Rectangle{picture.Bounds()}
	}
	shown := s.frames[0]
	bytes = s.painter.Read(picture, damage, image.Pt(shown.Width, shown.Height), shown.Format)
	for _, f := range s.frames {
		for _, r := range damage {
			f.stale.Add(r)
		}
	}
	if !lit && len(s.frames) == 2 && much(damage, picture.Bounds()) {
		n, err := s.swap(picture)
		return bytes + n, err
	}
	bytes += s.paint(shown, picture)
	if lit {
		return bytes, s.show(shown)
	}
	return bytes, s.flush(shown)
}

// much reports whether damage is half of the picture or more.
func much(damage []image.Rectangle, bounds image.Rectangle) bool {
	sum := 0
	for _, r := range damage {
		sum += r.Dx() * r.Dy()
	}
	return 2*sum >= bounds.Dx()*bounds.Dy()
}

// paint brings a frame up to date.
func (s *Screen) paint(f *frame, picture presentation.Picture) (bytes int) {
	s.painted.Clear()
	bytes = s.painter.Paint(f.canvas, picture, f.stale.Rects(), &s.painted)
	f.stale.Clear()
	return bytes
}

// swap paints the frame that is not shown and has it shown next.
func (s *Screen) swap(picture presentation.Picture) (bytes int, err error) {
	if err := s.settle(); err != nil {
		return s.single(picture, err)
	}
	next := s.frames[1]
	bytes = s.paint(next, picture)
	if err := s.card.flip(s.head, next.buffer); err != nil {
		n, err := s.single(picture, err)
		return bytes + n, err
	}
	s.flipped = true
	s.frames[0], s.frames[1] = next, s.frames[0]
	return bytes, nil
}

// settle waits until the last flip has happened: until then the other buffer is on the screen.
func (s *Screen) settle() error {
	if !s.flipped {
		return nil
	}
	s.flipped = false
	return s.card.wait()
}

// cannotFlip are the answers of drivers that have no flips, or no memory on the card for a second buffer.
var cannotFlip = []error{errLate, unix.ENOMEM, unix.ENOSPC, unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP}

// single goes on with one buffer where the driver cannot flip.
func (s *Screen) single(picture presentation.Picture, cause error) (bytes int, err error) {
	if !slices.ContainsFunc(cannotFlip, func(err error) bool { return errors.Is(cause, err) }) {
		return 0, fmt.Errorf("%s: show the next picture: %w", s.path, cause)
	}
	if err := s.card.destroy(s.frames[1].buffer); err != nil {
		return 0, fmt.Errorf("%s: %w", s.path, err)
	}
	s.frames = s.frames[:1]
	bytes = s.paint(s.frames[0], picture)
	return bytes, s.flush(s.frames[0])
}

// flush tells the driver what was painted in the frame that is shown.
func (s *Screen) flush(f *frame) error {
	if !s.dirties || s.painted.Empty() {
		return nil
	}
	clips := make([]clipRect, 0, presentation.MaxDamage)
	for _, r := range s.painted.Rects() {
		clips = append(clips, clipRect{x1: uint16(r.Min.X), y1: uint16(r.Min.Y), x2: uint16(r.Max.X), y2: uint16(r.Max.Y)})
	}
	switch err := s.card.dirty(f.buffer, clips); {
	case errors.Is(err, unix.ENOSYS):
		s.dirties = false // it reads the buffer all the time
		return nil
	case err != nil:
		return fmt.Errorf("%s: bring what was drawn to the screen: %w", s.path, err)
	}
	return nil
}
