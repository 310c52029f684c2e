package watchdog

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
)

func TestDecodeWDAT(t *testing.T) {
	d, err := decodeWDAT(watchdogtest.TCOTable().Encode())
	if err != nil {
		t.Fatal(err)
	}
	if d.period != 1200*time.Millisecond || d.least != 4 || d.most != 0x3ff || !d.enabled || d.legacyPCI || d.clock {
		t.Errorf("header is %+v", d)
	}
	want := []instruction{{operation: writeValue, preserve: true, space: memorySpace, address: watchdogtest.GCS, size: 4, shift: 5, mask: 1}}
	if got := d.actions[actionSetReboot]; !reflect.DeepEqual(got, want) {
		t.Errorf("actionSetReboot is %+v, want %+v", got, want)
	}
	if err := d.check(); err != nil {
		t.Error(err)
	}
}

// without takes an action out of a table.
func without(action uint8) func(w *watchdogtest.WDAT) {
	return func(w *watchdogtest.WDAT) {
		var kept []watchdogtest.WDATEntry
		for _, e := range w.Entries {
			if e.Action != action {
				kept = append(kept, e)
			}
		}
		w.Entries = kept
	}
}

// first changes the first instruction of a table.
func first(change func(e *watchdogtest.WDATEntry)) func(w *watchdogtest.WDAT) {
	return func(w *watchdogtest.WDAT) { change(&w.Entries[0]) }
}

