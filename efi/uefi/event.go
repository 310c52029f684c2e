package uefi

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// event is an EFI_EVENT.
type event uintptr

// newTimer creates an event that is signalled once after d (UEFI 2.10 §7.1.1 and
// §7.1.7).
func (s *System) newTimer(d time.Duration) (event, error) {
	var e event
	status := s.call(s.boot().CreateEvent, gate.Word(uintptr(raw.EventTimer)), gate.Word(uintptr(raw.TPLAppl)),
		gate.Word(uintptr(0)), gate.Word(uintptr(0)), gate.Pointer(&e))
	if err := status.Err(); err != nil {
		return 0, fmt.Errorf("create timer event: %w", err)
	}
	const tick = 100 * time.Nanosecond
	status = s.call(s.boot().SetTimer, gate.Word(e), gate.Word(uintptr(raw.TimerRelative)),
		gate.Word(uint64((d+tick-1)/tick)))
	if status.IsError() {
		return 0, join(fmt.Errorf("set timer to %v: %w", d, status), s.closeEvent(e))
	}
	return e, nil
}

// waitForEvent sleeps until one of the events is signalled and returns its index
// (UEFI 2.10 §7.1.5).
func (s *System) waitForEvent(events []event) (int, error) {
	var index uintptr
	status := s.call(s.boot().WaitForEvent, gate.Word(len(events)), gate.Slice(events), gate.Pointer(&index))
	if err := status.Err(); err != nil {
		return 0, fmt.Errorf("wait for event: %w", err)
	}
	return int(index), nil
}

func (s *System) closeEvent(e event) error {
	if status := s.call(s.boot().CloseEvent, gate.Word(e)); status.IsError() {
		return fmt.Errorf("close event: %w", status)
	}
	return nil
}
