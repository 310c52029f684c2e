package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// schedulingChecks never ask how long something took at most: an emulated machine may be arbitrarily slow. What hangs is found
// by the harness, which misses the last line.
func schedulingChecks(r *report.Report) {
	r.Check("goroutines and channels", func() error {
		var wg sync.WaitGroup
		ch := make(chan int)
		for i := range 100 {
			wg.Go(func() { ch <- i })
		}
		go func() { wg.Wait(); close(ch) }()
		sum := 0
		for v := range ch {
			sum += v
		}
		return want(sum, 4950)
	})
	r.Check("sleep", func() error { return noEarlier(50*time.Millisecond, func() { time.Sleep(50 * time.Millisecond) }) })
	r.Check("timer", func() error {
		return noEarlier(30*time.Millisecond, func() {
			fired := make(chan bool)
			time.AfterFunc(30*time.Millisecond, func() { fired <- true })
			<-fired
		})
	})
	r.Check("ticker and context", tickerAndContext)
	r.Check("sleep beside a spinning select", spinningSelect)
	r.Check("preemption of a loop without calls", tightLoop)
	r.Check("goroutine locked to a thread", lockedThread)
	r.Check("floating point across interrupts", floatingPoint)
}

func want[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func noEarlier(d time.Duration, f func()) error {
	start := time.Now()
	f()
	if took := time.Since(start); took < d {
		return fmt.Errorf("over after %v, want at least %v", took, d)
	}
	return nil
}

func tickerAndContext() error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	ticks := 0
	for {
		select {
		case <-ticker.C:
			ticks++
		case <-ctx.Done():
			if ticks == 0 {
				return errors.New("no tick before the deadline")
			}
			return nil
		}
	}
}

// spinningSelect needs the runtime's monitor thread to run, which an interrupt must make possible.
func spinningSelect() error {
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				close(stop)
				return
			default: //lint:ignore SA5004 spinning is the point
			}
		}
	}()
	time.Sleep(20 * time.Millisecond)
	stop <- true
	<-stop
	return nil
}

// tightLoop needs a timer interrupt and a signal.
func tightLoop() error {
	before := goefi.ReadStats().Signals
	var stop atomic.Bool
	done := make(chan uint64)
	go func() {
		n := uint64(0)
		for !stop.Load() {
			n++
		}
		done <- n
	}()
	time.Sleep(20 * time.Millisecond)
	stop.Store(true)
	<-done
	if goefi.ReadStats().Signals == before {
		return errors.New("no signal was sent to the loop")
	}
	return nil
}

func lockedThread() error {
	ids := make(chan int)
	for range 4 {
		go func() {
			runtime.LockOSThread() // and end the thread with the goroutine
			sum := 0
			for i := range 1000 {
				sum += i
				runtime.Gosched()
			}
			ids <- sum
		}()
	}
	for range 4 {
		if err := want(<-ids, 499500); err != nil {
			return err
		}
	}
	return nil
}

// floatingPoint computes the same series in several goroutines that interrupt each other.
func floatingPoint() error {
	series := func() float64 {
		f := 1.0
		for i := range 5_000_000 {
			f = f*1.0000001 - float64(i&1)*1e-9
		}
		return f
	}
	results := make(chan float64)
	for range 4 {
		go func() { results <- series() }()
	}
	first := <-results
	for range 3 {
		if err := want(<-results, first); err != nil {
			return err
		}
	}
	return nil
}
