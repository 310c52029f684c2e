package bootmenu

import "github.com/rayos/rayboot/markers"

// Code names a key without a printable character.
type Code uint8

// The keys that the menu knows besides characters.
const (
	Character Code = iota // Key.Rune says which
	Up
	Down
	Left
	Right
	Home
	End
	PageUp
	PageDown
	Enter
	Escape
	Backspace
	Delete
	Other // any key without a meaning here; it still stops the countdown
)

// Key is one key press, whatever keyboard or serial line it came from.
type Key struct {
	Code Code
	Rune rune // for Character
}

// press handles a key in the menu. Any key stops the countdown.
func (s State) press(k Key) (State, []Effect) {
	s.person = true
	s.countdown = noCountdown
	if s.editor != nil {
		return s.pressInEditor(k)
	}
	last := len(s.entries) - 1
	switch k.Code {
	case Up:
		return s.moveTo(s.cursor - 1), nil
	case Down:
		return s.moveTo(s.cursor + 1), nil
	case Home, PageUp:
		return s.moveTo(0), nil
	case End, PageDown:
		return s.moveTo(last), nil
	case Enter:
		if last < 0 {
			return s, nil
		}
		return s.start(s.cursor, markers.ReasonUser, s.entries[s.cursor].Options)
	case Character:
		return s.pressCharacter(k.Rune)
	}
	return s, nil
}

func (s State) pressCharacter(r rune) (State, []Effect) {
	switch r {
	case 'k', 'K':
		return s.moveTo(s.cursor - 1), nil
	case 'j', 'J':
		return s.moveTo(s.cursor + 1), nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if i := int(r - '1'); i < len(s.entries) {
			return s.moveTo(i), nil
		}
	case '0':
		if len(s.entries) >= 10 {
			return s.moveTo(9), nil
		}
	case 'e', 'E':
		return s.edit(), nil
	case 'd', 'D':
		return s.makeDefault()
	case 'r', 'R':
		return s.recover()
	case 'f', 'F':
		if !s.config.Setup {
			s.notice = "This firmware offers no way into its setup from here."
			return s, nil
		}
		return s, []Effect{EnterSetup{}}
	case 'p', 'P':
		return s, []Effect{PowerOff{}}
	}
	return s, nil
}

// moveTo highlights an entry; out of range stays at the edge.
func (s State) moveTo(index int) State {
	s.cursor = max(0, min(index, len(s.entries)-1))
	s.notice = ""
	return s
}

func (s State) makeDefault() (State, []Effect) {
	if len(s.entries) == 0 {
		return s, nil
	}
	e := s.entries[s.cursor]
	switch {
	case e.Kind == markers.KindSetup:
		s.notice = "The firmware's setup cannot be the default."
		return s, nil
	case e.Kind == markers.KindGolden:
		s.notice = "A golden snapshot is for recovery and cannot be the default."
		return s, nil
	}
	return s, []Effect{SaveDefault{ID: e.ID}}
}

// recover starts the newest golden snapshot, or else the recovery entry.
func (s State) recover() (State, []Effect) {
	if i := s.golden(); i >= 0 {
		return s.start(i, markers.ReasonUser, "")
	}
	for i, e := range s.entries {
		if e.Recovery {
			return s.start(i, markers.ReasonUser, e.Options)
		}
	}
	s.notice = "There is neither a golden snapshot nor a recovery entry on this disk."
	return s, nil
}

func (s State) edit() State {
	switch {
	case len(s.entries) == 0:
	case !s.config.Editor:
		s.notice = "Command lines are locked: Secure Boot is on, or loader.conf says editor no."
	case !s.entries[s.cursor].Editable:
		s.notice = "This entry's command line cannot be changed."
	default:
		s.notice = ""
		s.editor = newEditor(s.entries[s.cursor].Options)
	}
	return s
}

func (s State) pressInEditor(k Key) (State, []Effect) {
	switch k.Code {
	case Escape:
		return s.show("", noCountdown), nil
	case Enter:
		return s.start(s.cursor, markers.ReasonUser, string(s.editor.text))
	}
	s.editor = s.editor.press(k)
	return s, nil
}
