package service_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/service"
)

func TestBackoff(t *testing.T) {
	var b service.Backoff
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
	if pause, failing := b.Next(service.FailsWithin); pause != 0 || failing {
		t.Errorf("after a good run: pause %v, failing %v", pause, failing)
	}
	if pause, _ := b.Next(0); pause != time.Second {
		t.Errorf("a good run did not reset the pause: %v", pause)
	}
}

// fakeClock moves only when something sleeps or runs.
type fakeClock struct{ now time.Duration }

func (c *fakeClock) Now() time.Duration { return c.now }

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now += d
	return ctx.Err()
}

// keep runs a service whose n-th run is runs[n], and returns the reports.
func keep(runs ...func(*fakeClock) error) []service.Ended {
	ctx, cancel := context.WithCancel(context.Background())
	clock := &fakeClock{}
	var reports []service.Ended
	n := 0
	service.Keep(ctx, service.Service{Name: "x", Run: func(context.Context) error {
		run := runs[n]
		n++
		return run(clock)
	}}, clock, func(e service.Ended) {
		if reports = append(reports, e); len(reports) == len(runs) {
			cancel()
		}
	})
	return reports
}

func TestKeep(t *testing.T) {
	reports := keep(
		func(c *fakeClock) error { c.now += time.Minute; return nil },
		func(*fakeClock) error { return errors.New("broken") },
		func(*fakeClock) error { panic("boom") },
		func(c *fakeClock) error { c.now += time.Minute; return errors.New("late") },
	)
	want := []struct {
		failing bool
		pause   time.Duration
		text    []string
	}{
		{false, 0, []string{"service x: ended; started again"}},
		{true, time.Second, []string{"service x: broken right after its start", "in 1s"}},
		{true, 2 * time.Second, []string{"panic: boom", "service_test.go", "in 2s"}},
		{false, 0, []string{"service x: late; started again"}},
	}
	if len(reports) != len(want) {
		t.Fatalf("%d reports, want %d", len(reports), len(want))
	}
	for i, w := range want {
		if reports[i].Failing != w.failing || reports[i].Pause != w.pause {
			t.Errorf("report %d: %+v", i, reports[i])
		}
		for _, text := range w.text {
			if !strings.Contains(reports[i].String(), text) {
				t.Errorf("report %d %q does not say %q", i, reports[i], text)
			}
		}
	}
}

func TestKeepEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	service.Keep(ctx, service.Service{Name: "x", Run: func(context.Context) error {
		cancel()
		return errors.New("killed at the end of the machine")
	}}, &fakeClock{}, func(e service.Ended) { t.Errorf("report at the end of the machine: %v", e) })
}