func TestUnusableWDAT(t *testing.T) {
	for want, change := range map[string]func(w *watchdogtest.WDAT){
		"it is switched off":                     func(w *watchdogtest.WDAT) { w.Flags = 0x80 },
		"it is a PCI device":                     func(w *watchdogtest.WDAT) { w.Bus, w.Device = 0, 5 },
		"in steps of 0s":                         func(w *watchdogtest.WDAT) { w.PeriodMS = 0 },
		"from 0 to 0":                            func(w *watchdogtest.WDAT) { w.Min, w.Max = 0, 0 },
		"from 5 to 4":                            func(w *watchdogtest.WDAT) { w.Min, w.Max = 5, 4 },
		"from 4000000 to 4000000":                func(w *watchdogtest.WDAT) { w.Min, w.Max = 4e6, 4e6 },
		"how to make it count from the start":    without(1),
		"how to make it set its countdown":       without(6),
		"how to make it tell that it runs":       without(8),
		"how to make it run":                     without(9),
		"how to make it stop":                    without(0xb),
		"access size 0 is not one of 1, 2 and 3": first(func(e *watchdogtest.WDATEntry) { e.AccessSize = 0 }),
		"access size 4 is not one of 1, 2 and 3": first(func(e *watchdogtest.WDATEntry) { e.AccessSize = 4 }),
		"address space 2 is neither":             first(func(e *watchdogtest.WDATEntry) { e.Space = 2 }),
		"there is no port 0xffff":                first(func(e *watchdogtest.WDATEntry) { e.Address = 0xffff }),
		"there is no memory":                     first(func(e *watchdogtest.WDATEntry) { e.Space, e.Address = 0, ^uint64(0) }),
		"bit offset 32":                          first(func(e *watchdogtest.WDATEntry) { e.BitOffset = 32 }),
		"operation 4 is unknown":                 first(func(e *watchdogtest.WDATEntry) { e.Instruction = 0x84 }),
		"300 instructions in 7268 bytes": func(w *watchdogtest.WDAT) {
			w.Entries = append(make([]watchdogtest.WDATEntry, 288, 300), w.Entries...)
			for i := range w.Entries {
				w.Entries[i].AccessSize = 1
			}
		},
	} {
		w := watchdogtest.TCOTable()
		change(&w)
		d, err := decodeWDAT(w.Encode())
		if err == nil {
			err = d.check()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestWDATWithoutOptionalActions(t *testing.T) {
	m := watchdogtest.New()
	tco := m.AddTCO(2)
	w := watchdogtest.TCOTable()
	for _, action := range []uint8{4, 5, 0xa, 0x10, 0x20, 0x21} {
		without(action)(&w)
	}
	m.SetTable(wdatSignature, w.Encode())
	dogs, err := Find(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dogs[0].Arm(time.Minute); err != nil || !tco.Armed() {
		t.Errorf("armed %v, %v", tco.Armed(), err)
	}
	if _, err := dogs[0].Fired(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("whether it fired: %v, want it not to tell", err)
	}
}

// TestWDATWithCountInReset: a table need not set a countdown if each reset does.
func TestWDATWithCountInReset(t *testing.T) {
	w := watchdogtest.TCOTable()
	without(1)(&w)
	for i := range w.Entries {
		if w.Entries[i].Action == 6 {
			w.Entries[i].Action = 1
		}
	}
	without(5)(&w)
	m := watchdogtest.New()
	m.AddTCO(2)
	m.SetTable(wdatSignature, w.Encode())
	dogs, err := Find(m)
	if err != nil {
		t.Fatal(err)
	}
	actual, err := dogs[0].Arm(time.Minute)
	if err != nil || actual < time.Minute {
		t.Fatalf("%v, %v", actual, err)
	}
	if m.Advance(actual); m.Resets() != 1 {
		t.Error("not reset")
	}
}

// blank is hardware on which every register reads as the same.
type blank struct {
	value    uint32
	table    []byte
	accesses int
}

func (b *blank) ACPITable(string) ([]byte, error)                  { return b.table, nil }
func (b *blank) PCIFunctions() ([]uint32, error)                   { return nil, nil }
func (b *blank) ReadConfig(uint32, int, int) (uint32, error)       { return b.read() }
func (b *blank) WriteConfig(uint32, int, int, uint32) error        { return b.write() }
func (b *blank) ReadPort(uint16, int) (uint32, error)              { return b.read() }
func (b *blank) WritePort(uint16, int, uint32) error               { return b.write() }
func (b *blank) ReadMemory(uint64, int) (uint32, error)            { return b.read() }
func (b *blank) WriteMemory(address uint64, _ int, _ uint32) error { return b.write() }
func (b *blank) read() (uint32, error)                             { b.accesses++; return b.value, nil }
func (b *blank) write() error                                      { b.accesses++; return nil }

// FuzzWDAT: whatever a table says, it is refused, or used with few accesses and
// with a time that makes sense.
func FuzzWDAT(f *testing.F) {
	f.Add(watchdogtest.TCOTable().Encode(), uint32(0), int64(time.Minute))
	f.Add(watchdogtest.QEMUTable().Encode(), uint32(1<<11), int64(0))
	f.Add(watchdogtest.TCOTable().Encode()[:200], ^uint32(0), int64(-1))
	f.Fuzz(func(t *testing.T, table []byte, value uint32, timeout int64) {
		h := &blank{value: value, table: table}
		dogs, _ := Find(h)
		for _, w := range dogs {
			actual, err := w.Arm(time.Duration(timeout))
			if err == nil && (actual <= 0 || actual > 48*time.Hour) {
				t.Errorf("%v became %v", time.Duration(timeout), actual)
			}
			_, _ = w.Fired()
			_, _, _ = w.ClearFired(), w.Disarm(), w.Name()
		}
		if h.accesses > 20*2*maxWDATEntries {
			t.Errorf("%d accesses", h.accesses)
		}
	})
}

// FuzzDecodeWDAT: what is decoded is what the table says, and no more than fits.
func FuzzDecodeWDAT(f *testing.F) {
	f.Add(watchdogtest.TCOTable().Encode())
	f.Add(watchdogtest.WDAT{}.Encode())
	f.Fuzz(func(t *testing.T, table []byte) {
		d, err := decodeWDAT(table)
		if err != nil {
			return
		}
		n := 0
		for a, steps := range d.actions {
			for _, i := range steps {
				n++
				if i.size != 1 && i.size != 2 && i.size != 4 || i.shift > 31 || i.operation > writeCountdown || i.space > portSpace {
					t.Errorf("action %#x: %+v", a, i)
				}
			}
		}
		if n > (len(table)-wdatHeaderBytes)/wdatEntryBytes {
			t.Errorf("%d instructions in %d bytes", n, len(table))
		}
	})
}
