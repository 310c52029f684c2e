package host

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/presentation/picture"
)

// Answer does what is asked for, see [guests.Request], and tells how everything stands.
func (h *Host) Answer(question []byte) []byte {
	var r guests.Request
	err := json.Unmarshal(question, &r)
	if err == nil {
		err = h.do(r)
	}
	a := guests.Answer{Guests: h.states(), Wanted: h.display.Wanted()}
	if err != nil {
		a.Error = err.Error()
	}
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // answers can be marshalled
	}
	return text
}

func (h *Host) do(r guests.Request) error {
	switch r.Verb {
	case guests.VerbList:
		return nil
	case guests.VerbShow:
		return h.show(r.Guest)
	case guests.VerbHide:
		h.hide()
		return nil
	case guests.VerbScreenshot:
		return h.screenshot(r.Guest, r.File)
	}
	g, err := h.find(r.Guest)
	if err != nil {
		return err
	}
	switch r.Verb {
	case guests.VerbStart:
		return g.start()
	case guests.VerbStop:
		return g.stop(r.Force)
	}
	return fmt.Errorf("there is no request %q", r.Verb)
}

// states tells how the guests stand.
func (h *Host) states() []guests.State {
	var all []guests.State
	shown := h.shown.guest()
	for _, g := range h.guests {
		to := g.state(clock{}.Now())
		if s, ok := h.surface(to.Name); ok {
			to.Picture, to.Width, to.Height = true, s.Size.X, s.Size.Y
			to.Frames, to.Rate = s.Stats.Frames, s.Stats.Rate
			to.P50, to.P99 = s.Stats.Latency.P50.Seconds()*1000, s.Stats.Latency.P99.Seconds()*1000
		}
		to.Shown = to.Name == shown
		all = append(all, to)
	}
	return all
}

// screenshot writes what a guest shows into a file: a given guest, the one that is shown, or the only one with a picture.
func (h *Host) screenshot(name, file string) error {
	if !filepath.IsAbs(file) {
		return fmt.Errorf("%q is no absolute path of a picture", file)
	}
	if err := picture.Check(file); err != nil {
		return err
	}
	for _, s := range h.states() {
		if name == "" && (s.Shown || s.Picture && h.shown.guest() == "") {
			name = s.Name
		}
	}
	if name == "" {
		return fmt.Errorf("no guest has drawn anything: start one with guest start or show")
	}
	if _, err := h.find(name); err != nil {
		return err
	}
	shot, err := h.display.Screenshot(name)
	if err != nil {
		return err
	}
	return picture.Save(file, shot)
}
