package watchdog

import (
	"errors"
	"fmt"
	"time"
)

// tco is the timer of Intel's chipsets for total cost of ownership (316972
// §13.9). It counts down twice; the end of the first countdown may raise a system
// management interrupt, that of the second resets the machine unless NO_REBOOT
// is set.
type tco struct {
	generation tcoGeneration

	reload, status1, status2, control, timer register

	noReboot    register
	noRebootBit uint32
	smiEnable   register // of size 0 where nobody knows its place
}

// Bits of the registers.
const (
	tcoTimeout      = 1 << 3  // status1: the first countdown has ended; cleared by writing 1
	tcoSecond       = 1 << 1  // status2: so has the second one; cleared by writing 1
	tcoBoot         = 1 << 2  // status2: and the processor did not start after it; likewise
	tcoHalt         = 1 << 11 // control: it does not count
	tcoNMINow       = 1 << 8  // control: writing 1 raises a non-maskable interrupt
	tcoCount        = 0x3ff   // timer: ticks of one countdown
	tcoLeastTicks   = 4       // fewer are ignored
	smiGlobal       = 1 << 0  // smiEnable: system management interrupts are on
	smiTCO          = 1 << 13 // smiEnable: also those of the TCO
	tcoV6NoReboot   = 1 << 0  // control
	gcsNoReboot     = 1 << 5
	pmcNoReboot     = 1 << 4
	acpiSpaceOn     = 1 << 7 // of the LPC bridge's ACPI_CNTL
	tcoSpaceOn      = 1 << 8 // of the SMBus controller's TCOCTL
	baseOn          = 1 << 0 // of RCBA
	baseOnV3        = 1 << 1 // of ABASE and PBASE
	acpiToTCO       = 0x60   // from the ACPI registers to those of the TCO
	acpiToSMIEnable = 0x30
)

// openTCO finds the registers of the TCO, which the firmware must have switched
// on.
func openTCO(h Hardware, location uint32, generation tcoGeneration) (*tco, error) {
	t := &tco{generation: generation}
	config := func(offset uint64, size int) register { return register{h, configSpace, location, offset, size} }
	var base uint64
	var err error
	switch generation {
	case tcoV2:
		base, err = t.openV2(h, config)
	case tcoV3:
		base, err = t.openV3(h, config)
	default:
		base, err = enabledBase(config(0x50, 4), 0xffe0, config(0x54, 4), tcoSpaceOn)
	}
	if err != nil {
		return nil, err
	}
	port := func(offset uint64) register { return register{h, portSpace, 0, base + offset, 2} }
	t.reload, t.status1, t.status2, t.control, t.timer = port(0), port(4), port(6), port(8), port(0x12)
	if generation == tcoV6 {
		t.noReboot, t.noRebootBit = t.control, tcoV6NoReboot
	}
	return t, nil
}

// openV2 finds the registers through an LPC bridge of ICH9 and returns the base
// of the TCO's.
func (t *tco) openV2(h Hardware, config func(uint64, int) register) (uint64, error) {
	base, err := enabledBase(config(0x40, 4), 0xff80, config(0x44, 1), acpiSpaceOn)
	if err != nil {
		return 0, err
	}
	rootComplex, err := enabledBase(config(0xf0, 4), 0xffffc000, config(0xf0, 4), baseOn)
	if err != nil {
		return 0, err
	}
	t.noReboot, t.noRebootBit = register{h, memorySpace, 0, rootComplex + 0x3410, 4}, gcsNoReboot
	t.smiEnable = register{h, portSpace, 0, base + acpiToSMIEnable, 4}
	return base + acpiToTCO, nil
}

// openV3 is openV2 for the Atom chips.
func (t *tco) openV3(h Hardware, config func(uint64, int) register) (uint64, error) {
	base, err := enabledBase(config(0x40, 4), 0xff80, config(0x40, 4), baseOnV3)
	if err != nil {
		return 0, err
	}
	power, err := enabledBase(config(0x44, 4), 0xfffffe00, config(0x44, 4), baseOnV3)
	if err != nil {
		return 0, err
	}
	t.noReboot, t.noRebootBit = register{h, memorySpace, 0, power + 8, 4}, pmcNoReboot
	t.smiEnable = register{h, portSpace, 0, base + acpiToSMIEnable, 4}
	return base + acpiToTCO, nil
}

