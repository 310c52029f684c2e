package bootmenu

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// machine is one that nobody attends, and its disk.
type machine struct {
	on   PoweredOn
	disk record.Record
	told []string // the markers of this power-on
}

func newMachine(entries []Entry, snapshots []Snapshot) *machine {
	return &machine{on: PoweredOn{Entries: entries, Snapshots: snapshots}}
}

// powerOn runs until something is started, which it names, or the menu waits:
// "menu". Of what is started, refused does not start.
func (m *machine) powerOn(refused ...string) string {
	m.told = nil
	m.on.State = record.Loaded{Record: m.disk}
	m.on.Nonce[0]++
	s, effects := Step(State{}, m.on)
	for {
		var event Event
		for _, effect := range effects {
			id := ""
			switch e := effect.(type) {
			case Emit:
				m.told = append(m.told, e.Marker.Marker().String())
			case SaveState:
				m.disk, event = e.Record, StateSaved{}
			case CountTry:
				event = TryCounted{}
			case Start:
				id = e.ID
			case StartGolden:
				id = GoldenID + string(rune('0'+e.Snapshot[0]))
			}
			if id != "" && !slices.Contains(refused, id) {
				return id
			}
			if id != "" {
				event = StartFailed{ID: id, Stage: markers.StageVerify, Problem: "damaged"}
			}
		}
		if event == nil {
			return "menu"
		}
		s, effects = Step(s, event)
	}
}

func (m *machine) bless(t *testing.T) {
	t.Helper()
	after, ok := Bless(m.disk, m.on.Nonce)
	if !ok {
		t.Fatalf("the boot with nonce %v cannot be blessed: %+v", m.on.Nonce, m.disk.Open)
	}
	if _, again := Bless(after, m.on.Nonce); again {
		t.Fatal("it can be blessed twice")
	}
	m.disk = after
}

func (m *machine) expect(t *testing.T, want ...string) {
	t.Helper()
	for i, w := range want {
		if got := m.powerOn(); got != w {
			t.Fatalf("boot %d starts %s, want %s", i+1, got, w)
		}
	}
}

func TestThreeEntriesFailInTurn(t *testing.T) {
	m := newMachine(countedEntries("a", "b", "c"), snapshots(1))
	m.expect(t, "a", "a", "a", "b", "b", "b", "c", "c", "c", "golden1")
	want := []string{
		"[RAYOS_BOOT_MARKER:FAILURE_COUNT] entry=c, count=3, limit=3, stage=start, reason=stuck",
		"[RAYOS_BOOTMGR:ENTRY_DISABLED] entry=c, count=3, limit=3, reason=stuck",
		"[RAYOS_BOOT_MARKER:RECOVERY_TRIGGERED] reason=failures",
	}
	if !slices.Equal(m.told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(m.told, "\n"), strings.Join(want, "\n"))
	}
	m.bless(t)
	if r := m.disk; r.Disablings != 0 || r.RecoveryAttempts != 0 || r.Recovery != "" || r.Open.Kind != record.NoAttempt {
		t.Errorf("after a good boot: %+v", r)
	}
	m.expect(t, "golden1") // all entries are still disabled
	m.bless(t)
	m.on.Entries[1].Content = record.Content{99}
	m.expect(t, "b") // it was mended
}

func TestOneEntryFails(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(2))
	m.expect(t, "a", "a", "a", "golden1", "golden1", "golden1", "menu", "menu")
	if kinds := eventKindsOf(m.disk); !slices.Contains(kinds, record.Stopped) {
		t.Errorf("events %v", kinds)
	}
}

func eventKindsOf(r record.Record) []record.EventKind {
	var all []record.EventKind
	for _, e := range r.Events {
		all = append(all, e.Kind)
	}
	return all
}

func TestDamagedSnapshotsArePassedOver(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(3))
	m.expect(t, "a", "a", "a")
	if got := m.powerOn("golden1", "golden2"); got != "golden3" {
		t.Errorf("starts %s, want the third snapshot", got)
	}
	if m.disk.RecoveryAttempts != 1 {
		t.Errorf("%d recovery attempts, want 1: a refused snapshot is none", m.disk.RecoveryAttempts)
	}
	if got := m.powerOn("golden1", "golden2", "golden3"); got != "menu" {
		t.Errorf("with no good snapshot it starts %s", got)
	}
}

