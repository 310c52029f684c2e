package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// steps is a clock that moves only when somebody sleeps.
type steps struct {
	mu  sync.Mutex
	now time.Duration
}

func (c *steps) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steps) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += d
	return ctx.Err()
}

// story is a supervisor and what it has told.
type story struct {
	*Supervisor
	t     *testing.T
	lines chan string
}

// limit is when a test gives up.
const limit = time.Minute

func newStory(t *testing.T, change func(*Config)) *story {
	s := &story{t: t, lines: make(chan string, 10000)}
	c := Config{
		Clock: &steps{}, Launch: Direct,
		Log: func(service, line string) { s.lines <- service + ": " + line },
		Report: func(name string, e *Ended) {
			if e == nil {
				s.lines <- name + " starts"
			} else {
				s.lines <- e.String()
			}
		},
	}
	if change != nil {
		change(&c)
	}
	s.Supervisor = New(c)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := s.StopAll(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// expect waits for lines in this order; others may stand between.
func (s *story) expect(texts ...string) {
	s.t.Helper()
	timeout := time.After(limit)
	var seen []string
	for _, text := range texts {
		for found := false; !found; {
			select {
			case line := <-s.lines:
				seen = append(seen, line)
				found = strings.Contains(line, text)
			case <-timeout:
				s.t.Fatalf("%q did not come; there were\n%s", text, strings.Join(seen, "\n"))
			}
		}
	}
}

func (s *story) add(start bool, specs ...Spec) {
	s.t.Helper()
	for _, spec := range specs {
		err := s.Add(spec)
		if err == nil && start {
			err = s.Start(spec.Name)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *story) state(name string) State {
	s.t.Helper()
	all := s.States()
	i := slices.IndexFunc(all, func(state State) bool { return state.Name == name })
	if i < 0 {
		s.t.Fatalf("no service %s: %+v", name, all)
	}
	return all[i]
}

// until runs until it is told to end.
func until(ctx context.Context, _ io.Writer) error {
	<-ctx.Done()
	return nil
}

func TestGoroutine(t *testing.T) {
	s := newStory(t, nil)
	runs := 0
	var ends []Ended
	s.add(true, Spec{Name: "x", OnEnd: func(e Ended) { ends = append(ends, e) }, Run: func(ctx context.Context, out io.Writer) error {
		runs++
		switch runs {
		case 1:
			fmt.Fprint(out, "one\ntwo")
			return errors.New("broken")
		case 2:
			panic("boom")
		}
		return until(ctx, out)
	}})
	s.expect("x starts", "x: one", "x: two", "service x: broken right after its start; started again in 1s", "x starts", "panic: boom", "x starts")
	if state := s.state("x"); !state.Running || state.Condition != Runs || state.Starts != 3 || !strings.Contains(state.LastEnd, "boom") {
		t.Errorf("state %+v", state)
	}
	if err := s.Stop(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if state := s.state("x"); state.Running || state.Condition != Stopped {
		t.Errorf("stopped: %+v", state)
	}
	if len(ends) != 2 || ends[1].Next != Waits || ends[1].Starts != 2 {
		t.Errorf("ends: %+v", ends)
	}
}

// TestFails reaches the limit, and starts the service again by hand.
func TestFails(t *testing.T) {
	s := newStory(t, nil)
	s.add(true, Spec{Name: "x", Critical: true, Run: func(context.Context, io.Writer) error { return errors.New("broken") }})
	s.expect("again in 8s", "it has failed after 5 starts")
	if state := s.state("x"); state.Condition != Failed || state.Starts != 5 || s.Healthy() {
		t.Errorf("state %+v, healthy %v", state, s.Healthy())
	}
	if err := errors.Join(s.Stop(t.Context(), "x"), s.Start("x")); err != nil {
		t.Error(err)
	}
	s.expect("again in 8s", "it has failed after 10 starts")
}

// TestOrder starts what others need, and stops in the reverse order.
func TestOrder(t *testing.T) {
	s := newStory(t, nil)
	var mu sync.Mutex
	var ended []string
	for _, spec := range []Spec{{Name: "a"}, {Name: "b", After: []string{"a"}}, {Name: "c", After: []string{"a", "b"}}} {
		spec.Run = func(ctx context.Context, _ io.Writer) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, spec.Name)
			return nil
		}
		s.add(false, spec)
	}
	if err := s.Start("c"); err != nil {
		t.Fatal(err)
	}
	s.expect("starts", "starts", "starts")
	if err := s.Remove(t.Context(), "b"); err == nil || !strings.Contains(err.Error(), "c comes after it") {
		t.Errorf("remove: %v", err)
	}
	if err := s.Start("b"); err != nil {
		t.Fatal(err)
	}
	s.expect("b starts")
	if err := s.StopAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ended, []string{"b", "c", "b", "a"}) {
		t.Errorf("ended %v", ended)
	}
	if err := s.Start("a"); !errors.Is(err, ErrEnding) {
		t.Errorf("start at the end: %v", err)
	}
}

func TestUnknownAndTwice(t *testing.T) {
	s := newStory(t, nil)
	if err := errors.Join(s.Start("x")); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	s.add(false, Spec{Name: "x", Run: until})
	if err := s.Add(Spec{Name: "x", Run: until}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if err := errors.Join(s.Start("x"), s.Start("x"), s.Restart(t.Context(), "x"), s.Remove(t.Context(), "x")); err != nil {
		t.Error(err)
	}
	if states := s.States(); len(states) > 0 {
		t.Errorf("removed: %+v", states)
	}
}

// TestStubborn leaves a goroutine alone that does not end.
func TestStubborn(t *testing.T) {
	s := New(Config{Clock: &steps{}, Log: func(string, string) {}})
	begun, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	err := s.Add(Spec{Name: "x", Run: func(context.Context, io.Writer) error { close(begun); <-over; return nil }})
	if err := errors.Join(err, s.Start("x")); err != nil {
		t.Fatal(err)
	}
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.StopAll(ctx); err == nil || !strings.Contains(err.Error(), "service x does not end") {
		t.Errorf("error %v", err)
	}
	if state := s.States()[0]; state.Condition != Stops || !state.Running {
		t.Errorf("state %+v", state)
	}
}
