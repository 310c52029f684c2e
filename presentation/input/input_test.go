package input_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/presentation/input"
)

// listener is a guest that keeps what it hears, and which keys it takes to be down.
type listener struct {
	heard []string
	down  map[input.Code]bool
}

func (l *listener) Send(events []input.Event) error {
	if l.down == nil {
		l.down = map[input.Code]bool{}
	}
	for _, e := range events {
		if e.Kind != input.Key {
			l.heard = append(l.heard, fmt.Sprint("move ", e.X, ",", e.Y))
			continue
		}
		word := "up "
		if delete(l.down, e.Code); e.Down {
			word = "down "
			l.down[e.Code] = true
		}
		l.heard = append(l.heard, fmt.Sprint(word, e.Code))
	}
	return nil
}

func (l *listener) take() string {
	text := strings.Join(l.heard, ", ")
	l.heard = nil
	return text
}

func down(c input.Code) input.Event { return input.Event{Kind: input.Key, Code: c, Down: true} }
func up(c input.Code) input.Event   { return input.Event{Kind: input.Key, Code: c} }

const keyA input.Code = 30

func feed(t *testing.T, r *input.Router, events ...input.Event) (chord bool) {
	t.Helper()
	chord, err := r.Feed(events)
	if err != nil {
		t.Fatal(err)
	}
	return chord
}

func show(t *testing.T, r *input.Router, g input.Guest) {
	t.Helper()
	if err := r.Show(g); err != nil {
		t.Fatal(err)
	}
}

func TestSwitchReleasesKeys(t *testing.T) {
	var r input.Router
	var first, second listener
	show(t, &r, &first)
	feed(t, &r, down(input.KeyLeftCtrl), down(keyA), down(keyA), input.Event{Kind: input.Move, X: 3, Y: -4})
	if got, want := first.take(), "down 29, down 30, down 30, move 3,-4"; got != want {
		t.Errorf("first hears %q, want %q", got, want)
	}
	show(t, &r, &second)
	if got, want := first.take(), "up 30, up 29"; got != want {
		t.Errorf("first hears %q, want %q", got, want)
	}
	feed(t, &r, down(keyA), up(keyA), down(keyA), up(keyA), up(input.KeyLeftCtrl)) // the A that was held repeats, and comes up
	if got, want := second.take(), "down 30, up 30"; got != want {
		t.Errorf("second hears %q, want %q", got, want)
	}
	if first.take() != "" {
		t.Error("a hidden guest hears something")
	}
}

func TestChord(t *testing.T) {
	for _, keys := range [][2]input.Code{{input.KeyLeftCtrl, input.KeyLeftAlt}, {input.KeyRightAlt, input.KeyRightCtrl}} {
		var r input.Router
		var g listener
		show(t, &r, &g)
		if !feed(t, &r, down(keys[0]), down(keys[1]), down(input.KeyEscape), down(keyA), input.Event{Kind: input.Move, X: 1}) {
			t.Fatal("no chord")
		}
		if got, want := g.take(), fmt.Sprintf("down %d, down %d, up %d, up %d", keys[0], keys[1], keys[1], keys[0]); got != want {
			t.Errorf("guest hears %q, want %q", got, want)
		}
		if feed(t, &r, down(input.KeyEscape)) {
			t.Error("a chord that is held repeats")
		}
		feed(t, &r, up(input.KeyEscape), up(keyA), up(keys[0]), up(keys[1]))
		if got := g.take(); got != "" {
			t.Errorf("guest hears %q of the chord's end", got)
		}
		if feed(t, &r, down(input.KeyLeftCtrl), down(input.KeyEscape)) {
			t.Error("Ctrl+Esc is taken for the chord")
		}
	}
}

// TestChordWithoutAGuest works while no guest is shown, too.
func TestChordWithoutAGuest(t *testing.T) {
	var r input.Router
	feed(t, &r, down(input.KeyLeftCtrl), down(input.KeyLeftAlt))
	if !feed(t, &r, down(input.KeyEscape)) {
		t.Error("no chord")
	}
}

// TestNothingLeaks presses keys at random while guests are switched: only the guest that is shown hears, no guest hears of
// a key coming up that it did not hear going down, and a guest that is hidden has no key down.
func TestNothingLeaks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	codes := []input.Code{input.KeyEscape, input.KeyLeftCtrl, input.KeyRightAlt, keyA, input.ButtonLeft}
	guests := []*listener{{}, {}, {}}
	var r input.Router
	shown := -1
	held := map[input.Code]bool{}
	for range 20000 {
		if random.IntN(20) == 0 {
			shown = random.IntN(len(guests)+1) - 1
			if shown < 0 {
				show(t, &r, nil)
			} else {
				show(t, &r, guests[shown])
			}
			for _, g := range guests {
				g.take()
			}
		}
		c := codes[random.IntN(len(codes))]
		held[c] = random.IntN(2) == 0
		before := ""
		if shown >= 0 {
			before = fmt.Sprint(guests[shown].down)
		}
		feed(t, &r, input.Event{Kind: input.Key, Code: c, Down: held[c]})
		for i, g := range guests {
			heard := g.take()
			if i != shown && (heard != "" || len(g.down) > 0) {
				t.Fatalf("hidden guest %d hears %q and has %v down", i, heard, g.down)
			}
			if slices.Contains(strings.Split(heard, ", "), fmt.Sprint("up ", c)) && !strings.Contains(before, fmt.Sprintf("%d:", c)) {
				t.Fatalf("guest %d, with %s down, hears %q", i, before, heard)
			}
		}
	}
}
