package service

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	var b Backoff
	var pauses []time.Duration
	for range 7 {
		pause, failing := b.Next(time.Millisecond)
		if !failing {
			t.Error("a service that ends at once is not failing")
		}
		pauses = append(pauses, pause/time.Second)
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 30, 30}; !slices.Equal(pauses, want) {
		t.Errorf("pauses %v s, want %v", pauses, want)
	}
	if pause, failing := b.Next(FailsWithin); pause != 0 || failing {
		t.Errorf("after a good run: pause %v, failing %v", pause, failing)
	}
	if pause, _ := b.Next(0); pause != time.Second {
		t.Errorf("a good run did not reset the pause: %v", pause)
	}
}

// TestNext has services end, and looks at what follows.
func TestNext(t *testing.T) {
	broken := errors.New("broken")
	long, short := time.Minute, time.Millisecond
	type end struct {
		err  error
		ran  time.Duration
		next Condition
		says string
	}
	two := Limit{Restarts: 2, Within: 3 * time.Minute}
	for name, c := range map[string]struct {
		restart Policy
		limit   Limit
		ends    []end
	}{
		"always, in order":  {Always, two, []end{{nil, long, Waits, "x: ended; started again"}, {nil, short, Waits, "ended right after its start; started again in 1s"}, {nil, short, Failed, "has failed"}}},
		"limit of the time": {Always, two, []end{{nil, 2 * long, Waits, ""}, {nil, 2 * long, Waits, ""}, {nil, 2 * long, Waits, ""}, {nil, 2 * long, Waits, ""}}},
		"on failure":        {OnFailure, two, []end{{broken, long, Waits, "x: broken; started again"}, {nil, short, Rests, "service x: ended"}}},
		"limit":             {OnFailure, two, []end{{broken, short, Waits, "in 1s"}, {broken, short, Waits, "in 2s"}, {broken, short, Failed, "broken right after its start; it has failed"}}},
		"never, in order":   {Never, two, []end{{nil, short, Rests, ""}}},
		"never, broken":     {Never, two, []end{{broken, long, Failed, "broken; it has failed"}}},
		"no limit":          {Always, Limit{Restarts: -1}, slices.Repeat([]end{{broken, short, Waits, ""}}, 50)},
	} {
		var h history
		now := time.Duration(0)
		for i, e := range c.ends {
			now += e.ran
			got := h.next(Spec{Name: "x", Restart: c.restart, Limit: c.limit, Critical: true}, e.err, now, e.ran)
			if got.Next != e.next || !strings.Contains(got.String(), e.says) || !got.Critical || (got.Pause > 0) != (got.Next == Waits && e.ran == short) {
				t.Errorf("%s: end %d: %v, %+v", name, i, got, got)
			}
			now += got.Pause
		}
	}
}

func TestBadSpecs(t *testing.T) {
	program := func(change func(*Spec)) Spec {
		s := Spec{Name: "x", Process: &Process{Path: "/bin/sh"}}
		change(&s)
		return s
	}
	for says, s := range map[string]Spec{
		"no name":              program(func(s *Spec) { s.Name = "" }),
		"no name for":          program(func(s *Spec) { s.Name = "a/b" }),
		"is no name for a":     program(func(s *Spec) { s.Name = "..x" }),
		"up to 28":             program(func(s *Spec) { s.Name = strings.Repeat("x", 29) }),
		"no policy \"often\"":  program(func(s *Spec) { s.Restart = "often" }),
		"a function or a":      {Name: "x"},
		"no absolute path":     program(func(s *Spec) { s.Process.Path = "sh" }),
		"have a NUL":           program(func(s *Spec) { s.Process.Args = []string{"a\x00b"} }),
		"limits are not":       program(func(s *Spec) { s.Process.Limits.MemoryBytes = -1 }),
		"times are not":        program(func(s *Spec) { s.Stop = -1 }),
		"there is no such ser": program(func(s *Spec) { s.After = []string{"y"} }),
	} {
		if err := New(Config{Clock: &steps{}}).Add(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
}
