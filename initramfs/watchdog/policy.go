package watchdog

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is what is done when the watchdog has not been fed in time.
type Policy int

// The policies. With each but Halt the timer resets the machine in the end, so
// that the boot manager sees who did it.
const (
	AutoReboot     Policy = iota // nothing else
	DumpThenReboot               // the kernel panics before, which leaves its log in pstore
	RecoveryBoot                 // the next start is that of a golden snapshot
	Halt                         // the timer is stopped and the machine stands still, for somebody to look at it
)

var policyNames = [...]string{"auto-reboot", "dump-then-reboot", "recovery-boot", "halt"}

// PolicyNames are the names of all policies, AutoReboot first.
func PolicyNames() []string { return slices.Clone(policyNames[:]) }

// String returns the name, such as dump-then-reboot.
func (p Policy) String() string {
	if p < 0 || int(p) >= len(policyNames) {
		return fmt.Sprintf("Policy(%d)", int(p))
	}
	return policyNames[p]
}

// ParsePolicy reads the name of a policy.
func ParsePolicy(name string) (Policy, error) {
	i := slices.Index(policyNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("there is no watchdog policy %q; there are %s", name, strings.Join(policyNames[:], ", "))
	}
	return Policy(i), nil
}