func TestOrderlyEndIsNoFailure(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(1))
	for range 10 {
		m.expect(t, "a")
		m.disk, _ = Close(m.disk, m.on.Nonce)
	}
	if len(m.disk.Entries) != 0 || m.disk.Open.Kind != record.NoAttempt {
		t.Errorf("%+v", m.disk)
	}
	m.disk, _ = RequestRecovery(m.disk)
	for range 10 {
		m.expect(t, "golden1")
		m.disk, _ = Close(m.disk, m.on.Nonce)
	}
}

func TestOneShotIsConsumedBeforeItIsHonoured(t *testing.T) {
	m := newMachine(countedEntries("a", "b"), nil)
	m.disk.OneShot = "b"
	m.expect(t, "b")
	if m.disk.OneShot != "" {
		t.Error("it is still on disk")
	}
	m.bless(t)
	m.expect(t, "a")

	m.disk = record.Record{OneShot: "b"}
	m.on.State = record.Loaded{Record: m.disk}
	s, _ := Step(State{}, m.on)
	_, effects := Step(s, StateSaved{Problem: "write protected"})
	for _, effect := range effects {
		if start, ok := effect.(Start); ok && start.ID == "b" {
			t.Error("it is honoured though it could not be consumed")
		}
	}
}

func TestDisabledIsNeverChosen(t *testing.T) {
	for _, config := range []Config{{Default: "a"}, {Default: "*"}, {OneShot: "a"}, {OneShot: "?"}, {}} {
		m := newMachine(countedEntries("a", "b"), nil)
		m.on.Config = config
		m.disk, _ = Disable(m.disk, "a")
		m.expect(t, "b")
	}
	m := newMachine(countedEntries("a", "b"), nil)
	m.disk, _ = Disable(m.disk, "a")
	m.disk.OneShot, m.disk.Default = "a", "a"
	m.on.Config.Default = "a"
	m.expect(t, "b")
}

func TestStateLost(t *testing.T) {
	m := newMachine(countedEntries("a"), snapshots(1))
	m.on.State = record.Loaded{Record: record.New(""), Status: record.Lost, Problem: errors.New("both copies are damaged")}
	s, effects := Step(State{}, m.on)
	for len(effects) > 0 && started(effects) == nil {
		if golden, ok := effects[len(effects)-1].(StartGolden); ok {
			if golden.Reason != string(markers.RecoverStateLost) {
				t.Errorf("reason %s", golden.Reason)
			}
			return
		}
		s, effects = Step(s, StateSaved{})
	}
	t.Errorf("golden is not started: %v", effects)
}

func TestUncountedStart(t *testing.T) {
	s, effects := Step(State{}, PoweredOn{Entries: countedEntries("a")})
	if len(effects) != 1 {
		t.Fatalf("effects %v, want the attempt to be saved", effects)
	}
	_, effects = Step(s, StateSaved{Problem: "write protected"})
	if len(effects) != 2 || started(effects) == nil {
		t.Fatalf("effects %v, want a start that is told to be uncounted", effects)
	}
	if m := effects[0].(Emit).Marker.Marker().String(); m != `[RAYOS_BOOTMGR:UNCOUNTED] entry=a, reason="write protected"` {
		t.Errorf("told %s", m)
	}
}

func TestUncountedEntriesAreNotRecorded(t *testing.T) {
	m := newMachine(entries("windows"), nil)
	for range 5 {
		m.expect(t, "windows")
	}
	if !m.disk.Equal(record.Record{}) {
		t.Errorf("%+v", m.disk)
	}
}

func TestTriesAreCountedInTheFileName(t *testing.T) {
	all := entries("a")
	all[0].Tries = true
	s, effects := Step(State{}, PoweredOn{Entries: all})
	if want := []Effect{CountTry{"a"}}; !slices.Equal(effects, want) {
		t.Fatalf("effects %v, want %v", effects, want)
	}
	if _, effects = Step(s, TryCounted{Problem: "write protected"}); len(effects) != 2 || started(effects) == nil {
		t.Errorf("effects %v, want a start that is told to be uncounted", effects)
	}
}

