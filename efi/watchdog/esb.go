package watchdog

import (
	"errors"
	"fmt"
	"time"
)

// esbDevice is the PCI device ID of the watchdog timer of the Intel 6300ESB.
const esbDevice = 0x25ab

// esb is the watchdog timer of the Intel 6300ESB (300641). It counts down
// twice, first from the first preload value, then from the second.
type esb struct {
	config, lock           register // in PCI configuration space
	preload1, preload2     register // in memory
	unlock, reloadRegister register
}

// Bits of the registers.
const (
	esbNoInterrupt  = 3      // config: no interrupt when the first countdown ends
	esbFast         = 1 << 2 // config: ticks of about 1 us instead of 1 ms
	esbNoReset      = 1 << 5 // config: no reset when the second countdown ends
	esbLocked       = 1 << 0 // lock: nothing changes before a reset
	esbEnabled      = 1 << 1 // lock: it counts
	esbFreeRunning  = 1 << 2 // lock: it starts again instead of resetting
	esbLockBits     = esbLocked | esbEnabled | esbFreeRunning
	esbReload       = 1 << 8 // reload: count from the start
	esbFired        = 1 << 9 // reload: it has reset the machine; cleared by writing 1
	esbMostTicks    = 1<<20 - 1
	pciCommand      = 0x04
	pciMemoryDecode = 1 << 1
	pciBAR0         = 0x10
)

// A tick is 2^15 periods of the PCI clock of 33 1/3 MHz; QEMU's clock is a
// little slower.
const (
	esbTick     = 983_040 * time.Nanosecond
	esbSlowTick = 992_970 * time.Nanosecond
)

// openESB finds the registers, and makes the device listen to them.
func openESB(h Hardware, location uint32) (*esb, error) {
	config := func(offset uint64, size int) register { return register{h, configSpace, location, offset, size} }
	base, err := memoryBAR(config(pciBAR0, 4), config(pciBAR0+4, 4))
	if err != nil {
		return nil, err
	}
	if err := config(pciCommand, 2).set(pciMemoryDecode, pciMemoryDecode, 0); err != nil {
		return nil, err
	}
	memory := func(offset uint64, size int) register { return register{h, memorySpace, 0, base + offset, size} }
	return &esb{
		config: config(0x60, 2), lock: config(0x68, 1), preload1: memory(0, 4), preload2: memory(4, 4),
		unlock: memory(0xc, 1), reloadRegister: memory(0xc, 2),
	}, nil
}

// memoryBAR is the address in a base address register and, if it has 64 bits, the
// one after it (PCI 3.0 §6.2.5).
func memoryBAR(low, high register) (uint64, error) {
	value, err := low.read()
	if err != nil {
		return 0, err
	}
	base := uint64(value &^ 0xf)
	if value&1 == 0 && value>>1&3 == 2 {
		upper, err := high.read()
		if err != nil {
			return 0, err
		}
		base |= uint64(upper) << 32
	}
	if value&1 != 0 || base == 0 {
		return 0, fmt.Errorf("the firmware gave it no memory: %v is %#x", low, value)
	}
	return base, nil
}

func (e *esb) Name() string { return "i6300esb" }

func (e *esb) Arm(timeout time.Duration) (time.Duration, error) {
	n := ticks(half(timeout), esbTick, 1, esbMostTicks)
	if err := e.stop(); err != nil {
		return 0, fmt.Errorf("arm watchdog 6300ESB: %w", err)
	}
	if err := e.start(n); err != nil {
		return 0, fmt.Errorf("arm watchdog 6300ESB: %w", errors.Join(err, e.stop()))
	}
	return 2 * time.Duration(n) * esbSlowTick, nil
}

// start sets the timer up and enables it.
func (e *esb) start(n uint32) error {
	if _, err := e.fired(); err != nil {
		return err // the registers in memory cannot be read but for this one
	}
	if err := e.config.set(esbFast|esbNoReset, esbNoInterrupt, esbNoInterrupt); err != nil { // QEMU reads 1 after writing 3
		return err
	}
	for _, preload := range []register{e.preload1, e.preload2} {
		if err := e.unlocked(preload, n); err != nil {
			return err
		}
	}
	if err := e.unlocked(e.reloadRegister, esbReload); err != nil {
		return err
	}
	return e.lock.set(esbLockBits, esbEnabled, 0)
}

// unlocked writes a register after the two writes that allow one more.
func (e *esb) unlocked(r register, value uint32) error {
	for _, key := range []uint32{0x80, 0x86} {
		if err := e.unlock.write(key); err != nil {
			return err
		}
	}
	return r.write(value)
}

func (e *esb) Disarm() error {
	if err := e.stop(); err != nil {
		return fmt.Errorf("disarm watchdog 6300ESB: %w", err)
	}
	return nil
}

// stop disables the timer. The lock, once set, holds until the next reset.
func (e *esb) stop() error {
	locked, err := e.lock.bits(esbLocked)
	if err == nil && locked {
		err = errors.New("it is locked until the next reset")
	}
	if err != nil {
		return err
	}
	return e.lock.set(esbLockBits, 0, 0)
}

func (e *esb) Fired() (bool, error) {
	fired, err := e.fired()
	if err != nil {
		return false, fmt.Errorf("ask watchdog 6300ESB: %w", err)
	}
	return fired, nil
}

// fired reads the reload register, most bits of which are 0 if the device answers.
func (e *esb) fired() (bool, error) {
	value, err := e.reloadRegister.read()
	if err == nil && value == 0xffff {
		err = fmt.Errorf("nothing answers at %v", e.reloadRegister)
	}
	return value&esbFired != 0, err
}

func (e *esb) ClearFired() error {
	err := e.unlocked(e.reloadRegister, esbFired)
	if err == nil {
		var fired bool
		if fired, err = e.fired(); err == nil && fired {
			err = errors.New("it keeps saying that it fired")
		}
	}
	if err != nil {
		return fmt.Errorf("clear watchdog 6300ESB: %w", err)
	}
	return nil
}
