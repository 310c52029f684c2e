package host

import (
	"errors"
	"fmt"
	"image"
	"strings"
	"sync"

	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation"
)

// shown follows which guest is on the screen, by what the display emits.
type shown struct {
	tell    *teller
	changed func()

	mu     sync.Mutex
	owners map[uint32]string // of surfaces
	frames map[uint32]uint64 // of surfaces, when a FRAME_UPDATE was told
	now    string            // the guest that is on the screen
	round  bool              // the chord goes to the next guest
}

func newShown(tell *teller, changed func()) *shown {
	return &shown{tell: tell, changed: changed, owners: map[uint32]string{}, frames: map[uint32]uint64{}}
}

// emit is told what happens, while the display is locked.
func (s *shown) emit(m markers.Emitter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, ok := m.(markers.PresentationFrameUpdate); ok {
		if u.Seq < 2*s.frames[u.ID] {
			return // or a guest that moves would fill the log within hours
		}
		s.frames[u.ID] = u.Seq
	}
	s.tell.line(m.Marker().String())
	switch m := m.(type) {
	case markers.PresentationSurfaceCreate:
		s.owners[m.ID] = m.Guest
	case markers.PresentationDestroy:
		delete(s.owners, m.ID)
		delete(s.frames, m.ID)
	case markers.PresentationPresented:
		s.now = s.owners[m.ID]
		s.changed()
	case markers.PresentationHidden:
		s.now = ""
		s.changed()
	}
}

// guest is the one that is on the screen now; empty for none.
func (s *shown) guest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shown) setTurns(turns bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.round = turns
}

func (s *shown) turns() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.round
}

// show shows a guest, or all of them in turns, and starts those that do not run.
func (h *Host) show(name string) error {
	if _, err := h.screen.open(); err != nil {
		return fmt.Errorf("%w; show --screenshot works without a screen", err)
	}
	if name != guests.All {
		g, err := h.find(name)
		if err != nil {
			return err
		}
		if err := g.start(); err != nil {
			return err
		}
		h.shown.setTurns(false)
		h.display.Show(name)
		return nil
	}
	var first string
	var problems error
	for _, g := range h.guests {
		if err := g.start(); err != nil {
			problems = errors.Join(problems, fmt.Errorf("%s: %w", g.name(), err))
			continue
		}
		if first == "" {
			first = g.name()
		}
	}
	if first == "" {
		return problems
	}
	if problems != nil {
		h.tell.say("not shown: %v", problems)
	}
	h.shown.setTurns(true)
	h.display.Show(first)
	return nil
}

// hide shows no guest any more.
func (h *Host) hide() {
	h.shown.setTurns(false)
	h.display.ShowNone()
}

// leave shows a guest no more, if it is the one that is to be shown.
func (h *Host) leave(name string) {
	if h.display.Wanted() == name {
		h.hide()
	}
}

// chord is what Ctrl+Alt+Esc does: it returns to the console, or, while all are shown in turns, goes to the next guest
// and after the last one to the console.
func (h *Host) chord() {
	if h.shown.turns() {
		if next := h.after(h.display.Wanted()); next != "" {
			h.display.Show(next)
			return
		}
	}
	h.hide()
	h.tell.say("back from the guest; %s. show NAME shows one, Ctrl+Alt+Esc comes back here", h.menu())
}

// after returns the next guest in the order that has a picture.
func (h *Host) after(name string) string {
	behind := false
	for _, g := range h.guests {
		if _, ok := h.surface(g.name()); ok && behind {
			return g.name()
		}
		behind = behind || g.name() == name
	}
	return ""
}

// menu tells in words which guests there are.
func (h *Host) menu() string {
	var words []string
	for _, s := range h.states() {
		words = append(words, s.Name+": "+s.Condition)
	}
	return strings.Join(words, ", ")
}

// surface is the one that is shown of a guest, if it has a picture.
func (h *Host) surface(name string) (best presentation.Surface, ok bool) {
	for _, s := range h.display.Surfaces() {
		if s.Guest == name && s.State != presentation.Created && (!ok || s.Output < best.Output) {
			best, ok = s, true
		}
	}
	return best, ok
}

func (h *Host) pictureSize(name string) image.Point {
	s, _ := h.surface(name)
	return s.Size
}
