package fakefw

import (
	"slices"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// event is a timer: it is signalled when the machine's time reaches due.
type event struct {
	set bool
	due time.Duration
}

// keyEvent is the event that the console signals while a key is waiting.
const keyEvent = 0x0ff0

// timedKey is a key stroke that comes at a time.
type timedKey struct {
	due time.Duration
	key uefi.Key
}

// Type queues key strokes, one for each character of s: "\r" is Enter.
func (fw *Firmware) Type(s string) { fw.TypeAfter(0, s) }

// Press queues key strokes by scan code.
func (fw *Firmware) Press(codes ...uefi.ScanCode) { fw.PressAfter(0, codes...) }

// TypeAfter is Type for keys that come after the machine's time went on by d.
func (fw *Firmware) TypeAfter(d time.Duration, s string) {
	for _, r := range s {
		fw.queue(d, uefi.Key{Rune: r})
	}
}

// PressAfter is Press for keys that come after the machine's time went on by d.
func (fw *Firmware) PressAfter(d time.Duration, codes ...uefi.ScanCode) {
	for _, c := range codes {
		fw.queue(d, uefi.Key{Scan: c})
	}
}

func (fw *Firmware) queue(d time.Duration, k uefi.Key) {
	fw.keys = append(fw.keys, timedKey{fw.now + d, k})
	slices.SortStableFunc(fw.keys, func(a, b timedKey) int { return int(a.due - b.due) })
}

func (fw *Firmware) readKeyStroke(args []uintptr) uefi.Status {
	if len(fw.keys) == 0 || fw.keys[0].due > fw.now {
		return uefi.ErrNotReady
	}
	k := fw.keys[0].key
	fw.keys = fw.keys[1:]
	*raw.At[raw.InputKey](args[1]) = raw.InputKey{ScanCode: uint16(k.Scan), UnicodeChar: uint16(k.Rune)}
	return uefi.Success
}

func (fw *Firmware) createEvent(args []uintptr) uefi.Status {
	if args[0] != raw.EventTimer || args[2] != 0 {
		return uefi.ErrInvalidParameter
	}
	id := fw.newID()
	fw.events[id] = &event{}
	*raw.At[uintptr](args[4]) = id
	return uefi.Success
}

func (fw *Firmware) setTimer(args []uintptr) uefi.Status {
	e := fw.events[args[0]]
	if e == nil || args[1] != raw.TimerRelative {
		return uefi.ErrInvalidParameter
	}
	e.set, e.due = true, fw.now+100*time.Duration(args[2])
	return uefi.Success
}

func (fw *Firmware) closeEvent(args []uintptr) uefi.Status {
	if fw.events[args[0]] == nil {
		return uefi.ErrInvalidParameter
	}
	delete(fw.events, args[0])
	return uefi.Success
}

// due is when an event is signalled; false if never.
func (fw *Firmware) due(id uintptr) (time.Duration, bool) {
	if id == keyEvent {
		if len(fw.keys) == 0 {
			return 0, false
		}
		return fw.keys[0].due, true
	}
	e := fw.events[id]
	return e.due, e.set
}

// waitForEvent lets the machine's time pass until the first event. If there is
// none to come, the program waits for ever: that ends Run.
func (fw *Firmware) waitForEvent(args []uintptr) uefi.Status {
	first, found := -1, time.Duration(0)
	for i, id := range raw.Slice[uintptr](args[1], int(args[0])) {
		if id != keyEvent && fw.events[id] == nil {
			return uefi.ErrInvalidParameter
		}
		if due, ok := fw.due(id); ok && (first < 0 || due < found) {
			first, found = i, due
		}
	}
	if first < 0 {
		panic(ending{End{How: Waiting}})
	}
	fw.now = max(fw.now, found)
	id := raw.Slice[uintptr](args[1], int(args[0]))[first]
	if e := fw.events[id]; e != nil {
		e.set = false
	}
	*raw.At[uintptr](args[2]) = uintptr(first)
	return uefi.Success
}