// enabledBase is the address in a base register, if the firmware has switched on
// what is there.
func enabledBase(base register, mask uint32, enable register, enabled uint32) (uint64, error) {
	value, err := base.read()
	if err != nil {
		return 0, err
	}
	on, err := enable.bits(enabled)
	if err != nil {
		return 0, err
	}
	if !on || value&mask == 0 || value == 0xffffffff {
		return 0, fmt.Errorf("the firmware has not switched its registers on: %v is %#x", base, value)
	}
	return uint64(value & mask), nil
}

func (t *tco) Name() string { return "iTCO_wdt" }

func (t *tco) Arm(timeout time.Duration) (time.Duration, error) {
	if err := t.halt(); err != nil {
		return 0, fmt.Errorf("arm watchdog TCO: %w", err)
	}
	actual, err := t.start(timeout)
	if err != nil {
		return 0, fmt.Errorf("arm watchdog TCO: %w", errors.Join(err, t.halt()))
	}
	return actual, nil
}

// start sets up the timer, which does not count, and lets it. A handler of system
// management interrupts may reset the machine itself when the first countdown
// ends, so that one has to last.
func (t *tco) start(timeout time.Duration) (time.Duration, error) {
	if err := t.noReboot.set(t.noRebootBit, 0, t.noRebootBeside()); err != nil {
		return 0, errors.Join(errNoReboot, err)
	}
	first := timeout
	if handled, err := t.firstMayReset(); err != nil {
		return 0, err
	} else if !handled {
		first = half(timeout)
	}
	n := ticks(first, t.generation.tick(), tcoLeastTicks, tcoCount)
	if err := errors.Join(t.clear(), t.timer.set(tcoCount, n, 0)); err != nil {
		return 0, err
	}
	if err := t.reload.write(1); err != nil {
		return 0, err
	}
	if err := t.control.set(tcoHalt, 0, tcoNMINow); err != nil {
		return 0, err
	}
	// NO_REBOOT may lie in the register that was just written.
	if set, err := t.noReboot.bits(t.noRebootBit); err != nil || set {
		return 0, errors.Join(err, errNoReboot)
	}
	return 2 * time.Duration(n) * t.generation.tick(), nil
}

var errNoReboot = errors.New("the machine is not to be reset by it")

// noRebootBeside keeps a write to NO_REBOOT from raising an interrupt where both
// are in one register.
func (t *tco) noRebootBeside() uint32 {
	if t.generation == tcoV6 {
		return tcoNMINow
	}
	return 0
}

// firstMayReset reports whether the end of the first countdown may raise an
// interrupt of the firmware's.
func (t *tco) firstMayReset() (bool, error) {
	if t.smiEnable.size == 0 {
		return true, nil
	}
	value, err := t.smiEnable.read()
	return value&(smiGlobal|smiTCO) == smiGlobal|smiTCO, err
}

func (t *tco) Disarm() error {
	if err := t.halt(); err != nil {
		return fmt.Errorf("disarm watchdog TCO: %w", err)
	}
	return nil
}

func (t *tco) halt() error { return t.control.set(tcoHalt, tcoHalt, tcoNMINow) }

func (t *tco) Fired() (bool, error) {
	fired, err := t.status2.bits(tcoSecond)
	if err != nil {
		return false, fmt.Errorf("ask watchdog TCO: %w", err)
	}
	return fired, nil
}

func (t *tco) ClearFired() error {
	if err := t.clear(); err != nil {
		return fmt.Errorf("clear watchdog TCO: %w", err)
	}
	return nil
}

// clear clears the status of both countdowns; tcoBoot goes only after tcoSecond.
func (t *tco) clear() error {
	return errors.Join(t.status1.clearStatus(tcoTimeout), t.status2.clearStatus(tcoSecond), t.clearBoot())
}

// clearBoot clears tcoBoot, which the newest generation does not have.
func (t *tco) clearBoot() error {
	if t.generation == tcoV6 {
		return nil
	}
	return t.status2.clearStatus(tcoBoot)
}
