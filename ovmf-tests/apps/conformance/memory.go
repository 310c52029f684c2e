package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func memoryChecks(r *report.Report) {
	r.Check("a map of ten thousand", func() error {
		m := map[string]int{}
		for i := range 10_000 {
			m[strconv.Itoa(i)] = i
		}
		if len(m) != 10_000 || m["777"] != 777 {
			return fmt.Errorf("%d entries, 777 is %d", len(m), m["777"])
		}
		return nil
	})
	r.Check("300 MB of garbage", func() error {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var sink [64][]byte
		for i := range 3000 {
			sink[i%64] = make([]byte, 100<<10)
			sink[i%64][i] = 1
		}
		runtime.ReadMemStats(&after)
		if collections := after.NumGC - before.NumGC; collections < 2 {
			return fmt.Errorf("%d collections", collections)
		}
		return nil
	})
	r.Check("collections keep a live tree", func() error {
		live := grow(14)
		for range 3 {
			grow(13)
			runtime.GC()
		}
		return want(live.count(), 1<<15-1)
	})
	r.Check("released memory is free again", released)
}

type tree struct {
	left, right *tree
	leaf        []byte
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{leaf: make([]byte, 64)}
	}
	return &tree{left: grow(depth - 1), right: grow(depth - 1)}
}

func (t *tree) count() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.count() + t.right.count()
}

// inUse is how many pages are behind addresses; pages in hand are not.
func inUse() uint64 {
	s := goefi.ReadStats()
	return s.Pages - s.FreePages
}

// released makes the heap large, drops it, and looks at how much memory is behind it.
func released() error {
	const size = 24 << 20
	live := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		live[i] = byte(i >> 12)
	}
	large := inUse()
	runtime.KeepAlive(live)
	live = nil
	debug.FreeOSMemory()
	small := inUse()
	if large-small < size/4096/2 {
		return fmt.Errorf("%d KiB with a heap of %d KiB, %d KiB without it", large*4, size>>10, small*4)
	}
	again := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		if again[i] != 0 {
			return fmt.Errorf("byte %d of fresh memory is %#x", i, again[i])
		}
	}
	return nil
}
