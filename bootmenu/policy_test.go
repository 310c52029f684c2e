package bootmenu

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/markers"
)

func entries(ids ...string) []Entry {
	var all []Entry
	for _, id := range ids {
		all = append(all, Entry{
			ID: id, Title: strings.ToUpper(id), Source: "/loader/entries/" + id + ".conf",
			Options: "root=" + id, Editable: true,
		})
	}
	return all
}

func powered(e PoweredOn) State {
	s, _ := Step(State{}, e)
	return s
}

// step is Step on a machine that can save its state. The effects are those
// besides saving and telling.
func step(s State, event Event) (State, []Effect) {
	for {
		var effects, rest []Effect
		s, effects = Step(s, event)
		event = nil
		for _, effect := range effects {
			switch effect.(type) {
			case SaveState:
				event = StateSaved{}
			case CountTry:
				event = TryCounted{}
			case Emit:
			default:
				rest = append(rest, effect)
			}
		}
		if event == nil {
			return s, rest
		}
	}
}

// started is the one Start among the effects, or nil.
func started(effects []Effect) *Start {
	for _, e := range effects {
		if start, ok := e.(Start); ok {
			return &start
		}
	}
	return nil
}

func TestChoice(t *testing.T) {
	bad := entries("a", "b", "c")
	bad[0].Bad = true
	setup := append([]Entry{{ID: "setup", Kind: markers.KindSetup}}, entries("a")...)
	for _, c := range []struct {
		name   string
		on     PoweredOn
		want   string
		reason markers.SelectReason
	}{
		{"first", PoweredOn{Entries: entries("a", "b")}, "a", markers.ReasonFirst},
		{"default", PoweredOn{Entries: entries("a", "b"), Config: Config{Default: "b"}}, "b", markers.ReasonDefault},
		{"default pattern", PoweredOn{Entries: entries("x-1", "y-2"), Config: Config{Default: "y-*"}}, "y-2", markers.ReasonDefault},
		{"default that is not there", PoweredOn{Entries: entries("a"), Config: Config{Default: "z"}}, "a", markers.ReasonFirst},
		{"one-shot over default", PoweredOn{Entries: entries("a", "b", "c"), Config: Config{Default: "b", OneShot: "c"}}, "c", markers.ReasonOneShot},
		{"bad is not first", PoweredOn{Entries: bad}, "b", markers.ReasonFirst},
		{"bad is not default", PoweredOn{Entries: bad, Config: Config{Default: "a"}}, "b", markers.ReasonFirst},
		{"bad is not one-shot", PoweredOn{Entries: bad, Config: Config{OneShot: "a", Default: "c"}}, "c", markers.ReasonDefault},
		{"bad is not in a pattern", PoweredOn{Entries: bad, Config: Config{Default: "*"}}, "b", markers.ReasonDefault},
		{"setup is never automatic", PoweredOn{Entries: setup}, "a", markers.ReasonFirst},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, effects := Step(State{}, c.on)
			start := started(effects)
			if start == nil {
				t.Fatalf("time-out 0 starts nothing: %v", effects)
			}
			if start.ID != c.want || start.Reason != c.reason {
				t.Errorf("starts %s because %s, want %s because %s", start.ID, start.Reason, c.want, c.reason)
			}
		})
	}
}

func TestCountdown(t *testing.T) {
	s := powered(PoweredOn{Entries: entries("a", "b"), Config: Config{TimeoutSeconds: 3, Default: "b"}})
	for range 2 {
		var effects []Effect
		if s, effects = Step(s, Tick{}); s.Phase != Displayed || effects != nil {
			t.Fatalf("after a tick: phase %d, effects %v", s.Phase, effects)
		}
	}
	s, effects := Step(s, Tick{})
	if start := started(effects); start == nil || start.ID != "b" || start.Options != "root=b" || s.Phase != Booting {
		t.Fatalf("the third tick of three starts b: %v", effects)
	}
}

