// Package service keeps the runtime's services running: a service that ends,
// fails or panics is reported with its name, the reason and what happens next,
// and is started again, with growing pauses where it ends at once.
package service

import (
	"context"
	"fmt"
	"runtime/debug"
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

// Service is one thing to keep running.
type Service struct {
	Name string
	Run  func(context.Context) error // returns when the service has ended
}

// Ended is the report about a service that has ended.
type Ended struct {
	Name    string
	Err     error // nil where it ended by itself and in order
	Failing bool  // it ended at once
	Pause   time.Duration
}

// String says what happened and what happens next.
func (e Ended) String() string {
	what := "ended"
	if e.Err != nil {
		what = e.Err.Error()
	}
	if !e.Failing {
		return fmt.Sprintf("service %s: %s; started again", e.Name, what)
	}
	return fmt.Sprintf("service %s: %s right after its start; started again in %v", e.Name, what, e.Pause)
}

// Clock is what Keep needs of time.
type Clock interface {
	Now() time.Duration // monotonic
	// Sleep waits, or returns early with the context's error.
	Sleep(context.Context, time.Duration) error
}

// Keep runs the service until the context ends. report is called each time
// that the service has ended.
func Keep(ctx context.Context, s Service, clock Clock, report func(Ended)) {
	var backoff Backoff
	for {
		begin := clock.Now()
		err := guarded(ctx, s)
		if ctx.Err() != nil {
			return
		}
		pause, failing := backoff.Next(clock.Now() - begin)
		report(Ended{Name: s.Name, Err: err, Failing: failing, Pause: pause})
		if clock.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// guarded runs the service and makes an error of a panic.
func guarded(ctx context.Context, s Service) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Run(ctx)
}
