package presentation

import (
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/rayos/rayboot/markers"
)

// Errors of a bridge, in the chains of what its methods return.
var (
	ErrNoSurface = errors.New("no such surface")
	ErrTooMany   = errors.New("too many surfaces")
	ErrState     = errors.New("not possible in this state")
)

// updateEvery is how often FRAME_UPDATE is emitted for one surface at most.
const updateEvery = time.Second

// Bridge holds the surfaces. It is used by one goroutine at a time.
type Bridge struct {
	surfaces [MaxSurfaces]surface // a slot whose state is Destroyed, or whose ID is 0, is free
	last     ID
	now      func() time.Time
	emit     func(markers.Emitter)
}

// New makes a bridge without surfaces. It reads the time from now and tells
// emit what happens.
func New(now func() time.Time, emit func(markers.Emitter)) *Bridge {
	return &Bridge{now: now, emit: emit}
}

// CreateSurface makes a surface for a screen of a guest, with the size that the
// guest says it will have.
func (b *Bridge) CreateSurface(guest string, output int, size image.Point) (ID, error) {
	if size.X < 1 || size.X > MaxSide || size.Y < 1 || size.Y > MaxSide || output < 0 {
		return 0, fmt.Errorf("create surface: %w: output %d of %d by %d pixels, 1 to %d are taken", ErrFrame, output, size.X, size.Y, MaxSide)
	}
	for i := range b.surfaces {
		s := &b.surfaces[i]
		if s.ID != 0 && s.State != Destroyed {
			continue
		}
		b.last++
		*s = surface{Surface: Surface{ID: b.last, Guest: guest, Output: output, Size: size}}
		b.emit(markers.PresentationSurfaceCreate{ID: uint32(s.ID), Guest: guest, Width: size.X, Height: size.Y})
		return s.ID, nil
	}
	return 0, fmt.Errorf("create surface of %s: %w: there are %d", guest, ErrTooMany, MaxSurfaces)
}

func (b *Bridge) find(id ID) (*surface, error) {
	for i := range b.surfaces {
		if s := &b.surfaces[i]; s.ID == id && id != 0 && s.State != Destroyed {
			return s, nil
		}
	}
	return nil, fmt.Errorf("surface %d: %w", id, ErrNoSurface)
}

// UpdateFrame gives a surface its next frame. A frame that was not taken by
// then is never shown; its damage is added to that of the new one.
func (b *Bridge) UpdateFrame(id ID, u Update) error {
	s, err := b.find(id)
	if err != nil {
		return err
	}
	if u.Picture.Empty() {
		return fmt.Errorf("surface %d: %w: the picture is empty", id, ErrFrame)
	}
	first := s.State == Created
	s.setPicture(u.Picture)
	for _, r := range u.Damage {
		s.damage.Add(r.Intersect(u.Picture.Bounds()))
	}
	now := b.now()
	if u.Since.IsZero() {
		u.Since = now
	}
	if s.fresh {
		s.Stats.Replaced++
	} else {
		s.since = u.Since
	}
	s.fresh = true
	s.meter.frame(now)
	s.Stats.Frames++
	b.tell(s, first, now)
	return nil
}

// tell counts the frame and emits its marker.
func (b *Bridge) tell(s *surface, first bool, now time.Time) {
	if first {
		s.State, s.told = FrameReceived, now
		b.emit(markers.PresentationFirstFrame{ID: uint32(s.ID), Seq: s.Seq})
		return
	}
	s.Seq++
	if now.Sub(s.told) >= updateEvery {
		s.told = now
		b.emit(markers.PresentationFrameUpdate{ID: uint32(s.ID), Seq: s.Seq})
	}
}

// setPicture puts a picture in the place of the one before. If it has another
// size or format, or there was none, all of it is damage.
func (s *surface) setPicture(p Picture) {
	if s.picture.Bounds() != p.Bounds() || s.picture.format != p.format {
		s.damage.Clear()
		s.damage.Add(p.Bounds())
	}
	s.picture, s.Size = p, p.Bounds().Max
}

// MovePicture says where the pixels of a surface lie from now on: the same
// pixels, elsewhere. It is called when a guest's memory is mapped anew, and with
// an empty picture before it is unmapped. It is not a frame. A surface that has
// never had a frame gets none by this.
func (b *Bridge) MovePicture(id ID, p Picture) error {
	s, err := b.find(id)
	switch {
	case err != nil:
		return err
	case p.Empty():
		s.picture = Picture{}
	case s.State != Created:
		s.setPicture(p)
	}
	return nil
}

// Present shows a surface from now on, at first all of its picture. It fails
// with [ErrState] before the first frame.
func (b *Bridge) Present(id ID) error {
	s, err := b.find(id)
	switch {
	case err != nil:
		return err
	case s.State == Presented:
		return nil
	case s.State == Created:
		return fmt.Errorf("present surface %d: %w: it has no frame yet", id, ErrState)
	}
	s.State = Presented
	b.renew(s)
	b.emit(markers.PresentationPresented{ID: uint32(id)})
	return nil
}

// Renew has all of a surface that is presented drawn again, as when a screen was
// plugged in. It is not a frame. It fails with [ErrState] for one that is not presented.
func (b *Bridge) Renew(id ID) error {
	s, err := b.find(id)
	switch {
	case err != nil:
		return err
	case s.State != Presented:
		return fmt.Errorf("draw surface %d again: %w: it is not shown", id, ErrState)
	}
	b.renew(s)
	return nil
}

func (b *Bridge) renew(s *surface) {
	s.damage.Clear()
	s.damage.Add(s.picture.Bounds())
	s.fresh, s.since = true, b.now()
}

// Hide shows a surface no more. It keeps its picture, and takes new frames.
// It fails with [ErrState] for a surface that was never presented.
func (b *Bridge) Hide(id ID) error {
	s, err := b.find(id)
	switch {
	case err != nil:
		return err
	case s.State == Hidden:
		return nil
	case s.State != Presented:
		return fmt.Errorf("hide surface %d: %w: it is not shown", id, ErrState)
	}
	s.State = Hidden
	b.emit(markers.PresentationHidden{ID: uint32(id)})
	return nil
}

// Destroy removes a surface; one that is shown is hidden before.
func (b *Bridge) Destroy(id ID) error {
	s, err := b.find(id)
	if err != nil {
		return err
	}
	if s.State == Presented {
		_ = b.Hide(id) // cannot fail: it exists and is presented
	}
	*s = surface{Surface: Surface{ID: id, State: Destroyed}}
	b.emit(markers.PresentationDestroy{ID: uint32(id)})
	return nil
}
