package service

import (
	"slices"
	"sync"
	"time"
)

// State is how a service stands. Its JSON names are part of the interface.
type State struct {
	Name    string        `json:"name"`
	Running bool          `json:"running"`
	Starts  int           `json:"starts"`
	Since   time.Duration `json:"sinceNanoseconds"`  // of the last change, from the start of the machine
	LastEnd string        `json:"lastEnd,omitempty"` // how it ended last; empty if it never did, or in order
}

// Table knows how all services stand. Its methods may be called by several
// goroutines; the zero Table is empty.
type Table struct {
	mu     sync.Mutex
	states []State // in the order of their first start
}

// Started notes that a service runs.
func (t *Table) Started(name string, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(name)
	s.Running, s.Since = true, now
	s.Starts++
}

// Ended notes that a service has ended.
func (t *Table) Ended(e Ended, now time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(e.Name)
	s.Running, s.Since, s.LastEnd = false, now, ""
	if e.Err != nil {
		s.LastEnd = e.Err.Error()
	}
}

func (t *Table) find(name string) *State {
	i := slices.IndexFunc(t.states, func(s State) bool { return s.Name == name })
	if i < 0 {
		i = len(t.states)
		t.states = append(t.states, State{Name: name})
	}
	return &t.states[i]
}

// States returns how the services stand.
func (t *Table) States() []State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.states)
}
