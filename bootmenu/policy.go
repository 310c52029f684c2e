package bootmenu

import (
	"fmt"
	"slices"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/markers"
)

// WaitForever as a time-out shows the menu until a person chooses.
const WaitForever = -1

// Config is what loader.conf, the Boot Loader Interface and the firmware say.
type Config struct {
	TimeoutSeconds int    // 0 starts at once without a menu; WaitForever never starts by itself
	Default        string // entry ID or shell pattern, may be empty
	OneShot        string // entry ID or shell pattern for this boot only, may be empty; consumed already
	Editor         bool   // the command line may be edited (loader.conf editor, no Secure Boot)
	Setup          bool   // the firmware can enter its setup
	Heading        string // first line of the screen
	Notice         string // something a person should read first, may be empty
}

// Phase is where the machine stands.
type Phase uint8

// The phases, named as users see them.
const (
	Idle            Phase = iota // before power-on was reported, and while what it told is saved
	Displayed                    // the menu is on screen; keys and ticks are awaited
	Selected                     // an entry was chosen; its attempt is being recorded
	Booting                      // it is being loaded and started
	RecoveryPending              // a golden snapshot was chosen; its attempt is being recorded
	Recovering                   // it is being verified and started
)

// noCountdown stands for a menu that waits for a person.
const noCountdown = -1

// State is all that the policy remembers since power-on. The zero value is the
// state before power-on.
type State struct {
	Phase   Phase
	entries []Entry // in menu order, never changed in place
	config  Config

	record    record.Record // as it is to be
	stored    record.Record // as it is on disk
	nonce     record.Nonce
	snapshots []Snapshot // those not refused yet
	attempt   attempt

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
	case StateSaved:
		return s.stateSaved(e)
	case TryCounted:
		return s.tryCounted(e)
	case StartFailed:
		if s.Phase == Booting || s.Phase == Recovering {
			return s.startFailed(e)
		}
	case DefaultSaved:
		return s.defaultSaved(e), nil
	case ActionFailed:
		return s.show(fmt.Sprintf("%s: %s", e.Action, e.Problem), noCountdown), nil
	}
	return s, nil
}

// decide chooses what is started first, and shows the menu or starts at once.
func (s State) decide() (State, []Effect) {
	if wish := s.config.OneShot; wish != "" && s.find(wish) < 0 {
		s.notice = fmt.Sprintf("%q was asked for once, but it is not here or may not be started by itself.", wish)
	}
	choice, reason, ok := s.choose()
	if !ok {
		return s.stop(s.notice)
	}
	s.cursor, s.pending = choice, reason
	if s.config.TimeoutSeconds == 0 && !s.person {
		return s.start(choice, reason, s.entries[choice].Options)
	}
	countdown := s.config.TimeoutSeconds
	if s.person || countdown < 0 {
		countdown = noCountdown
	}
	return s.show(s.notice, countdown), nil
}

// choose is the order of choice: golden if the machine is to be recovered, then
// one-shot, default, first.
func (s *State) choose() (index int, reason markers.SelectReason, ok bool) {
	if s.recovery() != "" {
		if s.record.RecoveryAttempts >= RecoveryLimit {
			return -1, "", false
		}
		if i := s.golden(); i >= 0 {
			return i, markers.ReasonRecovery, true
		}
	}
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
		return s.automatic(&e) && (esp.MatchID(pattern, e.ID) || esp.MatchID(pattern, e.LoaderID) || record.Key(e.ID) == pattern)
	})
}

// first is the first entry that may be started without a person, or -1.
func (s *State) first() int {
	return slices.IndexFunc(s.entries, func(e Entry) bool { return s.automatic(&e) })
}

// golden is the menu's line for the golden snapshots, or -1.
func (s *State) golden() int {
	if len(s.snapshots) == 0 {
		return -1
	}
	return slices.IndexFunc(s.entries, func(e Entry) bool { return e.Kind == markers.KindGolden })
}

// automatic reports whether the policy may start e without a person.
func (s *State) automatic(e *Entry) bool { return e.startsAlone() && !s.disabled(e) }

// disabled reports whether e has failed too often, or an operator disabled it.
func (s *State) disabled(e *Entry) bool {
	item := s.record.Find(record.Key(e.ID))
	return item != nil && item.Disabled
}

// recovery is why the machine is to be recovered, empty if it is not.
func (s *State) recovery() markers.RecoveryReason {
	if s.record.Recovery == "" && len(s.snapshots) > 0 && s.first() < 0 {
		return markers.RecoverNoEntry
	}
	return s.record.Recovery
}

func (s State) show(notice string, countdown int) State {
	s.Phase, s.notice, s.countdown, s.editor = Displayed, notice, countdown, nil
	return s
}

// stop shows the menu, which waits for a person, and says why.
func (s State) stop(notice string) (State, []Effect) {
	why := "nothing can be started by itself"
	if s.recovery() != "" && s.record.RecoveryAttempts >= RecoveryLimit {
		why = fmt.Sprintf("%d starts of a golden snapshot were not good", s.record.RecoveryAttempts)
	}
	if notice != "" {
		notice += " "
	}
	return s.show(notice+"Stopped: "+why+". Choose an entry, or mend the disk from another system with rayimg; see the keys below.", noCountdown),
		[]Effect{Emit{markers.BootmgrStopped{Reason: why}}}
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

func (s State) defaultSaved(e DefaultSaved) State {
	if e.Problem != "" {
		s.notice = fmt.Sprintf("%s was not made the default: %s", e.ID, e.Problem)
		return s
	}
	s.config.Default = e.ID
	s.notice = fmt.Sprintf("%s is the default from now on.", e.ID)
	return s
}
