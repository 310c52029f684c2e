package fakefw

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rayos/rayboot/efi/uefi"
)

// How says how a program ended.
type How int

// The ends of a program.
const (
	Returned How = iota // it returned to the firmware
	Booted              // an image took the machine over
	Reset               // it reset the machine or turned it off
	Waiting             // it waits for a key that will never come
)

var howNames = [...]string{"returned", "booted", "reset", "waiting"}

// String names the end.
func (h How) String() string { return howNames[h] }

// End is the end of a program.
type End struct {
	How   How
	Image *Image         // that booted
	Reset uefi.ResetType // if it reset
}

// ending travels from a function of the firmware that does not return to Run.
type ending struct{ end End }

// String is what a test sees that has no Run around such a function.
func (e ending) String() string {
	return fmt.Sprintf("fakefw: the program is over (%v), outside of Firmware.Run", e.end.How)
}

// Run runs a program and says how it ended: functions of the firmware that do
// not return unwind it.
func (fw *Firmware) Run(program func()) (end End) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case ending:
			end = p.end
		default:
			panic(p)
		}
	}()
	program()
	return End{How: Returned}
}

func (fw *Firmware) resetSystem(args []uintptr) uefi.Status {
	panic(ending{End{How: Reset, Reset: uefi.ResetType(args[0])}})
}

// Leaks lists what the program has not given back: pages, pool, events, open
// files, loaded images and protocols. A program that returned has none.
func (fw *Firmware) Leaks() []string {
	var leaks []string
	for _, addr := range slices.Sorted(maps.Keys(fw.memory.pages)) {
		leaks = append(leaks, fmt.Sprintf("%d bytes of pages", len(fw.memory.pages[addr])))
	}
	if n := len(fw.memory.pool) - len(fw.openFiles); n > 0 {
		leaks = append(leaks, fmt.Sprintf("%d pool buffers", n))
	}
	if n := len(fw.events); n > 0 {
		leaks = append(leaks, fmt.Sprintf("%d events", n))
	}
	for _, f := range fw.openFiles {
		leaks = append(leaks, fmt.Sprintf("open file %q", f.node.name))
	}
	for _, img := range fw.images {
		leaks = append(leaks, "loaded image "+img.String())
	}
	for _, h := range fw.handles {
		if h.program {
			leaks = append(leaks, fmt.Sprintf("%d protocols installed", len(h.protocols)))
		}
	}
	slices.Sort(leaks)
	return leaks
}
