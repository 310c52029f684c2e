// Command watchdog hangs inside a virtual machine until a hardware watchdog resets it, and looks afterwards whether the watchdog
// says so. The file watchdog.txt names the one that must be found first, as package watchdog does. The first start disarms it
// once, waits until it would have fired, arms it and hangs; the second one ends as package report says.
package main

import (
	"errors"
	"fmt"
	"time"

	_ "github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// timeout is short, so that the test is; all devices can count so far.
const timeout = 5 * time.Second

func main() {
	sys := report.Open()
	var r report.Report
	var w watchdog.Watchdog
	r.Check("find the watchdog", func() (err error) { w, err = find(sys); return err })
	if w == nil {
		r.Finish(sys)
	}
	hung, err := hungBefore(sys)
	r.Check("read the note of the last start", func() error { return err })
	if hung {
		r.Check("the watchdog says that it fired", func() error { return expectFired(w, true) })
		r.Check("it forgets that", w.ClearFired)
		r.Check("it says so no more", func() error { return expectFired(w, false) })
		r.Finish(sys)
	}
	r.Check("the watchdog has not fired", func() error { return expectFired(w, false) })
	r.Check("armed and disarmed it does not fire", func() error { return outlive(sys, w) })
	r.Check("note that the machine hangs now", func() error { return note(sys) })
	r.Check("arm the watchdog", func() error { _, err = w.Arm(timeout); return err })
	if err != nil {
		r.Finish(sys)
	}
	fmt.Println("hanging")
	for {
		hang()
	}
}

//go:noinline
func hang() {}

// find is the first watchdog of the machine.
func find(sys *uefi.System) (watchdog.Watchdog, error) {
	hardware, err := sys.Hardware()
	if err != nil {
		return nil, err
	}
	dogs, err := watchdog.Find(hardware)
	if err != nil {
		return nil, err
	}
	if len(dogs) == 0 {
		return nil, errors.New("there is none")
	}
	files, _, err := report.Volume(sys)
	if err != nil {
		return nil, err
	}
	want, err := files.ReadFile("watchdog.txt")
	if err == nil && dogs[0].Name() != string(want) {
		err = fmt.Errorf("the first one is %s, not %s", dogs[0].Name(), want)
	}
	return dogs[0], err
}

func expectFired(w watchdog.Watchdog, want bool) error {
	fired, err := w.Fired()
	if err == nil && fired != want {
		err = fmt.Errorf("fired: %v", fired)
	}
	return err
}

// outlive waits for longer than the watchdog takes.
func outlive(sys *uefi.System, w watchdog.Watchdog) error {
	actual, err := w.Arm(timeout)
	if err != nil {
		return err
	}
	if actual < timeout {
		return fmt.Errorf("%v became %v", timeout, actual)
	}
	if err := w.Disarm(); err != nil {
		return err
	}
	return sys.Stall(actual + time.Second)
}

// noteName is a variable that outlives a reset.
const noteName = "WatchdogTestHangs"

var noteVendor = uefi.MustParseGUID("0f2f1f4b-5f0e-4d69-8a3c-0d5b1e6a9c77")

func note(sys *uefi.System) error {
	return sys.SetVariable(noteName, noteVendor, uefi.NonVolatile|uefi.BootServiceAccess, []byte{1})
}

func hungBefore(sys *uefi.System) (bool, error) {
	_, _, err := sys.GetVariable(noteName, noteVendor)
	if errors.Is(err, uefi.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
