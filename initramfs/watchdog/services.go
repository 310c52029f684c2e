package watchdog

import (
	"fmt"
	"slices"
	"time"
)

// Services are who must be alive, each with a deadline of its own. It is pure:
// times are since the start of the machine. Its zero value has none.
type Services struct{ all []watched }

type watched struct {
	name     string
	deadline time.Duration // between two signs of life
	seen     time.Duration // the last one
}

// Dead is a service that has given no sign of life in time.
type Dead struct {
	Name   string
	Silent time.Duration // since the last one
}

func (d Dead) String() string {
	return fmt.Sprintf("%s (silent for %v)", d.Name, d.Silent.Round(time.Second))
}

// Watch begins to watch a service, which counts as alive now.
func (s *Services) Watch(name string, deadline, now time.Duration) {
	s.Forget(name)
	s.all = append(s.all, watched{name, deadline, now})
}

// Forget ends the watch of a service.
func (s *Services) Forget(name string) {
	s.all = slices.DeleteFunc(s.all, func(w watched) bool { return w.name == name })
}

// Beat is a service's sign of life. Of one that is not watched it means nothing.
func (s *Services) Beat(name string, now time.Duration) {
	for i := range s.all {
		if s.all[i].name == name {
			s.all[i].seen = now
		}
	}
}

// Names are those of the services that are watched, in the order in which that
// began.
func (s *Services) Names() []string {
	names := make([]string, len(s.all))
	for i, w := range s.all {
		names[i] = w.name
	}
	return names
}

// Dead returns the services that have been silent for longer than they may.
func (s *Services) Dead(now time.Duration) (dead []Dead) {
	for _, w := range s.all {
		if silent := now - w.seen; silent > w.deadline {
			dead = append(dead, Dead{w.name, silent})
		}
	}
	return dead
}