func TestAnyKeyStopsTheCountdown(t *testing.T) {
	for code := Character; code <= Other; code++ {
		s := powered(PoweredOn{Entries: entries("a"), Config: Config{TimeoutSeconds: 1}})
		if code == Enter { // starts at once, which stops it as well
			continue
		}
		s, _ = Step(s, KeyPressed{Key{Code: code, Rune: 'z'}})
		for range 100 {
			var effects []Effect
			if s, effects = Step(s, Tick{}); effects != nil {
				t.Fatalf("key %d: the countdown went on to %v", code, effects)
			}
		}
	}
}

func TestKeyBeforeTheMenuShowsIt(t *testing.T) {
	s, effects := Step(State{}, PoweredOn{Entries: entries("a"), KeyWaiting: true})
	if s.Phase != Displayed || effects != nil {
		t.Fatalf("a waiting key with time-out 0: phase %d, effects %v", s.Phase, effects)
	}
	if _, effects := Step(s, Tick{}); effects != nil {
		t.Errorf("the menu counts down though a key was pressed: %v", effects)
	}
}

func TestWaitForever(t *testing.T) {
	s := powered(PoweredOn{Entries: entries("a"), Config: Config{TimeoutSeconds: WaitForever}})
	if _, effects := Step(s, Tick{}); s.Phase != Displayed || effects != nil {
		t.Errorf("phase %d, effects %v", s.Phase, effects)
	}
}

