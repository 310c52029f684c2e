package kms

import (
	"image"
	"image/color"

	"github.com/rayos/rayboot/presentation"
)

// hardCursor is the guest's pointer. The card shows it on top of the buffers where it can; otherwise it is painted.
type hardCursor struct {
	presentation.Cursor
	at      image.Point // of its hot spot in the picture
	buffer  *buffer     // on the card
	painted bool        // the card cannot
}

// appear brings the pointer to a screen on which a picture has just appeared.
func (c *hardCursor) appear(s *Screen) error {
	c.painted = false
	return c.update(s, true)
}

// update shows the pointer as it is now. fresh says that its image may be another one.
func (c *hardCursor) update(s *Screen, fresh bool) error {
	if s.frames == nil {
		return nil // it appears when a picture does
	}
	if !c.painted && c.onCard(s, fresh) == nil {
		return nil
	}
	if !c.painted {
		c.painted = true
		if err := c.vanish(s); err != nil {
			return err
		}
	}
	s.painter.SetCursor(c.Cursor)
	s.painter.MoveCursor(c.at)
	s.paint(s.frames[0], presentation.Picture{}) // nothing but the pointer is to be painted
	return s.flush(s.frames[0])
}

// onCard has the card show the pointer. Each error means the same: that it cannot.
func (c *hardCursor) onCard(s *Screen, fresh bool) error {
	corner := s.painter.View().Point(c.at).Sub(c.Hot)
	switch {
	case !fresh && c.Image == nil:
		return nil
	case !fresh:
		return s.card.movePointer(s.head, corner)
	case c.Image == nil:
		return s.card.pointer(s.head, nil, corner, image.Point{})
	}
	if c.buffer == nil {
		b, err := s.card.plain(s.card.cursorSize(), presentation.BGRA)
		if err != nil {
			return err
		}
		c.buffer = b
	}
	if err := fill(c.buffer.Target, c.Image); err != nil {
		return err
	}
	return s.card.pointer(s.head, c.buffer, corner, c.Hot)
}

// fill puts an image, with its colours multiplied by its opacity as cards want it, into the corner of a cursor's buffer.
func fill(t presentation.Target, img *image.NRGBA) error {
	if size := img.Rect.Size(); size.X > t.Width || size.Y > t.Height {
		return presentation.ErrFrame
	}
	clear(t.Bytes)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := color.RGBAModel.Convert(img.NRGBAAt(img.Rect.Min.X+x, img.Rect.Min.Y+y)).(color.RGBA)
			p := t.Bytes[y*t.Stride+4*x:]
			p[0], p[1], p[2], p[3] = c.B, c.G, c.R, c.A
		}
	}
	return nil
}

// vanish takes the pointer off the card.
func (c *hardCursor) vanish(s *Screen) error {
	if c.buffer == nil {
		return nil
	}
	_ = s.card.pointer(s.head, nil, image.Point{}, image.Point{}) // of a card that cannot, there is nothing to take off
	err := s.card.destroy(c.buffer)
	c.buffer = nil
	return err
}
