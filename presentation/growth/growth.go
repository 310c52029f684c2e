// Package growth tells tests whether what they do over and over takes more and more of
// the process: memory, goroutines, file descriptors, mappings. What a hostile guest does
// must not.
package growth

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// Every is the number of steps between two looks. A leak of one thing in each step is
// seen at the second one.
const Every = 1000

// What may be there more than at the first look: things that come and go.
const (
	slackBytes = 32 << 20
	slack      = 100
)

// Watch looks at the process again and again. The zero value is ready.
type Watch struct {
	steps int
	first use
}

type use struct {
	heapBytes                         uint64
	goroutines, descriptors, mappings int
}

// Step is called after each step. It ends the test where the process has grown since
// the first look.
func (w *Watch) Step(t testing.TB) {
	t.Helper()
	if w.steps++; w.steps%Every != 0 {
		return
	}
	now := measure(t)
	if w.steps == Every {
		w.first = now
		return
	}
	if was := w.first; now.heapBytes > was.heapBytes+slackBytes || now.goroutines > was.goroutines+slack ||
		now.descriptors > was.descriptors+slack || now.mappings > was.mappings+slack {
		t.Fatalf("after %d steps this process has %+v, after %d it had %+v", w.steps, now, Every, was)
	}
}

func measure(t testing.TB) use {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return use{m.HeapAlloc, runtime.NumGoroutine(), len(files), bytes.Count(maps, []byte{'\n'})}
}

// Mutate changes a few bytes of a copy of a seed, and may repeat a part of it, or end it.
func Mutate(random *rand.Rand, seed []byte) []byte {
	b := bytes.Clone(seed)
	for range random.IntN(8) {
		if len(b) == 0 {
			return b
		}
		at := random.IntN(len(b))
		switch random.IntN(8) {
		case 0:
			b = append(b, b[at:]...)
		case 1:
			b = b[:at]
		default:
			b[at] = byte(random.Uint32())
		}
	}
	return b
}
