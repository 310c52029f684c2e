package watchdog

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/bootmenu"
)

// State is how the watchdog stands.
type State int

// The states. From Expired on there is no way back: the machine is reset.
const (
	Disarmed   State = iota // nothing is watched
	Armed                   // the timer counts and is fed
	Expired                 // it was not fed in time
	Recovering              // what the policy says is being done
	Failed                  // the same, after FailAfter time-outs in a row: a golden snapshot is next
)

var stateNames = [...]string{"Disarmed", "Armed", "Expired", "Recovering", "Failed"}

// String returns the name, such as Armed.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// FailAfter is how many time-outs in a row are too many.
const FailAfter = 3

// leadPart is the part of the time-out before whose end the policy acts.
const leadPart = 6

// Action is what is to be done after a [Machine.Tick].
type Action int

// The actions.
const (
	Wait Action = iota // nothing
	Feed               // feed the timer
	Act                // call [Machine.Begin] and do what it says
)

// Machine is the state machine of the watchdog. It is pure: times are since the
// start of the machine. Its zero value is disarmed, with the policy AutoReboot and
// no time-outs behind it.
type Machine struct {
	state    State
	policy   Policy
	timeouts int           // in a row, before this boot
	fed      time.Duration // when it was fed or armed
	actual   time.Duration // what the timer counts; 0 while that is what is wanted
}

// State returns the state.
func (m *Machine) State() State { return m.state }

// Policy returns the policy.
func (m *Machine) Policy() Policy { return m.policy }

// Timeouts returns how many time-outs there were since the last good boot, with
// the one that ends this boot.
func (m *Machine) Timeouts() int {
	if m.late() {
		return m.timeouts + 1
	}
	return m.timeouts
}

// Wanted is how long the timer is to count. Each time-out doubles it, up to a
// limit: the boot manager has the same times.
func (m *Machine) Wanted() time.Duration {
	return time.Duration(bootmenu.WatchdogSeconds(m.timeouts)) * time.Second
}

// SetActual says what the timer counts, which may not be what is wanted.
func (m *Machine) SetActual(d time.Duration) { m.actual = max(0, d) }

// Timeout is how long the timer counts without being fed.
func (m *Machine) Timeout() time.Duration {
	if m.actual > 0 {
		return m.actual
	}
	return m.Wanted()
}

// Lead is how long before the end of the time-out the policy acts.
func (m *Machine) Lead() time.Duration { return m.Timeout() / leadPart }

// Remaining is how long from now the timer resets the machine if it is not fed; 0
// while it does not count.
func (m *Machine) Remaining(now time.Duration) time.Duration {
	if m.state == Disarmed {
		return 0
	}
	return max(0, m.fed+m.Timeout()-now)
}

// late reports whether it is too late for a change.
func (m *Machine) late() bool { return m.state > Armed }

// Arm begins to watch, and reports whether it did. What is armed stays so and
// counts as fed.
func (m *Machine) Arm(now time.Duration) bool {
	if m.late() {
		return false
	}
	m.state, m.fed = Armed, now
	return true
}

// Disarm ends the watch, and reports false if it is too late.
func (m *Machine) Disarm() bool {
	if m.late() {
		return false
	}
	m.state = Disarmed
	return true
}

// Kick says that the timer was fed, and reports whether it counts.
func (m *Machine) Kick(now time.Duration) bool {
	if m.state != Armed {
		return false
	}
	m.fed = now
	return true
}

// SetPolicy sets the policy, and reports false if it is too late.
func (m *Machine) SetPolicy(p Policy) bool {
	if m.late() {
		return false
	}
	m.policy = p
	return true
}

// Count says how many time-outs there were since the last good boot: 0 when this
// one is good. The one that ends this boot is counted already.
func (m *Machine) Count(timeouts int) {
	if !m.late() {
		m.timeouts = max(0, timeouts)
	}
}

// Tick says how things stand now: alive is whether all is alive that must be. It
// returns what is to be done; what it wants fed counts as fed.
func (m *Machine) Tick(now time.Duration, alive bool) Action {
	switch {
	case m.state != Armed:
		return Wait
	case alive:
		m.fed = now
		return Feed
	case now-m.fed < m.Timeout()-m.Lead():
		return Wait
	}
	m.state = Expired
	return Act
}

// Orders are what is to be done before the timer resets the machine.
type Orders struct {
	Recover bool // have a golden snapshot started next
	Dump    bool // have the kernel panic, which leaves its log in pstore
	Halt    bool // stop the timer and stand still instead
}

// Begin begins to do what the policy says after an Act, and returns what that is.
// After too many time-outs in a row a golden snapshot is next, unless the machine
// is to stand still. It reports false if there is nothing to do.
func (m *Machine) Begin(now time.Duration) (Orders, bool) {
	if m.state != Expired {
		return Orders{}, false
	}
	m.state = Recovering
	if m.Timeouts() >= FailAfter {
		m.state = Failed
	}
	o := Orders{
		Recover: m.policy == RecoveryBoot || m.state == Failed && m.policy != Halt,
		Dump:    m.policy == DumpThenReboot,
		Halt:    m.policy == Halt,
	}
	if o.Fed() {
		m.fed = now
	}
	return o, true
}

// Fed reports whether the timer is to be fed once more, because what is to be done
// may take longer than the rest of the time-out.
func (o Orders) Fed() bool { return o.Recover || o.Dump }
