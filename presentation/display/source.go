package display

import (
	"image"

	"github.com/rayos/rayboot/presentation"
)

// Source is the end of a display for one guest. What it draws while it is shown
// is on the screen when the method that told so returns.
type Source struct {
	display *Display
	guest   string
}

// Source returns the end for a guest.
func (d *Display) Source(guest string) *Source { return &Source{d, guest} }

// Size returns the size of screen that the guest had best use, in pixels.
func (s *Source) Size() image.Point {
	s.display.mu.Lock()
	defer s.display.mu.Unlock()
	return s.display.sink.Size()
}

// Shown reports whether the guest is the one that is shown, or will be once it has
// drawn something.
func (s *Source) Shown() bool { return s.display.Wanted() == s.guest }

// Create makes a surface for an output of the guest.
func (s *Source) Create(output int, size image.Point) (presentation.ID, error) {
	s.display.mu.Lock()
	defer s.display.mu.Unlock()
	return s.display.bridge.CreateSurface(s.guest, output, size)
}

// Update gives a surface its next frame, and draws it if it is shown.
func (s *Source) Update(id presentation.ID, u presentation.Update) error {
	d := s.display
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.bridge.UpdateFrame(id, u); err != nil {
		return err
	}
	switch {
	case d.shown == id:
		d.draw(id)
	case d.shown == 0 && d.wanted == s.guest:
		d.choose()
	}
	return nil
}

// Move says where the pixels of a surface lie from now on; see
// [presentation.Bridge.MovePicture]. After a call with an empty picture nobody
// reads the old one.
func (s *Source) Move(id presentation.ID, p presentation.Picture) error {
	s.display.mu.Lock()
	defer s.display.mu.Unlock()
	return s.display.bridge.MovePicture(id, p)
}

// Destroy removes a surface. Nobody reads its picture after that.
func (s *Source) Destroy(id presentation.ID) error {
	d := s.display
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.cursors, id)
	if err := d.bridge.Destroy(id); err != nil {
		return err
	}
	if d.shown == id {
		d.shown = 0
		d.check("blank the screen", d.sink.Blank())
		if _, ok := d.screen(d.wanted); ok {
			d.choose() // another output of the same guest
		}
	}
	return nil
}

// SetCursor changes the mouse pointer of a surface and its place.
func (s *Source) SetCursor(id presentation.ID, c presentation.Cursor, at image.Point) {
	d := s.display
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cursors[id] = &pointer{c, at}
	if d.shown == id {
		d.drawCursor(id)
	}
}

// MoveCursor moves the mouse pointer of a surface.
func (s *Source) MoveCursor(id presentation.ID, at image.Point) {
	d := s.display
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.cursors[id]
	if !ok {
		return // there is no pointer to be moved
	}
	p.at = at
	if d.shown == id {
		d.check("move the cursor", d.sink.MoveCursor(at))
	}
}
