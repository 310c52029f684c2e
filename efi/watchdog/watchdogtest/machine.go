// Package watchdogtest is a machine with watchdog timers in memory, for tests of
// package watchdog and of what uses it: the timers really count, in a time that
// only the test lets pass, and really reset the machine.
//
//	m := watchdogtest.New()
//	m.AddI6300ESB()
//	dogs, err := watchdog.Find(m)
//	...
//	m.Advance(time.Minute)
//	// m.Resets() ...
//
// Every access can be looked at, made to fail and answered with a lie
// ([Machine.Intercept]). A Machine is used by one goroutine at a time.
package watchdogtest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Space is where a register lies.
type Space uint8

// The spaces.
const (
	Config Space = iota
	Port
	Memory
)

// Access is one access to a register. Function is that of an access to Config.
type Access struct {
	Space    Space
	Function uint32
	Address  uint64
	Size     int // in bytes
	Write    bool
	Value    uint32 // what is written, or what a read gives
}

// Machine implements watchdog.Hardware.
type Machine struct {
	// Intercept is asked before each access, if it is set. If it reports done, the
	// access ends there, with the error and with what is in a.Value.
	Intercept func(a *Access) (done bool, err error)

	now      time.Duration
	resets   int
	accesses int
	config   map[uint32]configSpace
	regions  []region
	devices  []device
	tables   map[string][]byte
}

// configSpace answers accesses to the configuration space of a function.
type configSpace interface{ access(a *Access) }

// region is a range of ports or memory; access sees addresses within it.
type region struct {
	space  Space
	base   func() (uint64, bool) // false while it is switched off
	length uint64
	access func(a *Access)
}

// device is what counts.
type device interface {
	deadline() (at time.Duration, counting bool)
	expire()
	reset() // by the machine
}

// New makes a machine without watchdogs.
func New() *Machine {
	return &Machine{config: make(map[uint32]configSpace), tables: make(map[string][]byte)}
}

// Resets is how often a watchdog has reset the machine.
func (m *Machine) Resets() int { return m.resets }

// Accesses is the number of accesses to registers so far.
func (m *Machine) Accesses() int { return m.accesses }

// SetTable adds or replaces an ACPI table.
func (m *Machine) SetTable(signature string, b []byte) { m.tables[signature] = b }

// Reset resets the machine for another reason than a watchdog.
func (m *Machine) Reset() {
	for _, d := range m.devices {
		d.reset()
	}
}

// Advance lets time pass.
func (m *Machine) Advance(d time.Duration) {
	for end := m.now + d; ; {
		next, at := m.next()
		if next == nil || at > end {
			m.now = end
			return
		}
		m.now = at
		next.expire()
	}
}

// next is the device whose countdown ends first.
func (m *Machine) next() (first device, at time.Duration) {
	for _, d := range m.devices {
		if t, counting := d.deadline(); counting && (first == nil || t < at) {
			first, at = d, t
		}
	}
	return first, at
}

// fire is a watchdog resetting the machine.
func (m *Machine) fire() {
	m.resets++
	m.Reset()
}

// ACPITable implements watchdog.Hardware.
func (m *Machine) ACPITable(signature string) ([]byte, error) {
	return slices.Clone(m.tables[signature]), nil
}

// PCIFunctions implements watchdog.Hardware.
func (m *Machine) PCIFunctions() ([]uint32, error) {
	return slices.Sorted(maps.Keys(m.config)), nil
}

// ReadConfig implements watchdog.Hardware.
func (m *Machine) ReadConfig(function uint32, offset, size int) (uint32, error) {
	return m.access(Access{Space: Config, Function: function, Address: uint64(offset), Size: size})
}

// WriteConfig implements watchdog.Hardware.
func (m *Machine) WriteConfig(function uint32, offset, size int, value uint32) error {
	_, err := m.access(Access{Space: Config, Function: function, Address: uint64(offset), Size: size, Write: true, Value: value})
	return err
}

// ReadPort implements watchdog.Hardware.
func (m *Machine) ReadPort(port uint16, size int) (uint32, error) {
	return m.access(Access{Space: Port, Address: uint64(port), Size: size})
}

// WritePort implements watchdog.Hardware.
func (m *Machine) WritePort(port uint16, size int, value uint32) error {
	_, err := m.access(Access{Space: Port, Address: uint64(port), Size: size, Write: true, Value: value})
	return err
}

// ReadMemory implements watchdog.Hardware.
func (m *Machine) ReadMemory(address uint64, size int) (uint32, error) {
	return m.access(Access{Space: Memory, Address: address, Size: size})
}

// WriteMemory implements watchdog.Hardware.
func (m *Machine) WriteMemory(address uint64, size int, value uint32) error {
	_, err := m.access(Access{Space: Memory, Address: address, Size: size, Write: true, Value: value})
	return err
}

// access gives an access to who listens to it. Where nobody does, reads give ones
// and writes are lost.
func (m *Machine) access(a Access) (uint32, error) {
	if a.Size != 1 && a.Size != 2 && a.Size != 4 || a.Address%uint64(a.Size) != 0 {
		panic(fmt.Sprintf("watchdogtest: %d bytes at %#x", a.Size, a.Address))
	}
	m.accesses++
	ones := ^uint32(0) >> (32 - 8*a.Size)
	if a.Value &= ones; !a.Write {
		a.Value = ones
	}
	if m.Intercept != nil {
		if done, err := m.Intercept(&a); done {
			return a.Value & ones, err
		}
	}
	if a.Space == Config {
		if c := m.config[a.Function]; c != nil {
			c.access(&a)
		}
		return a.Value & ones, nil
	}
	for _, r := range m.regions {
		if base, on := r.base(); on && r.space == a.Space && a.Address >= base && a.Address-base < r.length {
			inside := a
			inside.Address -= base
			r.access(&inside)
			return inside.Value & ones, nil
		}
	}
	return a.Value, nil
}
