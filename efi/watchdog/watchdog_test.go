package watchdog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
)

// kinds are machines with one watchdog.
var kinds = []struct {
	name   string
	module string
	build  func(m *watchdogtest.Machine)
}{
	{"6300ESB", "i6300esb", func(m *watchdogtest.Machine) { m.AddI6300ESB() }},
	{"TCO of ICH9", "iTCO_wdt", func(m *watchdogtest.Machine) { m.AddTCO(2) }},
	{"TCO of ICH9 with interrupts", "iTCO_wdt", func(m *watchdogtest.Machine) { m.AddTCO(2).EnableSMI() }},
	{"TCO of ICH9 with a handler that resets", "iTCO_wdt", func(m *watchdogtest.Machine) {
		t := m.AddTCO(2)
		t.EnableSMI()
		t.SMIResets = true
	}},
	{"TCO of QEMU", "iTCO_wdt", func(m *watchdogtest.Machine) { m.AddTCO(2).StoresStatus = true }},
	{"TCO of Bay Trail", "iTCO_wdt", func(m *watchdogtest.Machine) { m.AddTCO(3) }},
	{"TCO of Elkhart Lake", "iTCO_wdt", func(m *watchdogtest.Machine) { m.AddTCO(6) }},
	{"WDAT", "wdat_wdt", func(m *watchdogtest.Machine) {
		m.AddTCO(2)
		m.SetTable("WDAT", watchdogtest.TCOTable().Encode())
	}},
	{"WDAT of QEMU", "wdat_wdt", func(m *watchdogtest.Machine) {
		m.AddTCO(2).StoresStatus = true
		m.SetTable("WDAT", watchdogtest.QEMUTable().Encode())
	}},
}

// forEachKind runs a test with a fresh machine of each kind.
func forEachKind(t *testing.T, test func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog)) {
	for _, k := range kinds {
		t.Run(strings.ReplaceAll(k.name, " ", "_"), func(t *testing.T) {
			m := watchdogtest.New()
			k.build(m)
			test(t, m, only(t, m, k.module))
		})
	}
}

// only finds the machine's only watchdog.
func only(t *testing.T, m *watchdogtest.Machine, module string) watchdog.Watchdog {
	t.Helper()
	dogs, err := watchdog.Find(m)
	if err != nil || len(dogs) != 1 || dogs[0].Name() != module {
		t.Fatalf("found %v, %v; want %s", names(dogs), err, module)
	}
	return dogs[0]
}

func names(dogs []watchdog.Watchdog) (all []string) {
	for _, w := range dogs {
		all = append(all, w.Name())
	}
	return all
}

func arm(t *testing.T, w watchdog.Watchdog, timeout time.Duration) time.Duration {
	t.Helper()
	actual, err := w.Arm(timeout)
	if err != nil {
		t.Fatal(err)
	}
	return actual
}

func expectFired(t *testing.T, w watchdog.Watchdog, want bool) {
	t.Helper()
	if fired, err := w.Fired(); err != nil || fired != want {
		t.Errorf("fired: %v, %v; want %v", fired, err, want)
	}
}

// TestFires: a machine that hangs is reset, neither too early nor too late, and
// the watchdog says so until it is cleared.
func TestFires(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		expectFired(t, w, false)
		for i, timeout := range []time.Duration{5 * time.Second, 30 * time.Second, 120 * time.Second, 400 * time.Second} {
			actual := arm(t, w, timeout)
			if actual < timeout || actual > 2*timeout+2*time.Second {
				t.Errorf("%v became %v", timeout, actual)
			}
			m.Advance(timeout - 1)
			if m.Resets() != i {
				t.Fatalf("reset before %v", timeout)
			}
			m.Advance(actual - timeout + 1)
			if m.Resets() != i+1 {
				t.Fatalf("%d resets after %v, want %d", m.Resets(), actual, i+1)
			}
			m.Advance(time.Hour)
			if m.Resets() != i+1 {
				t.Fatal("it runs after the reset")
			}
			w = only(t, m, w.Name())
			if fired, err := w.Fired(); err != nil || !fired && !strings.Contains(t.Name(), "handler_that_resets") {
				t.Errorf("fired: %v, %v", fired, err)
			}
			if err := w.ClearFired(); err != nil {
				t.Error(err)
			}
			expectFired(t, w, false)
		}
	})
}

