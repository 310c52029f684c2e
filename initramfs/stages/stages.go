// Package stages is the boot-stage machine of the runtime: which stage follows
// which, and when a boot is good. It is pure: time comes in as the duration
// since the start of the machine, and what follows from a stage is the
// caller's business.
package stages

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/markers"
)

// Machine follows one boot. Use [New].
type Machine struct {
	next   markers.BootStage
	hold   time.Duration
	since  time.Duration // since when the shell holds, if stable
	stable bool
}

// New returns a machine before its first stage. hold is how long the shell
// must hold without trouble from SHELL_READY to GOLDEN.
func New(hold time.Duration) *Machine { return &Machine{hold: hold} }

// Reach enters the stage s. Each stage is reached once and in order. GOLDEN is
// reached by [Machine.Tick] alone.
func (m *Machine) Reach(s markers.BootStage, now time.Duration) error {
	if s != m.next || s == markers.Golden {
		return fmt.Errorf("boot stage %v: %v is next", s, m.next)
	}
	m.next++
	if s == markers.ShellReady {
		m.stable, m.since = true, now
	}
	return nil
}

// Reached reports whether the stage was entered.
func (m *Machine) Reached(s markers.BootStage) bool { return s < m.next }

// Trouble says that no shell holds any more: the time until GOLDEN begins anew
// when [Machine.Recovered] is called.
func (m *Machine) Trouble() { m.stable = false }

// Recovered says that the trouble is over.
func (m *Machine) Recovered(now time.Duration) {
	if m.next == markers.Golden && !m.stable {
		m.stable, m.since = true, now
	}
}

// Due returns how long it is from now until GOLDEN, and false while nothing is
// waited for.
func (m *Machine) Due(now time.Duration) (time.Duration, bool) {
	if m.next != markers.Golden || !m.stable {
		return 0, false
	}
	return max(0, m.since+m.hold-now), true
}

// Tick enters GOLDEN if it is due, and reports whether it did.
func (m *Machine) Tick(now time.Duration) bool {
	if due, waiting := m.Due(now); !waiting || due > 0 {
		return false
	}
	m.next++
	return true
}
