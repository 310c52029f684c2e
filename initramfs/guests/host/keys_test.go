package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/presentation/input"
)

// keyboard is a machine's only keyboard.
type keyboard struct {
	pressed chan []input.Event
	closed  chan struct{}
}

func (k *keyboard) events() <-chan []input.Event { return k.pressed }
func (k *keyboard) Close() error                 { close(k.closed); return nil }

// ear is a guest that notes what it hears.
type ear struct {
	name  string
	heard chan string
}

func (e ear) Send(events []input.Event) error {
	for _, event := range events {
		e.heard <- fmt.Sprintf("%s %d %v", e.name, event.Code, event.Down)
	}
	return nil
}

// TestKeys has keys go to whom is shown, and the keyboard be the console's while nobody is.
func TestKeys(t *testing.T) {
	heard, boards, chords := make(chan string, 100), make(chan *keyboard, 10), make(chan struct{}, 10)
	var mu sync.Mutex
	var shown input.Guest
	k := newKeys(func() (devices, error) {
		b := &keyboard{pressed: make(chan []input.Event), closed: make(chan struct{})}
		boards <- b
		return b, nil
	}, func() input.Guest {
		mu.Lock()
		defer mu.Unlock()
		return shown
	}, func() { chords <- struct{}{} }, func(err error) { t.Error(err) })
	show := func(g input.Guest) {
		mu.Lock()
		shown = g
		mu.Unlock()
		k.changed()
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); k.run(ctx) }()
	key := func(code input.Code, down bool) []input.Event {
		return []input.Event{{Kind: input.Key, Code: code, Down: down}}
	}
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := receive(t, heard); got != w {
				t.Errorf("heard %q, want %q", got, w)
			}
		}
	}

	show(ear{"linux", heard})
	board := receive(t, boards)
	board.pressed <- key(30, true)
	expect("linux 30 true")
	show(ear{"windows", heard}) // the key is still held
	expect("linux 30 false")
	board.pressed <- key(30, false)
	board.pressed <- key(48, true)
	board.pressed <- key(48, false)
	expect("windows 48 true", "windows 48 false")

	board.pressed <- key(input.KeyLeftCtrl, true)
	board.pressed <- key(input.KeyLeftAlt, true)
	board.pressed <- key(input.KeyEscape, true)
	receive(t, chords)
	expect("windows 29 true", "windows 56 true", "windows 56 false", "windows 29 false")
	show(nil)
	receive(t, board.closed)

	show(ear{"linux", heard})
	board = receive(t, boards)
	stop()
	receive(t, board.closed)
	receive(t, ended)
	close(heard)
	var more []string
	for h := range heard {
		more = append(more, h)
	}
	if len(more) > 0 {
		t.Errorf("heard besides: %s", strings.Join(more, "; "))
	}
}

// receive waits for what must come.
func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing comes")
	}
	return v
}