func TestDisarm(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		for range 2 {
			actual := arm(t, w, time.Minute)
			m.Advance(actual / 3)
			for range 2 {
				if err := w.Disarm(); err != nil {
					t.Fatal(err)
				}
			}
			m.Advance(time.Hour)
		}
		if m.Resets() != 0 {
			t.Errorf("%d resets", m.Resets())
		}
		expectFired(t, w, false)
	})
}

// TestArmAgain: the time starts anew, and the last one counts.
func TestArmAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		for range 5 {
			arm(t, w, 10*time.Second)
			m.Advance(10*time.Second - 1)
		}
		arm(t, w, time.Minute)
		m.Advance(time.Minute - 1)
		if m.Resets() != 0 {
			t.Errorf("%d resets", m.Resets())
		}
	})
}

// TestExtremes: what a device cannot count becomes its shortest or longest time.
func TestExtremes(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		for i, timeout := range []time.Duration{-time.Hour, 0, 1, 10 * time.Hour, 1<<63 - 1} {
			actual := arm(t, w, timeout)
			if actual <= 0 || actual > time.Hour || actual < min(timeout, 10*time.Minute) {
				t.Errorf("%v became %v", timeout, actual)
			}
			m.Advance(actual)
			if m.Resets() != i+1 {
				t.Fatalf("not reset after %v", actual)
			}
			w = only(t, m, w.Name())
		}
	})
}

// TestLeftover: what a watchdog that fired or ran before has left does not
// shorten the time.
func TestLeftover(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		m.Advance(arm(t, w, 5*time.Second))
		w = only(t, m, w.Name())
		m.Advance(arm(t, w, 5*time.Second) - 1)
		w = only(t, m, w.Name())
		resets := m.Resets()
		arm(t, w, 30*time.Second)
		m.Advance(30*time.Second - 1)
		if m.Resets() != resets {
			t.Errorf("%d resets, want %d", m.Resets(), resets)
		}
	})
}

func TestLockedESB(t *testing.T) {
	m := watchdogtest.New()
	m.AddI6300ESB().Locked = true
	w := only(t, m, "i6300esb")
	for _, err := range []error{armMinute(w), w.Disarm()} {
		if err == nil || !strings.Contains(err.Error(), "locked until the next reset") {
			t.Errorf("%v, want it to be locked", err)
		}
	}
}

func TestStrappedTCO(t *testing.T) {
	for _, generation := range []int{2, 3, 6} {
		m := watchdogtest.New()
		m.AddTCO(generation).Strapped = true
		w := only(t, m, "iTCO_wdt")
		if err := armMinute(w); err == nil || !strings.Contains(err.Error(), "not to be reset") {
			t.Errorf("generation %d: %v, want NO_REBOOT to be said", generation, err)
		}
	}
}

// TestAccessesAreFew: there are no loops over a device.
func TestAccessesAreFew(t *testing.T) {
	forEachKind(t, func(t *testing.T, m *watchdogtest.Machine, w watchdog.Watchdog) {
		before := m.Accesses()
		arm(t, w, time.Minute)
		if n := m.Accesses() - before; n > 60 {
			t.Errorf("%d accesses", n)
		}
	})
}

func TestFindOrder(t *testing.T) {
	disabled := watchdogtest.TCOTable()
	disabled.Flags = 0
	clock := watchdogtest.TCOTable()
	clock.Entries = append(clock.Entries, watchdogtest.WDATEntry{Action: 0xf0, Space: 1, AccessSize: 1, Address: 0x71})
	for _, c := range []struct {
		name  string
		table []byte
		want  []string
		err   string
	}{
		{"no table", nil, []string{"i6300esb", "iTCO_wdt"}, ""},
		{"a table", watchdogtest.TCOTable().Encode(), []string{"wdat_wdt", "i6300esb"}, ""},
		{"a disabled table", disabled.Encode(), []string{"i6300esb"}, "use watchdog of ACPI: it is switched off in the firmware's setup"},
		{"a damaged table", watchdogtest.TCOTable().Encode()[:100], []string{"i6300esb"}, "12 instructions in 100 bytes"},
		{"a table with the clock", clock.Encode(), []string{"i6300esb", "iTCO_wdt"}, ""},
	} {
		m := watchdogtest.New()
		m.AddTCO(2)
		m.AddI6300ESB()
		if c.table != nil {
			m.SetTable("WDAT", c.table)
		}
		dogs, err := watchdog.Find(m)
		if !slices.Equal(names(dogs), c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v; want %v, %q", c.name, names(dogs), err, c.want, c.err)
		}
	}
}
