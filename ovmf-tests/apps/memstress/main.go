// Command memstress looks inside a virtual machine for memory that is not as the Go runtime was promised: everything fresh must be
// zero, and nothing live may change. It runs for ten seconds, or as long as its argument says (`memstress.efi 10m`), and ends as
// package report says. It also shows that memory use stays flat.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func main() {
	sys := report.Open()
	duration := 10 * time.Second
	if len(os.Args) > 1 {
		if d, err := time.ParseDuration(os.Args[1]); err == nil {
			duration = d
		}
	}
	var r report.Report
	r.Check("the watchdog timer is off", func() error { return sys.SetWatchdog(0) })
	r.Check("fresh memory is zero and live memory stays", func() error { return stress(sys, time.Now().Add(duration)) })
	r.Finish(sys)
}

// stress runs rounds of several kinds of work side by side until the time is over.
func stress(sys *uefi.System, end time.Time) error {
	var first error
	var peak uint64
	rounds := 0
	for time.Now().Before(end) || rounds < 2 {
		var wg sync.WaitGroup
		errs := make(chan error, 3)
		wg.Go(func() { errs <- large(rounds) })
		wg.Go(func() { errs <- trees() })
		wg.Go(func() { errs <- calls(sys) })
		wg.Wait()
		for range 3 {
			if err := <-errs; err != nil && first == nil {
				first = err
			}
		}
		if first != nil {
			break
		}
		if rounds++; rounds%4 == 0 {
			debug.FreeOSMemory()
		}
		peak = max(peak, goefi.ReadStats().Pages)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := goefi.ReadStats()
	fmt.Printf("%d rounds, %d collections, %d page faults, %d KiB released, peak %d KiB, now %d KiB\n",
		rounds, m.NumGC, s.PageFaults, s.Released*4, peak*4, s.Pages*4)
	return first
}

// large allocates 40 MB in pieces of 100 KB, of which 64 live at a time.
func large(round int) error {
	var live [64][]byte
	for i := range 400 {
		b := make([]byte, 100<<10)
		for j, v := range b {
			if v != 0 {
				return fmt.Errorf("round %d: byte %d of fresh memory is %#x", round, j, v)
			}
		}
		b[i] = 1
		old := live[i%len(live)]
		if old != nil && old[i-len(live)] != 1 {
			return fmt.Errorf("round %d: live memory has changed", round)
		}
		live[i%len(live)] = b
	}
	return nil
}

type node struct {
	left, right *node
	leaf        []byte
}

// trees allocates many small objects.
func trees() error {
	root, err := grow(12)
	if err != nil {
		return err
	}
	if n := root.count(); n != 1<<13-1 {
		return fmt.Errorf("a tree of 8191 nodes has %d", n)
	}
	return nil
}

func grow(depth int) (*node, error) {
	n := new(node)
	if n.left != nil || n.right != nil || n.leaf != nil {
		return nil, fmt.Errorf("a fresh node at %p is not zero", n)
	}
	if depth == 0 {
		n.leaf = make([]byte, 64)
		for _, v := range n.leaf {
			if v != 0 {
				return nil, fmt.Errorf("a fresh leaf at %p is not zero", &n.leaf[0])
			}
		}
		return n, nil
	}
	var err error
	if n.left, err = grow(depth - 1); err != nil {
		return nil, err
	}
	n.right, err = grow(depth - 1)
	return n, err
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

// calls uses the firmware in between.
func calls(sys *uefi.System) error {
	for range 5 {
		if _, err := sys.BootOrder(); err != nil {
			return err
		}
		if _, err := sys.MemoryMap(); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
