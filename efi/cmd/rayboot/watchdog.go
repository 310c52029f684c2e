package main

import (
	"errors"
	"strings"
	"time"

	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/markers"
)

// openTimeout on a command line says that the system takes over a watchdog that
// runs already (Linux, Documentation/admin-guide/kernel-parameters.txt). One that
// does not would be reset however healthy it is.
const openTimeout = "watchdog.open_timeout="

// findWatchdog finds the machine's hardware watchdog, and reports whether it was
// what reset the machine.
func (m *manager) findWatchdog() (fired bool) {
	hardware, err := m.sys.Hardware()
	if err != nil {
		m.noWatchdog = err
		return false
	}
	all, err := watchdog.Find(hardware)
	m.noWatchdog = err
	if len(all) == 0 {
		return false
	}
	m.watchdog = all[0]
	fired, err = m.watchdog.Fired()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		m.console.warn("The watchdog %s does not say whether it reset the machine: %v", m.watchdog.Name(), err)
	}
	if fired {
		if err := m.watchdog.ClearFired(); err != nil {
			m.console.warn("The watchdog %s will say again that it reset the machine: %v", m.watchdog.Name(), err)
		}
	}
	return fired
}

// armWatchdog arms the hardware watchdog for a system that takes it over, and
// returns its name; empty if none is armed.
func (m *manager) armWatchdog(l launch) (name string) {
	if l.watchdog == 0 || !strings.Contains(" "+l.options, " "+openTimeout) {
		return ""
	}
	if m.watchdog == nil {
		if m.noWatchdog != nil {
			m.console.warn("No hardware watchdog guards this start: %v", m.noWatchdog)
		}
		return ""
	}
	actual, err := m.watchdog.Arm(l.watchdog)
	if err != nil {
		m.console.warn("No hardware watchdog guards this start: %s: %v", m.watchdog.Name(), err)
		return ""
	}
	m.console.emit(markers.BootmgrWatchdogArmed{Device: m.watchdog.Name(), Seconds: int(actual / time.Second)})
	return m.watchdog.Name()
}

// disarmWatchdog stops it after a start that came back.
func (m *manager) disarmWatchdog() {
	if err := m.watchdog.Disarm(); err != nil {
		m.console.warn("The watchdog %s could not be stopped and will reset the machine: %v", m.watchdog.Name(), err)
	}
}
