package watchdog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
)

var errBus = errors.New("bus error")

// eachAccess runs op on fresh machines, on each with another access intercepted,
// and gives the outcome to check.
func eachAccess(t *testing.T, op func(w watchdog.Watchdog) error, intercept func(a *watchdogtest.Access) (bool, error),
	check func(t *testing.T, m *watchdogtest.Machine, hit watchdogtest.Access, err error),
) {
	for _, k := range kinds {
		for n := 0; ; n++ {
			m := watchdogtest.New()
			k.build(m)
			w := only(t, m, k.module)
			seen, hit := 0, (*watchdogtest.Access)(nil)
			m.Intercept = func(a *watchdogtest.Access) (bool, error) {
				if seen++; seen != n+1 {
					return false, nil
				}
				hit = &watchdogtest.Access{}
				*hit = *a
				return intercept(a)
			}
			err := op(w)
			m.Intercept = nil
			if hit == nil {
				break
			}
			t.Run(fmt.Sprintf("%s/%03d", strings.ReplaceAll(k.name, " ", "_"), n), func(t *testing.T) { check(t, m, *hit, err) })
		}
	}
}

func armMinute(w watchdog.Watchdog) error { _, err := w.Arm(time.Minute); return err }

// TestFailingAccess: an access that fails is an error of the operation, and Arm
// leaves nothing counting then.
func TestFailingAccess(t *testing.T) {
	fail := func(*watchdogtest.Access) (bool, error) { return true, errBus }
	for name, op := range map[string]func(w watchdog.Watchdog) error{
		"Arm":        armMinute,
		"Disarm":     watchdog.Watchdog.Disarm,
		"Fired":      func(w watchdog.Watchdog) error { _, err := w.Fired(); return err },
		"ClearFired": watchdog.Watchdog.ClearFired,
	} {
		t.Run(name, func(t *testing.T) {
			eachAccess(t, op, fail, func(t *testing.T, m *watchdogtest.Machine, hit watchdogtest.Access, err error) {
				if !errors.Is(err, errBus) {
					t.Errorf("%+v failed, the error is %v", hit, err)
				}
				if m.Advance(time.Hour); m.Resets() != 0 {
					t.Errorf("reset after %v", err)
				}
			})
		})
	}
}

// TestLyingDevice: if Arm says it worked although one access did not do what it
// should, the machine is reset in time all the same.
func TestLyingDevice(t *testing.T) {
	for name, lie := range map[string]func(a *watchdogtest.Access) (bool, error){
		"a write is lost":   func(a *watchdogtest.Access) (bool, error) { return a.Write, nil },
		"a read gives ones": func(a *watchdogtest.Access) (bool, error) { return !a.Write, nil },
		"a read gives zeroes": func(a *watchdogtest.Access) (bool, error) {
			if !a.Write {
				a.Value = 0
			}
			return !a.Write, nil
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			eachAccess(t, armMinute, lie, func(t *testing.T, m *watchdogtest.Machine, hit watchdogtest.Access, err error) {
				m.Advance(time.Minute - 1)
				early := m.Resets()
				m.Advance(time.Minute + 3*time.Second)
				switch resets := m.Resets(); {
				case unseen(hit):
				case err == nil && (early != 0 || resets != 1):
					t.Errorf("no error, %d resets in the first minute and %d in two; the lie is %+v", early, resets, hit)
				case err != nil && resets != 0:
					t.Errorf("reset although: %v; the lie is %+v", err, hit)
				}
			})
		})
	}
}

// unseen are the lies that no driver can find out: the 6300ESB's preload values
// cannot be read, and SMI_EN of the TCO is not the driver's to write.
func unseen(a watchdogtest.Access) bool {
	return a.Space == watchdogtest.Memory && a.Address >= 0xfebf0000 && a.Write ||
		a.Space == watchdogtest.Port && a.Address == 0x630
}

// TestDeadDevice: a device that stops answering is an error of everything.
func TestDeadDevice(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		m.Intercept = func(*watchdogtest.Access) (bool, error) { return true, nil }
		if _, err := w.Arm(time.Minute); err == nil {
			t.Error("it can be armed")
		}
		if err := w.ClearFired(); err == nil {
			t.Error("it can be cleared")
		}
	})
}
