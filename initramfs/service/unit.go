package service

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// State is how a service stands. Its JSON names are part of the interface.
type State struct {
	Name      string        `json:"name"`
	Condition Condition     `json:"condition"`
	Running   bool          `json:"running"`
	PID       int           `json:"pid,omitempty"` // of a process that runs
	Starts    int           `json:"starts"`
	Since     time.Duration `json:"sinceNanoseconds"`  // of the last change, on the supervisor's clock
	LastEnd   string        `json:"lastEnd,omitempty"` // how it ended last; empty if it never did, or in order
	Critical  bool          `json:"critical,omitempty"`
	Restart   Policy        `json:"restart"`
	After     []string      `json:"after,omitempty"`
	Program   string        `json:"program,omitempty"`
	Limits    *Limits       `json:"limits,omitempty"`
}

// unit is a service of a supervisor.
type unit struct {
	spec   Spec
	config *Config

	mu     sync.Mutex
	state  State
	cancel context.CancelFunc // ends what is under way; nil where nothing is
	done   chan struct{}      // closed when it has ended
	begun  chan struct{}      // closed when it runs for the first time, or could not
}

func newUnit(s *Supervisor, spec Spec) *unit {
	u := &unit{spec: spec, config: &s.config}
	u.state = State{
		Name: spec.Name, Condition: Stopped, Critical: spec.Critical, Restart: spec.Restart, After: spec.After, Since: s.config.Clock.Now(),
	}
	if p := spec.Process; p != nil {
		u.state.Program = p.Path
		if p.Limits != (Limits{}) {
			u.state.Limits = &p.Limits
		}
	}
	return u
}

func (u *unit) current() State {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state
}

// untouched reports whether nobody has started the service yet.
func (u *unit) untouched() bool {
	s := u.current()
	return s.Condition == Stopped && s.Starts == 0
}

// set notes a change while the service is kept. One that is being stopped goes on to
// be called so.
func (u *unit) set(c Condition, change func(*State)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(&u.state)
	if u.state.Condition != Stops {
		u.state.Condition = c
	}
	u.state.Running = c == Runs
	u.state.Since = u.config.Clock.Now()
}

// start begins to keep the service, if nobody does. What it returns is closed when the
// service runs, or could not be started.
func (u *unit) start() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cancel != nil {
		return u.begun
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, begun := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(begun) })
	u.cancel, u.done, u.begun, u.state.Condition = cancel, done, begun, Waits
	go func() {
		defer close(done)
		defer cancel()
		u.keep(ctx, first)
	}()
	return begun
}

// finish notes the end of keeping the service: from here on it can be started anew.
func (u *unit) finish(c Condition, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state.Condition, u.state.Running, u.state.PID, u.state.LastEnd = c, false, 0, text(err)
	u.state.Since = u.config.Clock.Now()
	u.cancel = nil
}

// stop ends the service and waits for that.
func (u *unit) stop(ctx context.Context) error {
	u.mu.Lock()
	cancel, done := u.cancel, u.done
	if cancel != nil {
		u.state.Condition = Stops
		cancel()
	} else if u.state.Condition != Failed {
		u.state.Condition = Stopped
	}
	u.mu.Unlock()
	if cancel == nil {
		return nil
	}
	// A process is killed when its time is over; a goroutine can only be left alone.
	limit, release := context.WithTimeout(ctx, u.spec.Stop+killTimeout)
	defer release()
	select {
	case <-done:
		return nil
	case <-limit.Done():
		return fmt.Errorf("service %s does not end: %w", u.spec.Name, limit.Err())
	}
}

// keep runs the service until the context ends or its policy says so. first is called
// when it runs or has ended, and before that is reported.
func (u *unit) keep(ctx context.Context, first func()) {
	var h history
	clock := u.config.Clock
	for {
		begin := clock.Now()
		u.set(Waits, func(s *State) { s.Starts++ })
		err := u.run(ctx, func(pid int) {
			u.set(Runs, func(s *State) { s.PID = pid })
			first()
			u.config.Report(u.spec.Name, nil)
		})
		first()
		if ctx.Err() != nil {
			u.finish(Stopped, err)
			return
		}
		now := clock.Now()
		e := h.next(u.spec, err, now, now-begin)
		e.Starts = u.current().Starts
		if u.spec.OnEnd != nil {
			u.spec.OnEnd(e)
		}
		if e.Next != Waits {
			u.finish(e.Next, err)
			u.config.Report(u.spec.Name, &e)
			return
		}
		u.set(Waits, func(s *State) { s.PID, s.LastEnd = 0, text(err) })
		u.config.Report(u.spec.Name, &e)
		if clock.Sleep(ctx, e.Pause) != nil {
			u.finish(Stopped, err)
			return
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// run runs the service once and makes an error of a panic. It calls started when the
// service runs, with the ID of its process or 0.
func (u *unit) run(ctx context.Context, started func(pid int)) (err error) {
	output := newOutput(u.config.Clock, func(line string) { u.config.Log(u.spec.Name, line) })
	defer output.Close()
	if u.spec.Process != nil {
		return u.runProcess(ctx, output, started)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	started(0)
	return u.spec.Run(ctx, output)
}
