package bootmenu

import (
	"fmt"
	"slices"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/markers"
)

// WaitForever as a time-out shows the menu until a person chooses.
const WaitForever = -1

// Config is what loader.conf, the Boot Loader Interface and the firmware say.
type Config struct {
	TimeoutSeconds int    // 0 starts at once without a menu; WaitForever never starts by itself
	Default        string // entry ID or shell pattern, may be empty
	OneShot        string // entry ID or shell pattern for this boot only, may be empty
	Editor         bool   // the command line may be edited (loader.conf editor, no Secure Boot)
	Setup          bool   // the firmware can enter its setup
	Heading        string // first line of the screen
	Notice         string // something a person should read first, may be empty
}

// Phase is where the machine stands.
type Phase uint8

// The phases, named as users see them.
const (
	Idle      Phase = iota // before power-on was reported
	Displayed              // the menu is on screen; keys and ticks are awaited
	Selected               // an entry was chosen and is being loaded and started
)

// noCountdown stands for a menu that waits for a person.
const noCountdown = -1

// State is all that the policy remembers since power-on. The zero value is the
// state before power-on.
type State struct {
	Phase   Phase
	entries []Entry // in menu order, never changed in place
	config  Config

	cursor    int // index of the highlighted entry
	countdown int // seconds left, or noCountdown
	pending   markers.SelectReason
	person    bool // a key was pressed since power-on
	notice    string
	editor    *editor
}

// Step is the boot policy: deterministic, total, without input or output. The
// effects are to be executed in order; what comes of them is the next event.
func Step(s State, event Event) (State, []Effect) {
	switch e := event.(type) {
	case PoweredOn:
		return powerOn(e)
	case Tick:
		return s.tick()
	case KeyPressed:
		if s.Phase == Displayed {
			return s.press(e.Key)
		}
	case StartFailed:
		if s.Phase == Selected {
			return s.startFailed(e)
		}
	case DefaultSaved:
		return s.defaultSaved(e), nil
	case ActionFailed:
		return s.show(fmt.Sprintf("%s: %s", e.Action, e.Problem), noCountdown), nil
	}
	return s, nil
}

func powerOn(e PoweredOn) (State, []Effect) {
	s := State{
		entries:   slices.Clone(e.Entries[:min(len(e.Entries), MaxEntries)]),
		config:    e.Config,
		countdown: noCountdown,
		notice:    e.Config.Notice,
	}
	if wish := e.Config.OneShot; wish != "" && s.find(wish) < 0 {
		s.notice = fmt.Sprintf("%q was asked for once, but it is not here or has no tries left.", wish)
	}
	choice, reason, ok := s.choose()
	if !ok {
		return s.show(nothingToStart, noCountdown), nil
	}
	s.cursor, s.pending = choice, reason
	if e.Config.TimeoutSeconds == 0 && !e.KeyWaiting {
		return s.start(choice, reason, s.entries[choice].Options)
	}
	s.person = e.KeyWaiting
	countdown := e.Config.TimeoutSeconds
	if e.KeyWaiting || countdown < 0 {
		countdown = noCountdown
	}
	return s.show(s.notice, countdown), nil
}

const nothingToStart = "No entry can be started by itself: choose one, or use a key below."

// choose is the order of choice: one-shot, default, first.
func (s *State) choose() (index int, reason markers.SelectReason, ok bool) {
	for _, wish := range []struct {
		pattern string
		reason  markers.SelectReason
	}{{s.config.OneShot, markers.ReasonOneShot}, {s.config.Default, markers.ReasonDefault}} {
		if i := s.find(wish.pattern); i >= 0 {
			return i, wish.reason, true
		}
	}
	i := s.first()
	return i, markers.ReasonFirst, i >= 0
}

// find is the first entry whose ID matches the pattern and that may be started
// without a person, or -1.
func (s *State) find(pattern string) int {
	if pattern == "" {
		return -1
	}
	return slices.IndexFunc(s.entries, func(e Entry) bool {
		return e.automatic() && (esp.MatchID(pattern, e.ID) || esp.MatchID(pattern, e.LoaderID))
	})
}

// first is the first entry that may be started without a person, or -1.
func (s *State) first() int {
	return slices.IndexFunc(s.entries, func(e Entry) bool { return e.automatic() })
}

func (s State) show(notice string, countdown int) State {
	s.Phase, s.notice, s.countdown, s.editor = Displayed, notice, countdown, nil
	return s
}

func (s State) start(index int, reason markers.SelectReason, options string) (State, []Effect) {
	e := &s.entries[index]
	s.Phase, s.cursor, s.countdown, s.editor = Selected, index, noCountdown, nil
	if e.Kind == markers.KindSetup {
		return s, []Effect{EnterSetup{}}
	}
	return s, []Effect{Start{ID: e.ID, Options: options, Reason: reason}}
}

// Counting reports whether ticks matter: without a countdown, only a key does.
func (s State) Counting() bool { return s.countdown != noCountdown }

func (s State) tick() (State, []Effect) {
	if s.Phase != Displayed || !s.Counting() {
		return s, nil
	}
	if s.countdown > 1 {
		s.countdown--
		return s, nil
	}
	return s.start(s.cursor, s.pending, s.entries[s.cursor].Options)
}

// startFailed marks the entry and falls through to the next choice: at once on
// an unattended machine, with the menu and a countdown in front of a person.
func (s State) startFailed(e StartFailed) (State, []Effect) {
	s.entries = slices.Clone(s.entries)
	title := e.ID
	if i := slices.IndexFunc(s.entries, func(x Entry) bool { return x.ID == e.ID }); i >= 0 {
		s.entries[i].problem = e.Problem
		title = s.entries[i].Title
	}
	notice := fmt.Sprintf("%s did not start: %s", title, e.Problem)
	next := s.find(s.config.Default)
	if next < 0 {
		next = s.first()
	}
	if next < 0 {
		return s.show(notice+". "+nothingToStart, noCountdown), nil
	}
	s.cursor, s.pending = next, markers.ReasonFallback
	if s.person {
		return s.show(notice, max(s.config.TimeoutSeconds, defaultFallbackSeconds)), nil
	}
	s.notice = notice
	return s.start(next, markers.ReasonFallback, s.entries[next].Options)
}

// defaultFallbackSeconds is how long a person can read why an entry failed
// before the next choice is started.
const defaultFallbackSeconds = 5

func (s State) defaultSaved(e DefaultSaved) State {
	if e.Problem != "" {
		s.notice = fmt.Sprintf("%s was not made the default: %s", e.ID, e.Problem)
		return s
	}
	s.config.Default = e.ID
	s.notice = fmt.Sprintf("%s is the default from now on.", e.ID)
	return s
}
