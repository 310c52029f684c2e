package watchdog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// wdatSignature is that of the ACPI table, the Watchdog Action Table.
const wdatSignature = "WDAT"

// action is what a WDAT has instructions for.
type action uint8

// The actions used here.
const (
	actionReset          action = 0x01 // count from the start
	actionQueryCountdown action = 0x05 // what it counts from
	actionSetCountdown   action = 0x06
	actionQueryRunning   action = 0x08
	actionSetRunning     action = 0x09
	actionQueryStopped   action = 0x0a
	actionSetStopped     action = 0x0b
	actionQueryReboot    action = 0x10 // whether it resets the machine when it fires
	actionSetReboot      action = 0x11
	actionQueryStatus    action = 0x20 // whether it has fired
	actionClearStatus    action = 0x21
	actionCount                 = 0x22
)

// actionNames are what errors say that the watchdog did not do.
var actionNames = map[action]string{
	actionReset: "count from the start", actionQueryCountdown: "tell its countdown", actionSetCountdown: "set its countdown",
	actionQueryRunning: "tell that it runs", actionSetRunning: "run",
	actionQueryStopped: "tell that it stands", actionSetStopped: "stop",
	actionQueryReboot: "tell that it resets the machine", actionSetReboot: "take that it resets the machine",
	actionQueryStatus: "tell whether it fired", actionClearStatus: "forget that it fired",
}

func (a action) String() string { return actionNames[a] }

// operation is what one instruction does.
type operation uint8

const (
	readValue      operation = 0
	readCountdown  operation = 1
	writeValue     operation = 2
	writeCountdown operation = 3
	preserveBits             = 0x80 // with a write: the other bits stay
)

// instruction is one step of an action.
type instruction struct {
	operation operation
	preserve  bool
	space     space
	address   uint64
	size      int // of the register in bytes
	shift     uint8
	value     uint32
	mask      uint32 // after the shift
}

// wdat is a decoded Watchdog Action Table.
type wdat struct {
	period      time.Duration // of one count
	least, most uint32        // counts
	enabled     bool
	legacyPCI   bool // the table is for a PCI device with a driver of its own
	clock       bool // it reaches into the real-time clock, as Linux's driver of that does
	actions     [actionCount][]instruction
}

// Layout of the table, all little-endian. Bytes 36 to 39 are the length of the
// watchdog's header, which ends where the instructions begin.
const (
	wdatSegment     = 40
	wdatPeriod      = 48
	wdatMost        = 52
	wdatLeast       = 56
	wdatFlags       = 60
	wdatEntries     = 64
	wdatHeaderBytes = 68
	wdatEntryBytes  = 24

	wdatEnabled = 1 << 0 // of the flags

	// maxWDATEntries is far more than the 14 actions need.
	maxWDATEntries = 256
)

// noPCIDevice is in the place of segment, bus, device and function.
var noPCIDevice = [5]byte{0xff, 0x00, 0xff, 0xff, 0xff}

// decodeWDAT decodes a table whose checksum is right. Actions that the
// specification does not know are skipped, as Linux does.
func decodeWDAT(b []byte) (*wdat, error) {
	if len(b) < wdatHeaderBytes || string(b[:4]) != wdatSignature {
		return nil, fmt.Errorf("decode WDAT: %d bytes are no such table", len(b))
	}
	word := binary.LittleEndian.Uint32
	count := word(b[wdatEntries:])
	if count > maxWDATEntries || int(count) > (len(b)-wdatHeaderBytes)/wdatEntryBytes {
		return nil, fmt.Errorf("decode WDAT: %d instructions in %d bytes", count, len(b))
	}
	d := &wdat{
		period: time.Duration(word(b[wdatPeriod:])) * time.Millisecond,
		least:  word(b[wdatLeast:]), most: word(b[wdatMost:]),
		enabled:   b[wdatFlags]&wdatEnabled != 0,
		legacyPCI: [5]byte(b[wdatSegment:]) != noPCIDevice,
	}
	for i := range int(count) {
		entry := b[wdatHeaderBytes+i*wdatEntryBytes:][:wdatEntryBytes]
		a := action(entry[0])
		d.clock = d.clock || usesClock(entry)
		if a >= actionCount {
			continue
		}
		step, err := decodeInstruction(entry)
		if err != nil {
			return nil, fmt.Errorf("decode WDAT: instruction %d: %w", i, err)
		}
		d.actions[a] = append(d.actions[a], step)
	}
	return d, nil
}

