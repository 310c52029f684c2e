package service

import (
	"fmt"
	"slices"
	"time"
)

// Pauses before a restart.
const (
	// FailsWithin is the time that tells a service which fails from one that
	// was merely ended, such as a shell by "exit".
	FailsWithin = 2 * time.Second
	firstPause  = time.Second
	longestStop = 30 * time.Second
)

// Backoff is the pause policy of one service. Its zero value is ready.
type Backoff struct {
	fails int
}

// Next returns the pause before the next start of a service that ran for that
// long, and whether that counts as a failure.
func (b *Backoff) Next(ran time.Duration) (pause time.Duration, failing bool) {
	if ran >= FailsWithin {
		b.fails = 0
		return 0, false
	}
	b.fails++
	pause = firstPause
	for range b.fails - 1 {
		if pause *= 2; pause >= longestStop {
			return longestStop, true
		}
	}
	return pause, true
}

// Condition is how a service stands.
type Condition string

// The conditions.
const (
	Runs    Condition = "runs"
	Waits   Condition = "waits"   // it has ended and is started again after a pause
	Stops   Condition = "stops"   // it was told to end
	Stopped Condition = "stopped" // somebody has ended it, or it was never started
	Rests   Condition = "ended"   // it ended in order and is not to be started again
	Failed  Condition = "failed"  // it ended and may not be started again
)

// Ended is the report about a service that has ended by itself.
type Ended struct {
	Name     string
	Err      error // nil where it ended in order
	Failing  bool  // it ended at once
	Critical bool
	Next     Condition     // Waits, Rests or Failed
	Pause    time.Duration // until it is started again
	Starts   int           // up to now
}

// String says what happened and what happens next.
func (e Ended) String() string {
	what := "ended"
	if e.Err != nil {
		what = e.Err.Error()
	}
	if e.Failing {
		what += " right after its start"
	}
	switch {
	case e.Next == Rests:
		return fmt.Sprintf("service %s: %s", e.Name, what)
	case e.Next == Failed:
		return fmt.Sprintf("service %s: %s; it has failed after %d starts and is not started again", e.Name, what, e.Starts)
	case e.Pause == 0:
		return fmt.Sprintf("service %s: %s; started again", e.Name, what)
	}
	return fmt.Sprintf("service %s: %s; started again in %v", e.Name, what, e.Pause)
}

// history decides what follows from the ends of one service.
type history struct {
	backoff  Backoff
	restarts []time.Duration // when it was started again
}

// next decides on a service that has ended at now, after it ran for that long.
func (h *history) next(s Spec, err error, now, ran time.Duration) Ended {
	e := Ended{Name: s.Name, Err: err, Critical: s.Critical}
	e.Pause, e.Failing = h.backoff.Next(ran)
	again := s.Restart == Always || s.Restart == OnFailure && err != nil
	h.restarts = slices.DeleteFunc(h.restarts, func(at time.Duration) bool { return now-at > s.Limit.Within })
	switch {
	case !again && err == nil:
		e.Next, e.Failing, e.Pause = Rests, false, 0
	case !again || s.Limit.Restarts >= 0 && len(h.restarts) >= s.Limit.Restarts:
		e.Next, e.Pause = Failed, 0
	default:
		e.Next = Waits
		if s.Limit.Restarts >= 0 {
			h.restarts = append(h.restarts, now)
		}
	}
	return e
}
