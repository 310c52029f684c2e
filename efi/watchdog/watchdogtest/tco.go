package watchdogtest

import "time"

// TCO is the timer in a chipset of Intel's. It counts after a reset of the
// machine only when a driver lets it.
type TCO struct {
	// Strapped keeps NO_REBOOT set.
	Strapped bool

	// SMIResets makes a system management interrupt at the end of the first
	// countdown reset the machine, if those of the TCO are switched on.
	SMIResets bool

	// StoresStatus makes the status registers store what is written, as QEMU's do,
	// instead of clearing the bits that are written as ones.
	StoresStatus bool

	m          *Machine
	generation int
	bytes      configBytes
	status     [2]uint32
	control    uint32
	timer      uint32
	smiEnable  uint32
	noReboot   uint32 // the register GCS or PMC_CFG
	timeouts   int
	expiresAt  time.Duration
}

// Places that a machine's firmware would choose. GCS is where QEMU's q35 has it.
const (
	acpiBase  = 0x600
	tcoBase   = acpiBase + 0x60
	tcoBaseV6 = 0x400
	rcba      = 0xfed1c000
	pmcBase   = 0xfed03000

	// GCS is the address of the root complex's register with NO_REBOOT.
	GCS = rcba + 0x3410

	tcoHalt = 1 << 11
)

// AddTCO adds the timer of an ICH9 (generation 2), of a Bay Trail (3) or of an
// Elkhart Lake (6), with NO_REBOOT set and the timer halted, as firmware leaves
// them.
func (m *Machine) AddTCO(generation int) *TCO {
	t := &TCO{m: m, generation: generation}
	t.reset()
	function, tco := uint32(31<<3), uint64(tcoBase)
	noReboot, noRebootLength := uint64(GCS), uint64(4)
	switch generation {
	case 2:
		t.bytes.put(0, 4, 0x2918<<16|0x8086)
		t.bytes.put(0x40, 4, acpiBase|1)
		t.bytes.put(0x44, 1, 0x80)
		t.bytes.put(0xf0, 4, rcba|1)
	case 3:
		t.bytes.put(0, 4, 0x0f1c<<16|0x8086)
		t.bytes.put(0x40, 4, acpiBase|3)
		t.bytes.put(0x44, 4, pmcBase|2)
		noReboot = pmcBase + 8
	case 6:
		function, tco, noRebootLength = 31<<3|4, tcoBaseV6, 0
		t.bytes.put(0, 4, 0x4b23<<16|0x8086)
		t.bytes.put(0x50, 4, tcoBaseV6|1)
		t.bytes.put(0x54, 4, 1<<8)
	}
	m.config[function] = t
	m.devices = append(m.devices, t)
	m.regions = append(m.regions,
		region{Port, always(tco), 0x20, t.accessTCO},
		region{Port, always(acpiBase + 0x30), 4, stored(&t.smiEnable)},
		region{Memory, always(noReboot), noRebootLength, t.accessNoReboot})
	return t
}

func always(base uint64) func() (uint64, bool) { return func() (uint64, bool) { return base, true } }

func stored(value *uint32) func(a *Access) {
	return func(a *Access) {
		if a.Write {
			*value = a.Value
		}
		a.Value = *value
	}
}

// EnableSMI switches the timer's system management interrupt on.
func (t *TCO) EnableSMI() { t.smiEnable = 1<<13 | 1 }

// SetConfig changes a register of the configuration space.
func (t *TCO) SetConfig(offset uint64, size int, value uint32) { t.bytes.put(offset, size, value) }

// Armed reports whether the timer counts and would reset the machine.
func (t *TCO) Armed() bool { return t.control&tcoHalt == 0 && !t.rebootsNot() }

// rebootsNot reports whether NO_REBOOT is set.
func (t *TCO) rebootsNot() bool {
	switch t.generation {
	case 2:
		return t.noReboot&(1<<5) != 0
	case 3:
		return t.noReboot&(1<<4) != 0
	}
	return t.control&1 != 0
}

// reset leaves the status, which is in a well that keeps its power.
func (t *TCO) reset() {
	t.control, t.timer, t.noReboot, t.timeouts = tcoHalt, 4, 1<<5|1<<4, 0
	if t.generation == 6 {
		t.control |= 1
	}
}

func (t *TCO) access(a *Access) {
	if !a.Write {
		a.Value = t.bytes.get(a.Address, a.Size)
	}
}

func (t *TCO) accessNoReboot(a *Access) {
	stored(&t.noReboot)(a)
	if t.Strapped {
		t.noReboot |= 1<<5 | 1<<4
	}
}

func (t *TCO) accessTCO(a *Access) {
	switch a.Address {
	case 0:
		if a.Write {
			t.restart()
		}
		a.Value = uint32(max(0, t.expiresAt-t.m.now) / t.tick())
	case 4, 6:
		s := &t.status[a.Address/2-2]
		switch {
		case a.Write && t.StoresStatus:
			*s = a.Value
		case a.Write:
			*s &^= a.Value
		}
		a.Value = *s
	case 8:
		t.accessControl(a)
	case 0x12:
		stored(&t.timer)(a)
	default:
		a.Value = 0
	}
}

func (t *TCO) accessControl(a *Access) {
	if a.Write {
		started := t.control&tcoHalt != 0 && a.Value&tcoHalt == 0
		t.control = a.Value
		if t.Strapped && t.generation == 6 {
			t.control |= 1
		}
		if started {
			t.expiresAt = t.m.now + time.Duration(t.timer&0x3ff)*t.tick()
		}
	}
	a.Value = t.control
}

func (t *TCO) tick() time.Duration {
	if t.generation == 3 {
		return time.Second
	}
	return 600 * time.Millisecond
}

// restart begins the first countdown.
func (t *TCO) restart() {
	t.timeouts = 0
	t.expiresAt = t.m.now + time.Duration(t.timer&0x3ff)*t.tick()
}

// deadline: a timer set to less than 4 ticks does not count.
func (t *TCO) deadline() (time.Duration, bool) {
	return t.expiresAt, t.control&tcoHalt == 0 && t.timer&0x3ff >= 4
}

func (t *TCO) expire() {
	t.status[0] |= 1 << 3
	t.timeouts++
	smi := t.smiEnable&(1<<13|1) == 1<<13|1
	switch {
	case t.timeouts == 1 && smi && t.SMIResets:
		t.m.fire()
		return
	case t.timeouts >= 2:
		t.status[1] |= 1<<1 | 1<<2
		if !t.rebootsNot() {
			t.m.fire()
			return
		}
		t.timeouts = 0
	}
	t.expiresAt = t.m.now + time.Duration(t.timer&0x3ff)*t.tick()
}
