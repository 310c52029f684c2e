package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Clock is what a supervisor needs of time.
type Clock interface {
	Now() time.Duration // monotonic
	// Sleep waits, or returns early with the context's error.
	Sleep(context.Context, time.Duration) error
}

// Config is what a [Supervisor] needs of the machine. Its functions may be called by
// several goroutines, and may call the supervisor only where they say so.
type Config struct {
	Clock  Clock
	Launch Launcher
	// Log keeps a line that a service has written.
	Log func(service, line string)
	// Report is told of each start (nil) and each end of a service by itself, and the
	// service waits for it. It may call the supervisor, but not wait for a service's end.
	Report func(name string, e *Ended)
	// Cgroups is the folder of control groups v2 in which each process has its own; empty
	// where there are none.
	Cgroups string
	// Watchdog is told of the services that give signs of life; nil where nobody watches.
	Watchdog Watchdog
}

// Watchdog watches services that must be alive.
type Watchdog interface {
	Watch(service string, deadline time.Duration)
	Beat(service string)
	Forget(service string)
}

// Errors of the supervisor's methods.
var (
	ErrUnknown = errors.New("there is no such service")
	ErrExists  = errors.New("there is such a service already")
	ErrEnding  = errors.New("the machine ends: nothing is started any more")
)

// Supervisor keeps services. Its methods may be called by several goroutines.
type Supervisor struct {
	config Config

	mu     sync.Mutex
	units  []*unit // in the order of their start
	ending bool
}

// New returns a supervisor without services.
func New(c Config) *Supervisor {
	if c.Report == nil {
		c.Report = func(string, *Ended) {}
	}
	return &Supervisor{config: c}
}

// Add adds a service and does not start it.
func (s *Supervisor) Add(spec Spec) error {
	spec, err := spec.normal()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(spec.Name) != nil {
		return fmt.Errorf("service %s: %w", spec.Name, ErrExists)
	}
	for _, name := range spec.After {
		if s.find(name) == nil {
			return fmt.Errorf("service %s comes after %s: %w", spec.Name, name, ErrUnknown)
		}
	}
	s.units = append(s.units, newUnit(s, spec))
	return nil
}

// Start starts a service that does not run. Those that it comes after are started
// before, where they do not run and were not stopped or failed. Its failures up to now
// are forgotten. Start returns when the service runs, or could not be started, which is
// its end and not an error of Start.
func (s *Supervisor) Start(name string) error {
	u, err := s.named(name)
	if err != nil {
		return err
	}
	for _, before := range u.spec.After {
		b, err := s.named(before)
		if err == nil && b.untouched() {
			err = s.Start(before)
		}
		if err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
	}
	begun, err := s.begin(u)
	if err == nil {
		<-begun
	}
	return err
}

func (s *Supervisor) begin(u *unit) (begun <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil, ErrEnding
	}
	return u.start(), nil
}

// Stop ends a service and waits until it has ended, or the context ends.
func (s *Supervisor) Stop(ctx context.Context, name string) error {
	u, err := s.named(name)
	if err != nil {
		return err
	}
	return u.stop(ctx)
}

// Restart stops a service and starts it.
func (s *Supervisor) Restart(ctx context.Context, name string) error {
	if err := s.Stop(ctx, name); err != nil {
		return err
	}
	return s.Start(name)
}

// Remove stops a service and forgets it. One that others come after stays.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	if err := s.Stop(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.units {
		if slices.Contains(u.spec.After, name) {
			return fmt.Errorf("service %s is stopped and stays: %s comes after it", name, u.spec.Name)
		}
	}
	s.units = slices.DeleteFunc(s.units, func(u *unit) bool { return u.spec.Name == name })
	return nil
}

// StopAll ends all services, the last one that was added first, and lets none start any
// more. It gives each the time that it has, and all of them together that of the context.
func (s *Supervisor) StopAll(ctx context.Context) error {
	s.mu.Lock()
	s.ending = true
	units := slices.Clone(s.units)
	s.mu.Unlock()
	var problems error
	for _, u := range slices.Backward(units) {
		problems = errors.Join(problems, u.stop(ctx))
	}
	return problems
}

// States returns how the services stand, in the order of their start.
func (s *Supervisor) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]State, len(s.units))
	for i, u := range s.units {
		all[i] = u.current()
	}
	return all
}

// Healthy reports whether all critical services run.
func (s *Supervisor) Healthy() bool {
	return !slices.ContainsFunc(s.States(), func(state State) bool {
		return state.Critical && (state.Condition == Waits || state.Condition == Failed)
	})
}

func (s *Supervisor) named(name string) (*unit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.find(name); u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("service %s: %w", name, ErrUnknown)
}

func (s *Supervisor) find(name string) *unit {
	if i := slices.IndexFunc(s.units, func(u *unit) bool { return u.spec.Name == name }); i >= 0 {
		return s.units[i]
	}
	return nil
}
