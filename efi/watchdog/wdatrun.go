package watchdog

import (
	"errors"
	"fmt"
	"time"
)

// acpiWatchdog is the watchdog that a WDAT describes.
type acpiWatchdog struct {
	hw    Hardware
	table *wdat
}

func (w *acpiWatchdog) Name() string { return "wdat_wdt" }

func (w *acpiWatchdog) Arm(timeout time.Duration) (time.Duration, error) {
	if err := w.stop(); err != nil {
		return 0, fmt.Errorf("arm watchdog of ACPI: %w", err)
	}
	t := w.table
	count := ticks(timeout, t.period, max(t.least, 1), min(t.most, t.countMask()))
	if err := w.start(count); err != nil {
		return 0, fmt.Errorf("arm watchdog of ACPI: %w", errors.Join(err, w.stop()))
	}
	return time.Duration(count) * t.period, nil
}

// start sets the watchdog up and lets it run.
func (w *acpiWatchdog) start(count uint32) error {
	if err := errors.Join(w.run(actionSetReboot, count), w.must(actionQueryReboot)); err != nil {
		return err
	}
	if err := w.run(actionSetCountdown, count); err != nil {
		return err
	}
	if set, known, err := w.ask(actionQueryCountdown); err != nil {
		return err
	} else if known && set != count {
		return fmt.Errorf("it does not %v: it says %d after %d was written", actionSetCountdown, set, count)
	}
	// Hardware that runs already, or goes on where it was stopped, is reset once
	// before, as the old count may be about to end.
	for _, a := range []action{actionReset, actionSetRunning, actionReset} {
		if err := w.run(a, count); err != nil {
			return err
		}
	}
	return w.must(actionQueryRunning)
}

func (w *acpiWatchdog) Disarm() error {
	if err := w.stop(); err != nil {
		return fmt.Errorf("disarm watchdog of ACPI: %w", err)
	}
	return nil
}

func (w *acpiWatchdog) stop() error {
	if err := errors.Join(w.run(actionSetStopped, 0), w.must(actionQueryStopped)); err != nil {
		return err
	}
	if running, _, err := w.ask(actionQueryRunning); err != nil {
		return err
	} else if running != 0 {
		return fmt.Errorf("it does not %v", actionSetStopped)
	}
	return nil
}

func (w *acpiWatchdog) Fired() (bool, error) {
	fired, known, err := w.ask(actionQueryStatus)
	if err == nil && !known {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return false, fmt.Errorf("ask watchdog of ACPI: %w", err)
	}
	return fired != 0, nil
}

func (w *acpiWatchdog) ClearFired() error {
	err := w.run(actionClearStatus, 0)
	if err == nil {
		var fired uint32
		if fired, _, err = w.ask(actionQueryStatus); fired != 0 {
			err = fmt.Errorf("it does not %v", actionClearStatus)
		}
	}
	if err != nil {
		return fmt.Errorf("clear watchdog of ACPI: %w", err)
	}
	return nil
}

// run executes the instructions of an action, none if the table has none.
func (w *acpiWatchdog) run(a action, count uint32) error {
	for _, i := range w.table.actions[a] {
		if _, err := w.step(i, count); err != nil {
			return err
		}
	}
	return nil
}

// ask executes an action that reads: the answer is its last reading, not known if
// it has none.
func (w *acpiWatchdog) ask(a action) (answer uint32, known bool, err error) {
	for _, i := range w.table.actions[a] {
		value, err := w.step(i, 0)
		if err != nil {
			return 0, false, err
		}
		if i.operation <= readCountdown {
			answer, known = value, true
		}
	}
	return answer, known, nil
}

// must is an error if the watchdog denies what an action asks.
func (w *acpiWatchdog) must(a action) error {
	answer, known, err := w.ask(a)
	if err == nil && known && answer == 0 {
		err = fmt.Errorf("it does not %v", a)
	}
	return err
}

// step executes one instruction. The result is that of a read: a count, or 1 if
// the bits have the value and 0 if they have not.
func (w *acpiWatchdog) step(i instruction, count uint32) (uint32, error) {
	r := register{w.hw, i.space, 0, i.address, i.size}
	switch i.operation {
	case writeValue:
		return 0, i.write(r, i.value)
	case writeCountdown:
		return 0, i.write(r, count)
	}
	value, err := r.read()
	if err != nil {
		return 0, err
	}
	value = value >> i.shift & i.mask
	if i.operation == readCountdown {
		return value, nil
	}
	if value == i.value {
		return 1, nil
	}
	return 0, nil
}

// write writes bits of a register, and zeros or what was there into the others.
func (i instruction) write(r register, bits uint32) error {
	value := bits & i.mask << i.shift
	if i.preserve {
		old, err := r.read()
		if err != nil {
			return err
		}
		value |= old &^ (i.mask << i.shift)
	}
	return r.write(value)
}