func TestWatchdogBackoff(t *testing.T) {
	m := newMachine(countedEntries("a", "b"), snapshots(1))
	m.on.Watchdog = true
	for i, want := range []int{30, 60, 120, 120, 120} {
		m.expect(t, []string{"a", "a", "a", "b", "b"}[i])
		if got := WatchdogSeconds(m.disk.Backoff); got != want {
			t.Errorf("boot %d: %d s, want %d", i+1, got, want)
		}
	}
	m.bless(t)
	if m.disk.Backoff != 0 {
		t.Errorf("backoff %d after a good boot", m.disk.Backoff)
	}
}

func TestOnlyTheOpenAttemptIsBlessed(t *testing.T) {
	open := record.Record{Open: record.Attempt{Kind: record.EntryAttempt, Entry: "a", Nonce: record.Nonce{1}}}
	for _, f := range []func(record.Record, record.Nonce) (record.Record, bool){Bless, Close} {
		if _, ok := f(open, record.Nonce{2}); ok {
			t.Error("another boot's attempt is ended")
		}
		if _, ok := f(record.Record{}, record.Nonce{}); ok {
			t.Error("an attempt is ended where none is open")
		}
	}
	if r, ok := Reach(open, record.Nonce{1}, record.BootStage(markers.ShellReady)); !ok || r.Open.Stage.String() != "SHELL_READY" {
		t.Errorf("%+v", r.Open)
	} else if _, ok := Reach(r, record.Nonce{1}, record.BootStage(markers.MemoryReady)); ok {
		t.Error("a boot goes back")
	}
}

func TestOperators(t *testing.T) {
	r := record.Record{Entries: []record.Entry{{Key: "a", Failures: 3, Disabled: true}}, Disablings: 1}
	if after, ok := Enable(r, "a"); !ok || len(after.Entries) != 0 || len(r.Entries) != 1 {
		t.Errorf("enabled: %+v", after)
	}
	if _, ok := Enable(r, "b"); ok {
		t.Error("an entry is enabled that was not disabled")
	}
	if _, ok := Disable(r, "a"); ok {
		t.Error("an entry is disabled twice")
	}
	reset, ok := ResetCounters(r)
	if !ok || len(reset.Entries) != 0 || reset.Disablings != 0 {
		t.Errorf("reset: %+v", reset)
	}
	if _, ok := ResetCounters(reset); ok {
		t.Error("a reset of nothing changes something")
	}
	asked, ok := RequestRecovery(r)
	if !ok || asked.Recovery != markers.RecoverOperator {
		t.Errorf("recovery: %+v", asked)
	}
	if back, ok := CancelRecovery(asked); !ok || back.Recovery != "" {
		t.Errorf("cancelled: %+v", back)
	}
}

func TestRecordHasRoomForAllEntries(t *testing.T) {
	var r record.Record
	for i := range record.MaxEntries {
		r, _ = Disable(r, "old-"+string(rune('a'+i)))
	}
	present := func(key string) bool { return key == "old-a" || key == "new" }
	fail(&r, failure{key: "new", stage: record.StageStart, cause: markers.CauseCrash}, present)
	if len(r.Entries) != record.MaxEntries || r.Find("old-a") == nil || r.Find("new") == nil || r.Find("old-b") != nil {
		t.Errorf("%+v", r.Entries)
	}
}

func TestGoldenInTheMenu(t *testing.T) {
	on := PoweredOn{Entries: rayos(), Snapshots: []Snapshot{{golden.Digest{1}, "RayOS 6.1.0"}}, Config: Config{TimeoutSeconds: 5}}
	s, effects := step(powered(on), KeyPressed{Key{Rune: 'r'}})
	if len(effects) != 1 || s.Phase != Recovering {
		t.Fatalf("the r key: %v", effects)
	}
	if e := effects[0].(StartGolden); e.Reason != "user" || e.Snapshot != (golden.Digest{1}) {
		t.Errorf("the r key: %+v", e)
	}
	for _, key := range []rune{'d', 'e'} {
		s := powered(on)
		s, _ = Step(s, KeyPressed{Key{Rune: '4'}})
		if s, effects = Step(s, KeyPressed{Key{Rune: key}}); effects != nil || s.notice == "" {
			t.Errorf("key %c: %v %q", key, effects, s.notice)
		}
	}
}
