package uefi

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// ResetType is EFI_RESET_TYPE (UEFI 2.10 §8.5.1).
type ResetType uintptr

// The kinds of reset.
const (
	ResetCold     ResetType = 0
	ResetWarm     ResetType = 1
	ResetShutdown ResetType = 2
)

var resetNames = [...]string{"cold reset", "warm reset", "shutdown"}

// String says what the reset does.
func (r ResetType) String() string {
	if int(r) < len(resetNames) {
		return resetNames[r]
	}
	return fmt.Sprintf("ResetType(%d)", uintptr(r))
}

// Reset resets the machine or turns it off. It returns only if the firmware did
// not do so.
func (s *System) Reset(how ResetType) error {
	fn := s.runtime().ResetSystem
	if fn == 0 {
		return fmt.Errorf("%v: %w", how, ErrUnsupported)
	}
	s.gate.CallNative(fn, uintptr(how), 0, 0, 0)
	return fmt.Errorf("%v: the firmware did not do it", how)
}

// watchdogCode is the code that the firmware logs when the watchdog fires; codes
// up to 0xffff are the firmware's own.
const watchdogCode = 0x10000

// SetWatchdog makes the firmware reset the machine after d, rounded up to
// seconds; 0 turns the watchdog off. It stops when a kernel leaves boot
// services (UEFI 2.10 §7.5.1).
func (s *System) SetWatchdog(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("set watchdog to %v: time is negative", d)
	}
	seconds := uint64((d + time.Second - 1) / time.Second)
	status := s.call(s.boot().SetWatchdogTimer, gate.Word(seconds), gate.Word(uintptr(watchdogCode)),
		gate.Word(uintptr(0)), gate.Word(uintptr(0)))
	if status.IsError() {
		return fmt.Errorf("set watchdog to %d s: %w", seconds, status)
	}
	return nil
}

// Stall waits at least d in the firmware, rounded up to microseconds; no
// goroutine runs meanwhile (UEFI 2.10 §7.5.2).
func (s *System) Stall(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	us := uint64((d + time.Microsecond - 1) / time.Microsecond)
	if status := s.call(s.boot().Stall, gate.Word(us)); status.IsError() {
		return fmt.Errorf("stall for %d us: %w", us, status)
	}
	return nil
}

// maxRandomBytes bounds one call of Random.
const maxRandomBytes = 1 << 20

// Random fills b, of at most 1 MiB, from the firmware's random number generator
// (EFI_RNG_PROTOCOL, UEFI 2.10 §37.5). Without one it says ErrNotFound.
func (s *System) Random(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if len(b) > maxRandomBytes {
		return fmt.Errorf("get %d random bytes: more than %d", len(b), maxRandomBytes)
	}
	handles, err := s.Handles(RNGProtocol)
	if err != nil {
		return fmt.Errorf("get %d random bytes: %w", len(b), err)
	}
	err = ErrNotFound
	for _, h := range handles {
		if err = s.randomFrom(h, b); err == nil {
			return nil
		}
	}
	return fmt.Errorf("get %d random bytes: %w", len(b), err)
}

// randomFrom fills b from one generator. The device writes to pages: it may be a
// virtio one.
func (s *System) randomFrom(h Handle, b []byte) (err error) {
	rng, err := s.protocol(h, RNGProtocol)
	if err != nil {
		return err
	}
	p, err := s.AllocatePages(len(b))
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.Free()) }()
	status := s.call(raw.At[raw.RNGProtocol](rng).GetRNG, gate.Word(rng), gate.Word(uintptr(0)),
		gate.Word(len(b)), gate.Slice(p.Bytes()))
	if status.IsError() {
		return status
	}
	copy(b, p.Bytes())
	clear(p.Bytes())
	return nil
}
