package kms

import (
	"errors"
	"fmt"
	"image"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/canvas"
)

// ready sees to it that there is a card, a mode for a picture of that size, and buffers. lit is true where the buffers are
// new: nothing is painted in them, and they are not shown yet. Without a screen there are none.
func (s *Screen) ready(size image.Point) (lit bool, err error) {
	if s.changed.Swap(false) || s.card == nil || s.frames == nil {
		if err := s.probe(); errors.Is(err, ErrNoScreen) && s.card != nil {
			return false, s.drop()
		} else if err != nil {
			return false, err
		}
	}
	m, ok := choose(s.head.modes, size)
	if !ok {
		return false, s.drop()
	}
	if s.frames != nil && m == s.mode && s.lit == s.head.connector {
		return false, nil
	}
	if err := s.drop(); err != nil {
		return false, err
	}
	if err := s.allocate(m.size()); err != nil {
		return false, err
	}
	s.mode, s.lit, s.dirties = m, s.head.connector, true
	return true, nil
}

// allocate makes two buffers, or one where the card's memory has no room for more.
func (s *Screen) allocate(size image.Point) error {
	for i := range 2 {
		b, err := s.card.create(size)
		if err != nil && i > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		s.frames = append(s.frames, &frame{buffer: b, canvas: canvas.New(b.Target)})
	}
	return nil
}

// show sets the mode, with a frame that is painted.
func (s *Screen) show(f *frame) error {
	if err := s.card.set(s.head, s.mode, f.buffer); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", s.path, err), s.drop())
	}
	return s.cursor.appear(s)
}

// drop frees the buffers.
func (s *Screen) drop() error {
	if s.flipped {
		s.flipped = false
		_ = s.card.wait() // a late flip is no reason to keep them
	}
	var err error
	for _, f := range s.frames {
		err = errors.Join(err, s.card.destroy(f.buffer))
	}
	s.frames = nil
	return err
}

// Blank gives the card back. The kernel's text console is on the screen again.
func (s *Screen) Blank() error {
	if s.card == nil {
		return nil
	}
	err := s.cursor.vanish(s)
	s.card.giveBack() // before the buffers go, so that the screen is never dark
	err = errors.Join(err, s.drop(), s.card.close())
	s.card, s.painter = nil, canvas.Painter{}
	return err
}

// Close is Blank for good.
func (s *Screen) Close() error {
	err := s.Blank()
	if s.watch != nil {
		err = errors.Join(err, s.watch.close())
	}
	return err
}

// SetCursor shows the guest's pointer: by the card where that can, otherwise painted into the picture.
func (s *Screen) SetCursor(c presentation.Cursor) error {
	s.cursor.Cursor = c
	return s.cursor.update(s, true)
}

// MoveCursor puts the pointer's hot spot at a point of the picture.
func (s *Screen) MoveCursor(at image.Point) error {
	s.cursor.at = at
	return s.cursor.update(s, false)
}