func TestUnattendedFallsThroughAllEntriesAndStops(t *testing.T) {
	s, effects := Step(State{}, PoweredOn{Entries: entries("a", "b", "c"), Config: Config{Default: "b"}})
	var order []string
	for start := started(effects); start != nil; start = started(effects) {
		order = append(order, start.ID+" "+string(start.Reason))
		s, effects = step(s, StartFailed{ID: start.ID, Stage: markers.StageRead, Problem: "file not found"})
	}
	if want := []string{"b default", "a fallback", "c fallback"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	if s.Phase != Displayed || !strings.Contains(s.notice, "C did not start: file not found") {
		t.Errorf("phase %d, notice %q", s.Phase, s.notice)
	}
	for range 100 {
		if s, effects = Step(s, Tick{}); effects != nil {
			t.Fatalf("a failed entry is started again: %v", effects)
		}
	}
	if _, effects = Step(s, KeyPressed{Key{Code: Enter}}); started(effects) == nil {
		t.Error("a person may try a failed entry again")
	}
}

func TestInFrontOfAPersonAFailureShowsTheMenu(t *testing.T) {
	s := powered(PoweredOn{Entries: entries("a", "b"), Config: Config{TimeoutSeconds: 1}})
	s, _ = Step(s, KeyPressed{Key{Code: Enter}})
	s, effects := step(s, StartFailed{ID: "a", Stage: markers.StageLoad, Problem: "refused"})
	if s.Phase != Displayed || effects != nil || !strings.Contains(s.notice, "A did not start: refused") {
		t.Fatalf("phase %d, effects %v, notice %q", s.Phase, effects, s.notice)
	}
	for range defaultFallbackSeconds {
		s, effects = Step(s, Tick{})
	}
	if start := started(effects); start == nil || start.ID != "b" || start.Reason != markers.ReasonFallback {
		t.Errorf("the next choice is started after the countdown: %v", effects)
	}
}

func TestKeys(t *testing.T) {
	recovery := entries("a", "b", "c")
	recovery[2].Recovery = true
	config := Config{TimeoutSeconds: 5, Editor: true, Setup: true}
	for _, c := range []struct {
		keys string // \r Enter, \x1b Escape, \b Backspace, < and > cursor keys, ^ and v as well
		want Effect
	}{
		{"\r", Start{ID: "a", Options: "root=a", Reason: markers.ReasonUser}},
		{"j\r", Start{ID: "b", Options: "root=b", Reason: markers.ReasonUser}},
		{"vv\r", Start{ID: "c", Options: "root=c", Reason: markers.ReasonUser}},
		{"vvvvv\r", Start{ID: "c", Options: "root=c", Reason: markers.ReasonUser}},
		{"jjk\r", Start{ID: "b", Options: "root=b", Reason: markers.ReasonUser}},
		{"kkk\r", Start{ID: "a", Options: "root=a", Reason: markers.ReasonUser}},
		{"3\r", Start{ID: "c", Options: "root=c", Reason: markers.ReasonUser}},
		{"9\r", Start{ID: "a", Options: "root=a", Reason: markers.ReasonUser}},
		{"2d", SaveDefault{"b"}},
		{"r", Start{ID: "c", Options: "root=c", Reason: markers.ReasonUser}},
		{"f", EnterSetup{}},
		{"p", PowerOff{}},
		{"e x\r", Start{ID: "a", Options: "root=a x", Reason: markers.ReasonUser}},
		{"e\b\b\bx\r", Start{ID: "a", Options: "roox", Reason: markers.ReasonUser}},
		{"e<<<<<<quiet >\r", Start{ID: "a", Options: "quiet root=a", Reason: markers.ReasonUser}},
		{"eabc\x1b\r", Start{ID: "a", Options: "root=a", Reason: markers.ReasonUser}},
		{"ejp\r", Start{ID: "a", Options: "root=ajp", Reason: markers.ReasonUser}},
	} {
		s := powered(PoweredOn{Entries: recovery, Config: config})
		var effects []Effect
		for _, r := range c.keys {
			s, effects = Step(s, KeyPressed{key(r)})
		}
		if len(effects) != 1 || !reflect.DeepEqual(effects[0], c.want) {
			t.Errorf("keys %q: %v, want %v", c.keys, effects, c.want)
		}
	}
}

func key(r rune) Key {
	codes := map[rune]Code{'\r': Enter, '\x1b': Escape, '\b': Backspace, '^': Up, 'v': Down, '<': Left, '>': Right}
	if code, ok := codes[r]; ok {
		return Key{Code: code}
	}
	return Key{Rune: r}
}

func TestRefusedKeysSayWhy(t *testing.T) {
	locked := entries("a")
	fixed := entries("a")
	fixed[0].Editable = false
	setup := []Entry{{ID: "setup", Title: "Firmware setup", Kind: markers.KindSetup}}
	for _, c := range []struct {
		key     rune
		entries []Entry
		config  Config
		notice  string
	}{
		{'e', locked, Config{}, "locked"},
		{'e', fixed, Config{Editor: true}, "cannot be changed"},
		{'r', locked, Config{}, "neither a golden snapshot"},
		{'f', locked, Config{}, "no way into its setup"},
		{'d', setup, Config{}, "cannot be the default"},
	} {
		c.config.TimeoutSeconds = WaitForever
		s := powered(PoweredOn{Entries: c.entries, Config: c.config})
		s, effects := Step(s, KeyPressed{Key{Rune: c.key}})
		if effects != nil || !strings.Contains(s.notice, c.notice) {
			t.Errorf("key %c: effects %v, notice %q", c.key, effects, s.notice)
		}
	}
}

func TestDefaultSaved(t *testing.T) {
	s := powered(PoweredOn{Entries: entries("a", "b"), Config: Config{TimeoutSeconds: 5}})
	s, _ = Step(s, DefaultSaved{ID: "b", Problem: "write protected"})
	if s.config.Default != "" || !strings.Contains(s.notice, "write protected") {
		t.Errorf("default %q, notice %q", s.config.Default, s.notice)
	}
	s, _ = Step(s, DefaultSaved{ID: "b"})
	if s.config.Default != "b" {
		t.Errorf("default %q", s.config.Default)
	}
}

func TestFailedActionsComeBackToTheMenu(t *testing.T) {
	setup := []Entry{{ID: "setup", Title: "Firmware setup", Kind: markers.KindSetup}}
	s := powered(PoweredOn{Entries: setup, Config: Config{TimeoutSeconds: 5}})
	s, effects := Step(s, KeyPressed{Key{Code: Enter}})
	if !slices.Equal(effects, []Effect{EnterSetup{}}) {
		t.Fatalf("effects %v", effects)
	}
	s, _ = Step(s, ActionFailed{Action: "enter firmware setup", Problem: "write protected"})
	if s.Phase != Displayed || !strings.Contains(s.notice, "write protected") {
		t.Errorf("phase %d, notice %q", s.Phase, s.notice)
	}
}
