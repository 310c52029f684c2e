// Package display puts the bridge of presentation between several guests and
// one sink, and is what they may all use at the same time. It decides which
// guest's screen the sink shows. It does not know where guests come from.
package display

import (
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation"
)

// ErrNothing says that a guest shows nothing now.
var ErrNothing = errors.New("nothing is shown by this guest")

// Display shows the screen of at most one guest on its sink. All its methods
// may be called by several goroutines at the same time.
type Display struct {
	mu     sync.Mutex
	bridge *presentation.Bridge
	sink   presentation.Sink
	report func(error)

	wanted  string          // the guest that is to be shown; empty for none
	shown   presentation.ID // what the sink shows; 0 for nothing
	cursors map[presentation.ID]*pointer
}

// pointer is the mouse pointer of a surface.
type pointer struct {
	image presentation.Cursor
	at    image.Point
}

// New makes a display that shows nothing. emit is told what happens, report of
// what the sink could not do; both are called while the display is locked, so
// they must not call it. A sink that says through a method Changed that its screen is
// another one, as a screen.Screen does, gets the whole picture then.
func New(sink presentation.Sink, emit func(markers.Emitter), report func(error)) *Display {
	d := &Display{
		bridge: presentation.New(time.Now, emit), sink: sink, report: report,
		cursors: make(map[presentation.ID]*pointer),
	}
	if s, ok := sink.(interface{ Changed() <-chan struct{} }); ok {
		if changed := s.Changed(); changed != nil {
			go d.follow(changed)
		}
	}
	return d
}

// follow draws all anew at each change, until the sink is closed.
func (d *Display) follow(changed <-chan struct{}) {
	for range changed {
		d.mu.Lock()
		if d.shown != 0 {
			d.check("draw on a screen that has changed", d.bridge.Renew(d.shown))
			d.draw(d.shown)
			d.drawCursor(d.shown)
		}
		d.mu.Unlock()
	}
}

// Show shows the screen of a guest instead of what was shown, now or as soon as
// the guest has drawn something. It reports whether it is shown now.
func (d *Display) Show(guest string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = guest
	d.choose()
	return d.shown != 0
}

// ShowNone shows nothing any more.
func (d *Display) ShowNone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = ""
	d.choose()
}

// Wanted returns the guest that is shown, or will be once it has drawn
// something; it is empty for none.
func (d *Display) Wanted() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wanted
}

// Surfaces returns all screens of all guests.
func (d *Display) Surfaces() []presentation.Surface {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bridge.Surfaces()
}

// Screenshot returns a copy of what a guest shows, whether the sink shows it or
// not. It fails with [ErrNothing] for a guest without a picture.
func (d *Display) Screenshot(guest string) (*image.NRGBA, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.screen(guest)
	if !ok {
		return nil, fmt.Errorf("take a picture of %s: %w", guest, ErrNothing)
	}
	p, err := d.bridge.Picture(s.ID)
	if err != nil {
		return nil, fmt.Errorf("take a picture of %s: %w: %w", guest, ErrNothing, err)
	}
	return p.Image(), nil
}

// screen returns the surface that is shown of a guest: its first output that
// has a picture.
func (d *Display) screen(guest string) (presentation.Surface, bool) {
	var best presentation.Surface
	for _, s := range d.bridge.Surfaces() {
		if guest != "" && s.Guest == guest && s.State != presentation.Created && (best.ID == 0 || s.Output < best.Output) {
			best = s
		}
	}
	return best, best.ID != 0
}

// choose makes the sink show what is wanted.
func (d *Display) choose() {
	s, ok := d.screen(d.wanted)
	switch {
	case s.ID == d.shown:
		return
	case d.shown != 0:
		d.check("hide", d.bridge.Hide(d.shown))
	}
	if d.shown = s.ID; !ok {
		d.check("blank the screen", d.sink.Blank())
		return
	}
	d.check("present", d.bridge.Present(s.ID))
	d.draw(s.ID)
	d.drawCursor(s.ID)
}

// draw draws the newest frame of a surface.
func (d *Display) draw(id presentation.ID) {
	shot, ok := d.bridge.Take(id)
	if !ok {
		return
	}
	bytes, err := d.sink.Draw(shot.Picture, shot.Damage)
	if err != nil {
		d.check("draw", err)
		return
	}
	d.bridge.Drawn(shot, bytes)
}

func (d *Display) drawCursor(id presentation.ID) {
	var p pointer // of a guest that has none
	if known, ok := d.cursors[id]; ok {
		p = *known
	}
	d.check("show the cursor", d.sink.SetCursor(p.image))
	d.check("move the cursor", d.sink.MoveCursor(p.at))
}

// check reports what could not be done; the guests go on.
func (d *Display) check(what string, err error) {
	if err != nil {
		d.report(fmt.Errorf("%s: %w; the guest goes on", what, err))
	}
}