// decodeInstruction decodes one entry: action, instruction, two reserved bytes,
// the register as an ACPI generic address (ACPI 6.5 §5.2.3.2), value and mask.
func decodeInstruction(b []byte) (instruction, error) {
	i := instruction{
		operation: operation(b[1] &^ preserveBits), preserve: b[1]&preserveBits != 0,
		space: space(b[4]), shift: b[6], address: binary.LittleEndian.Uint64(b[8:]),
		value: binary.LittleEndian.Uint32(b[16:]), mask: binary.LittleEndian.Uint32(b[20:]),
	}
	switch accessSize := b[7]; accessSize {
	case 1, 2, 3:
		i.size = 1 << (accessSize - 1)
	default:
		return i, fmt.Errorf("access size %d is not one of 1, 2 and 3", accessSize)
	}
	switch {
	case i.operation > writeCountdown:
		return i, fmt.Errorf("operation %d is unknown", i.operation)
	case i.space != memorySpace && i.space != portSpace:
		return i, fmt.Errorf("address space %d is neither memory nor ports", i.space)
	case i.space == portSpace && i.address > 0x10000-uint64(i.size):
		return i, fmt.Errorf("there is no port %#x", i.address)
	case i.address+uint64(i.size) < i.address:
		return i, fmt.Errorf("there is no memory at %#x", i.address)
	case i.shift > 31:
		return i, fmt.Errorf("bit offset %d is beyond 31", i.shift)
	}
	return i, nil
}

// usesClock reports whether an entry reaches into the real-time clock's ports.
func usesClock(entry []byte) bool {
	port := binary.LittleEndian.Uint64(entry[8:])
	return space(entry[4]) == portSpace && port >= 0x70 && port <= 0x73
}

// requiredActions are those without which a watchdog cannot be armed, be seen to
// be, and be stopped again; the specification requires them too.
var requiredActions = []action{actionReset, actionQueryRunning, actionSetRunning, actionSetStopped}

// maxLeast bounds the shortest time that a watchdog can be set to.
const maxLeast = time.Hour

// check is why the watchdog cannot be used.
func (d *wdat) check() error {
	switch {
	case !d.enabled:
		return errors.New("it is switched off in the firmware's setup")
	case d.legacyPCI:
		return errors.New("it is a PCI device, which is not driven through the table")
	case d.period < time.Millisecond || d.least > d.most || d.most == 0 || d.least > uint32(maxLeast/d.period):
		return fmt.Errorf("it counts from %d to %d in steps of %v", d.least, d.most, d.period)
	}
	for _, a := range requiredActions {
		if len(d.actions[a]) == 0 {
			return fmt.Errorf("the table does not say how to make it %v", a)
		}
	}
	if !d.reads(actionQueryRunning) {
		return fmt.Errorf("the table does not say how to make it %v", actionQueryRunning)
	}
	if d.countMask() == 0 || d.least > d.countMask() {
		return fmt.Errorf("the table does not say how to make it %v", actionSetCountdown)
	}
	return nil
}

// reads reports whether an action reads something.
func (d *wdat) reads(a action) bool {
	return slices.ContainsFunc(d.actions[a], func(i instruction) bool { return i.operation <= readCountdown })
}

// countMask is the largest count that can be written, 0 if none can.
func (d *wdat) countMask() uint32 {
	mask := ^uint32(0)
	writes := 0
	for _, a := range []action{actionSetCountdown, actionReset} {
		for _, i := range d.actions[a] {
			if i.operation == writeCountdown {
				writes++
				mask &= i.mask
			}
		}
	}
	if writes == 0 {
		return 0
	}
	return mask
}
