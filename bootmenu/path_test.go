package bootmenu

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/rayos/rayboot/markers"
)

// TestEveryPath walks all events to a depth and checks after each step what
// must never happen.
func TestEveryPath(t *testing.T) {
	menu := entries("a", "b")
	menu = append(menu, Entry{ID: "bad", Title: "Bad", Bad: true}, Entry{ID: "setup", Kind: markers.KindSetup})
	for _, timeout := range []int{WaitForever, 0, 2} {
		for _, waiting := range []bool{false, true} {
			config := Config{TimeoutSeconds: timeout, Default: "b", OneShot: "bad", Editor: true, Setup: true}
			s, effects := Step(State{}, PoweredOn{Entries: menu, Config: config, KeyWaiting: waiting})
			walk(t, s, effects, nil, 4)
			if s.Phase == Selected && effects == nil {
				t.Fatal("power-on neither shows nor starts anything")
			}
		}
	}
	t.Logf("%d paths", paths)
}

var paths int

func walk(t *testing.T, s State, effects []Effect, path []Event, depth int) {
	t.Helper()
	paths++
	checkInvariants(t, s, effects, path)
	if depth == 0 {
		return
	}
	next := []Event{
		Tick{},
		KeyPressed{Key{Code: Enter}},
		KeyPressed{Key{Code: Down}},
		KeyPressed{Key{Code: Up}},
		KeyPressed{Key{Rune: 'e'}},
		KeyPressed{Key{Code: Escape}},
		KeyPressed{Key{Rune: 'd'}},
		KeyPressed{Key{Rune: 'f'}},
		DefaultSaved{ID: "a"},
		ActionFailed{"power off", "unsupported"},
	}
	if start := started(effects); start != nil {
		next = []Event{StartFailed{ID: start.ID, Stage: markers.StageLoad, Problem: "refused"}, KeyPressed{Key{Code: Enter}}, Tick{}}
	}
	for _, e := range next {
		before := fmt.Sprintf("%+v", s)
		after, effects := Step(s, e)
		if fmt.Sprintf("%+v", s) != before {
			t.Fatalf("%v: Step changed its argument", append(path, e))
		}
		again, _ := Step(s, e)
		if !reflect.DeepEqual(after, again) {
			t.Fatalf("%v: Step is not deterministic", append(path, e))
		}
		if s.Phase == Displayed && after.Phase == Selected && effects == nil {
			t.Fatalf("%v: the menu goes away and nothing is started", append(path, e))
		}
		walk(t, after, effects, append(slices.Clone(path), e), depth-1)
	}
}

func checkInvariants(t *testing.T, s State, effects []Effect, path []Event) {
	t.Helper()
	if s.cursor < 0 || s.cursor >= len(s.entries) {
		t.Fatalf("%v: cursor %d of %d", path, s.cursor, len(s.entries))
	}
	if start := started(effects); start != nil && start.Reason != markers.ReasonUser {
		e := s.entries[s.cursor]
		if e.ID != start.ID || !s.automatic(&e) {
			t.Fatalf("%v: %s is started by itself", path, start.ID)
		}
	}
	screen := s.Screen(MinColumns, MinRows)
	if len(screen.Lines) > MinRows {
		t.Fatalf("%v: %d lines on %d rows", path, len(screen.Lines), MinRows)
	}
}
