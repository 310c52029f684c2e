package presentation

import (
	"fmt"
	"image"
	"time"
)

// FrameAvailable reports whether the surface has a frame that was not taken.
func (b *Bridge) FrameAvailable(id ID) bool {
	s, err := b.find(id)
	return err == nil && s.fresh && !s.picture.Empty()
}

// Shot is a frame that was taken to be shown.
type Shot struct {
	ID      ID
	Seq     uint64
	Picture Picture
	Damage  []image.Rectangle // what is to be drawn; they do not overlap
	Since   time.Time         // when the guest asked for it
}

// Take takes the newest frame of a surface, with all that has changed since the
// one that was taken before. ok is false if there is none. The frame counts as
// shown by [Bridge.Drawn].
func (b *Bridge) Take(id ID) (shot Shot, ok bool) {
	if !b.FrameAvailable(id) {
		return Shot{}, false
	}
	s, _ := b.find(id) // exists, as it has a frame
	s.fresh = false
	shot = Shot{id, s.Seq, s.picture, append([]image.Rectangle(nil), s.damage.Rects()...), s.since}
	s.damage.Clear()
	return shot, true
}

// Drawn says that a frame that was taken is on the screen now, for the
// statistics, and that it took the copying of so many bytes.
func (b *Bridge) Drawn(shot Shot, bytes int) {
	if s, err := b.find(shot.ID); err == nil && bytes >= 0 {
		s.Stats.Drawn++
		s.Stats.Bytes += uint64(bytes)
		s.meter.latency(b.now().Sub(shot.Since))
	}
}

// Picture returns the newest picture of a surface, taken or not; it changes
// nothing. The picture is valid until the source that owns its memory goes on.
func (b *Bridge) Picture(id ID) (Picture, error) {
	s, err := b.find(id)
	if err != nil {
		return Picture{}, err
	}
	if s.picture.Empty() {
		return Picture{}, fmt.Errorf("surface %d: %w: there is no picture", id, ErrFrame)
	}
	return s.picture, nil
}

// Surfaces returns all surfaces by their ID.
func (b *Bridge) Surfaces() []Surface {
	return b.list(func(s *surface) bool { return true })
}

// Presented returns the surfaces that are shown, by their ID.
func (b *Bridge) Presented() []Surface {
	return b.list(func(s *surface) bool { return s.State == Presented })
}

func (b *Bridge) list(want func(*surface) bool) []Surface {
	var all []Surface
	for id := ID(0); ; {
		next := (*surface)(nil)
		for i := range b.surfaces {
			s := &b.surfaces[i]
			if s.State != Destroyed && s.ID > id && (next == nil || s.ID < next.ID) {
				next = s
			}
		}
		if next == nil {
			return all
		}
		if id = next.ID; want(next) {
			one := next.Surface
			one.Stats = next.meter.stats(next.Stats, b.now())
			all = append(all, one)
		}
	}
}
