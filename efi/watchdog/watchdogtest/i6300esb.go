package watchdogtest

import "time"

// I6300ESB is the watchdog timer of the Intel 6300ESB at 0000:00:05.0, with its
// registers at 0xfebf0000.
type I6300ESB struct {
	// Locked says that the firmware has locked the timer in its state.
	Locked bool

	m         *Machine
	bytes     configBytes
	preload   [2]uint32
	unlocked  int // 2: the next write to memory counts
	fired     bool
	second    bool // the second countdown runs
	expiresAt time.Duration
}

const (
	esbFunction = 5 << 3
	esbMemory   = 0xfebf0000
	esbTick     = 983_040 * time.Nanosecond
)

// AddI6300ESB adds the device; its memory is switched off, as firmware leaves it.
func (m *Machine) AddI6300ESB() *I6300ESB {
	e := &I6300ESB{m: m}
	e.reset()
	m.config[esbFunction] = e
	m.devices = append(m.devices, e)
	m.regions = append(m.regions, region{Memory, e.base, 16, e.accessMemory})
	return e
}

// base is the place of the registers, if the device listens.
func (e *I6300ESB) base() (uint64, bool) {
	return uint64(e.bytes.get(0x10, 4) &^ 0xf), e.bytes.get(4, 2)&2 != 0
}

// Armed reports whether the timer counts.
func (e *I6300ESB) Armed() bool { return e.bytes[0x68]&2 != 0 }

func (e *I6300ESB) reset() {
	e.bytes = configBytes{}
	e.bytes.put(0, 4, 0x25ab<<16|0x8086)
	e.bytes.put(0x10, 4, esbMemory)
	e.preload = [2]uint32{0xfffff, 0xfffff}
	e.unlocked, e.second = 0, false
}

// access is one to configuration space, where writable registers are few.
func (e *I6300ESB) access(a *Access) {
	if e.Locked {
		e.bytes[0x68] |= 1
	}
	if !a.Write {
		a.Value = e.bytes.get(a.Address, a.Size)
		return
	}
	switch a.Address {
	case 4, 0x10:
		e.bytes.put(a.Address, a.Size, a.Value)
	case 0x60:
		e.bytes.put(a.Address, a.Size, a.Value&^2) // QEMU loses this bit
	case 0x68:
		if e.bytes[0x68]&1 != 0 {
			return
		}
		starts := a.Value&2 != 0 && !e.Armed()
		if e.bytes[0x68] = byte(a.Value & 7); starts {
			e.restart(false)
		}
	}
}

// accessMemory is one to the registers in memory. The preload values read as 0.
func (e *I6300ESB) accessMemory(a *Access) {
	switch {
	case !a.Write:
		if a.Value = 0; a.Address == 0xc && e.fired {
			a.Value = 1 << 9
		}
		return
	case a.Address == 0xc && a.Value == 0x80:
		e.unlocked = 1
		return
	case a.Address == 0xc && a.Value == 0x86 && e.unlocked == 1:
		e.unlocked = 2
		return
	}
	if e.unlocked == 2 {
		e.write(a)
	}
	e.unlocked = 0
}

// write is one to an unlocked register.
func (e *I6300ESB) write(a *Access) {
	switch {
	case a.Address < 8:
		e.preload[a.Address/4] = a.Value & 0xfffff
	case a.Address == 0xc:
		if a.Value&(1<<9) != 0 {
			e.fired = false
		}
		if a.Value&(1<<8) != 0 {
			e.restart(false)
		}
	}
}

// restart begins the first or the second countdown.
func (e *I6300ESB) restart(second bool) {
	tick := esbTick
	if e.bytes[0x60]&4 != 0 {
		tick /= 1024
	}
	preload := e.preload[0]
	if e.second = second; second {
		preload = e.preload[1]
	}
	e.expiresAt = e.m.now + time.Duration(preload)*tick
}

func (e *I6300ESB) deadline() (time.Duration, bool) { return e.expiresAt, e.Armed() }

func (e *I6300ESB) expire() {
	switch {
	case !e.second:
		e.restart(true)
	case e.bytes[0x60]&0x20 == 0:
		e.fired = true
		e.m.fire()
	case e.bytes[0x68]&4 != 0:
		e.restart(false)
	default:
		e.bytes[0x68] &^= 2
	}
}

// configBytes is a configuration space that stores what is written.
type configBytes [256]byte

func (c *configBytes) get(offset uint64, size int) (value uint32) {
	for i := range size {
		value |= uint32(c[offset+uint64(i)]) << (8 * i)
	}
	return value
}

func (c *configBytes) put(offset uint64, size int, value uint32) {
	for i := range size {
		c[offset+uint64(i)] = byte(value >> (8 * i))
	}
}
