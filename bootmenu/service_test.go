package bootmenu

import (
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/markers"
)

// up says that the started system came to SHELL_READY.
func (m *machine) up(t *testing.T) {
	t.Helper()
	after, ok := Reach(m.disk, m.on.Nonce, record.BootStage(markers.ShellReady))
	if !ok {
		t.Fatal("no stage can be reached")
	}
	m.disk = after
}

// TestCriticalServiceFailsTheBoot has the same service fail in each boot, until a golden
// snapshot is started, and there as well, until the menu waits.
func TestCriticalServiceFailsTheBoot(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(1))
	for _, want := range []string{"a", "a", "a", "golden1", "golden1", "golden1", "menu"} {
		m.expect(t, want)
		if want == "menu" {
			break
		}
		m.up(t)
		before := len(m.disk.Events)
		var failed bool
		if m.disk, failed = FailService(m.disk, m.on.Nonce, "web", true); !failed || len(m.disk.Events) != before+1 {
			t.Fatalf("failed %v, events %+v", failed, m.disk.Events[before:])
		}
		if _, ok := Close(m.disk, m.on.Nonce); ok {
			t.Error("the attempt is closed, as if it had ended in order")
		}
		if _, ok := Bless(m.disk, m.on.Nonce); ok {
			t.Error("the boot is good although it has failed")
		}
	}
	count := map[record.EventKind]int{}
	for _, e := range m.disk.Events {
		count[e.Kind]++
		if e.Kind == record.ServiceFailed && (e.Subject != "web" || e.Cause != markers.CauseService || e.Stage != record.BootStage(markers.ShellReady)) {
			t.Errorf("event %+v", e)
		}
	}
	if count[record.ServiceFailed] != 6 || count[record.EntryFailed] != 0 || count[record.GoldenFailed] != 0 || count[record.EntryDisabled] != 1 || count[record.Stopped] != 1 {
		t.Errorf("events %v", count)
	}
	if item := m.disk.Find("a"); item == nil || item.Cause != markers.CauseService || item.Failures != EntryLimit {
		t.Errorf("entry %+v", item)
	}
	if m.disk.Backoff != 0 {
		t.Error("the watchdog has more time, although it was not the watchdog")
	}
}

// TestServiceThatFailsNoBoot is one that is not critical, one of a boot that was good
// already, and one of a boot that is not counted.
func TestServiceThatFailsNoBoot(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(1))
	m.expect(t, "a")
	m.up(t)
	var failed bool
	if m.disk, failed = FailService(m.disk, m.on.Nonce, "extra", false); failed || m.disk.Open.Cause != "" {
		t.Errorf("a service that is not critical has failed the boot: %+v", m.disk.Open)
	}
	m.bless(t)
	if m.disk, failed = FailService(m.disk, m.on.Nonce, "late", true); failed {
		t.Error("a boot that was good has failed")
	}
	if m.disk, failed = FailService(m.disk, record.Nonce{77}, "other", true); failed {
		t.Error("another boot has failed")
	}
	var told []string
	for _, e := range m.disk.Events {
		told = append(told, e.Kind.String()+" "+e.Subject+" "+e.Stage.String())
	}
	if want := []string{"service-failed extra SHELL_READY", "service-failed late GOLDEN", "service-failed other GOLDEN"}; !slices.Equal(told, want) {
		t.Errorf("events %q", told)
	}
	m.expect(t, "a")
}

// TestOneFailureOneEvent has a machine go down in every way, and wants one event for it.
func TestOneFailureOneEvent(t *testing.T) {
	failures := []record.EventKind{record.EntryFailed, record.GoldenFailed, record.ServiceFailed}
	for name, c := range map[string]struct {
		watchdog bool
		service  bool
		before   int // boots that went down in the same way
		cause    markers.FailureCause
	}{
		"panic":    {cause: markers.CauseCrash},
		"watchdog": {watchdog: true, cause: markers.CauseWatchdog},
		"stuck":    {before: 2, cause: markers.CauseStuck},
		"service":  {service: true, cause: markers.CauseService},
	} {
		m := newMachine(countedEntries("a"), snapshots(1))
		for range c.before {
			m.expect(t, "a")
		}
		m.expect(t, "a")
		before := len(m.disk.Events)
		if c.service {
			m.disk, _ = FailService(m.disk, m.on.Nonce, "web", true)
		}
		m.on.Watchdog = c.watchdog
		m.powerOn()
		var events []record.Event
		for _, e := range m.disk.Events[before:] {
			if slices.Contains(failures, e.Kind) {
				events = append(events, e)
			}
		}
		if len(events) != 1 || events[0].Cause != c.cause {
			t.Errorf("%s: events %+v", name, events)
		}
	}
}

// TestExhaustionSaysWhatToDo reads what stands on the screen when nothing is tried any
// more.
func TestExhaustionSaysWhatToDo(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(1))
	m.expect(t, "a", "a", "a", "golden1", "golden1", "golden1")
	m.on.State = record.Loaded{Record: m.disk}
	s, _ := Step(State{}, m.on)
	s, effects := Step(s, StateSaved{})
	if notice := s.notice; !strings.Contains(notice, "Stopped: 3 starts of a golden snapshot were not good.") || !strings.Contains(notice, "Choose an entry, or mend the disk") {
		t.Errorf("the screen says %q", notice)
	}
	if s.Counting() || len(effects) != 1 {
		t.Errorf("it goes on: %+v", effects)
	}
}
