package control_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/markers"
)

// machine is one in memory.
type machine struct {
	files    fstest.MapFS
	table    slots.Table
	record   record.Record
	variable string // LoaderEntryDefault
	key      ed25519.PublicKey
	keyless  error // of its key
	writes   int
	broken   error
}

func (m *machine) ESP() (fs.FS, error)                      { return m.files, m.broken }
func (m *machine) Slots() (slots.Table, io.ReaderAt, error) { return m.table, nil, nil }
func (m *machine) Load() (record.Loaded, error)             { return record.Loaded{Record: m.record}, m.broken }
func (m *machine) Default() (string, error)                 { return m.variable, nil }
func (m *machine) ForgetDefault() error                     { m.variable = ""; return nil }
func (m *machine) GoldenKey() (ed25519.PublicKey, error)    { return m.key, m.keyless }

func (m *machine) Update(change func(record.Record) (record.Record, bool)) (bool, error) {
	r, changed := change(m.record)
	if changed {
		m.record = r
		m.writes++
	}
	return changed, m.broken
}

func newMachine() *machine {
	return &machine{
		files: fstest.MapFS{
			"loader/loader.conf":              {Data: []byte("default a\n")},
			"loader/entries/a.conf":           {Data: []byte("title A\nlinux /linux\nsort-key 1\nx-rayos-bless runtime\n")},
			"loader/entries/b.conf":           {Data: []byte("title B\nlinux /linux\nsort-key 2\n")},
			"loader/entries/counted+2-1.conf": {Data: []byte("title C\nlinux /linux\nsort-key 3\n")},
		},
		table: slots.Table{Slots: []slots.Slot{{Index: 0, ID: "slot", Title: "From a slot"}}},
		record: record.Record{Entries: []record.Entry{
			{Key: "a", Failures: 3, Disabled: true, Stage: record.BootStage(markers.ShellReady), Cause: markers.CauseStuck},
			{Key: "slot", Failures: 1, Stage: record.StageStart, Cause: markers.CauseWatchdog},
			{Key: "gone", Failures: 1},
		}},
	}
}

func find(t *testing.T, verbs []control.Command, name string) control.Command {
	t.Helper()
	i := slices.IndexFunc(verbs, func(c control.Command) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no verb %s", name)
	}
	return verbs[i]
}

// do runs a verb, and returns what it prints.
func do(t *testing.T, m *machine, verbs []control.Command, asJSON bool, name string, args ...string) (string, error) {
	t.Helper()
	verb := find(t, verbs, name)
	var out strings.Builder
	err := verb.Do(&control.Call{Machine: m, Args: args, JSON: asJSON, Out: &out})
	if asJSON && err == nil && !json.Valid([]byte(out.String())) {
		t.Errorf("%s: not JSON: %s", name, &out)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasSuffix(line, " \n") {
			t.Errorf("%s: spaces at the end of %q", name, line)
		}
	}
	return out.String(), err
}

func TestList(t *testing.T) {
	m := newMachine()
	out, err := do(t, m, control.Bootmgr(), false, "list")
	if err != nil {
		t.Fatal(err)
	}
	want := "" +
		"ENTRY    KIND  TITLE        STATE\n" +
		"a        bls   A            disabled after 3 failures (stuck at SHELL_READY)\n" +
		"b        bls   B\n" +
		"counted  bls   C            2 tries left\n" +
		"slot     slot  From a slot  failed 1/3 (watchdog at start)\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	m.variable = "b*"
	m.record.OneShot = "slot"
	out, _ = do(t, m, control.Bootmgr(), false, "list")
	if !strings.Contains(out, "B            default\n") || !strings.Contains(out, "next, once, failed 1/3") {
		t.Errorf("got\n%s", out)
	}
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		verb  string
		args  []string
		says  string
		check func(r record.Record) bool
	}{
		{"set-default", []string{"b"}, "b is the default", func(r record.Record) bool { return r.Default == "b" }},
		{"set-oneshot", []string{"slot"}, "at the next boot, once", func(r record.Record) bool { return r.OneShot == "slot" }},
		{"enable", []string{"a"}, "a is enabled", func(r record.Record) bool { return r.Find("a") == nil }},
		{"enable", []string{"gone"}, "gone is enabled", func(r record.Record) bool { return r.Find("gone") == nil }},
		{"disable", []string{"b"}, "b is disabled", func(r record.Record) bool { return r.Find("b").Disabled }},
		{"reset", nil, "All failures are forgotten", func(r record.Record) bool { return len(r.Entries) == 0 }},
		{"recovery", []string{"on"}, "starts the golden snapshot", func(r record.Record) bool { return r.Recovery == markers.RecoverOperator }},
	} {
		for _, asJSON := range []bool{false, true} {
			m := newMachine()
			out, err := do(t, m, control.Bootmgr(), asJSON, c.verb, c.args...)
			if err != nil || !strings.Contains(out, c.says) || !c.check(m.record) || m.writes != 1 {
				t.Errorf("%s %v: %q, %v, %d writes, %+v", c.verb, c.args, out, err, m.writes, m.record)
			}
			if out, err := do(t, m, control.Bootmgr(), asJSON, c.verb, c.args...); err == nil && m.writes != 1 && c.verb != "enable" {
				t.Errorf("%s %v again: %q, %d writes", c.verb, c.args, out, m.writes)
			}
		}
	}
}

func TestSetDefaultWinsOverTheVariable(t *testing.T) {
	m := newMachine()
	m.variable = "a"
	if _, err := do(t, m, control.Bootmgr(), false, "set-default", "b"); err != nil || m.variable != "" {
		t.Errorf("%v, variable %q", err, m.variable)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		verb  string
		args  []string
		says  string
		usage bool
	}{
		{"set-default", []string{"a"}, "enable it first: bootmgr enable a", false},
		{"set-oneshot", []string{"a"}, "enable it first", false},
		{"set-default", []string{"nonsense"}, "there are a, b, counted, slot", false},
		{"disable", []string{"nonsense"}, "no entry nonsense", false},
		{"set-default", nil, "set-default wants ENTRY", true},
		{"list", []string{"x"}, "list wants no arguments", true},
		{"recovery", []string{"maybe"}, `not "maybe"`, true},
	} {
		m := newMachine()
		out, err := do(t, m, control.Bootmgr(), false, c.verb, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, control.ErrUsage) != c.usage || m.writes != 0 {
			t.Errorf("%s %v: %q, %v, %d writes", c.verb, c.args, out, err, m.writes)
		}
	}
}

func TestStatus(t *testing.T) {
	m := newMachine()
	m.record.Open = record.Attempt{Kind: record.EntryAttempt, Entry: "b", Stage: record.BootStage(markers.ShellReady)}
	m.record, _ = bootmenu.RequestRecovery(m.record)
	m.record.RecoveryAttempts = 1
	out, err := do(t, m, control.Bootmgr(), false, "status")
	if err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"good, record 0", "b, came to SHELL_READY", "operator, 1 of 3 attempts", "30 s"} {
		if !strings.Contains(out, says) {
			t.Errorf("no %q in\n%s", says, out)
		}
	}
	var s control.Status
	out, _ = do(t, m, control.Bootmgr(), true, "status")
	if !strings.Contains(out, `"kind": "entry"`) || !strings.Contains(out, `"stage": "SHELL_READY"`) || !strings.Contains(out, `"state": "good"`) {
		t.Errorf("%v\n%s", s, out)
	}
}

func TestRecoveryShowsWhatHappened(t *testing.T) {
	m := newMachine()
	out, err := do(t, m, control.Recovery(), false, "status")
	if err != nil || !strings.Contains(out, "Recovery: no\nGolden snapshots: 0\nNothing has happened.") {
		t.Errorf("%q, %v", out, err)
	}
	m.record.AddEvent(record.Event{Kind: record.EntryFailed, Subject: "a", Stage: record.StageStart, Cause: markers.CauseCrash})
	m.record, _ = bootmenu.RequestRecovery(m.record)
	out, _ = do(t, m, control.Recovery(), false, "status")
	if !strings.Contains(out, "crash at start") || !strings.Contains(out, "because of operator") {
		t.Errorf("%q", out)
	}
}

func TestNoGoldenSnapshots(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		out, err := do(t, newMachine(), control.Recovery(), asJSON, "list")
		if err != nil || !asJSON && out != "There is no golden snapshot.\n" {
			t.Errorf("%q, %v", out, err)
		}
		if _, err := do(t, newMachine(), control.Recovery(), asJSON, "verify"); err != nil {
			t.Error(err)
		}
	}
}

func TestErrorsOfTheMachine(t *testing.T) {
	m := newMachine()
	m.broken = errors.New("no such device")
	for _, verbs := range [][]control.Command{control.Bootmgr(), control.Recovery()} {
		for _, verb := range verbs {
			if verb.Alive {
				continue
			}
			args := []string{"b"}
			if verb.Args != "ENTRY" {
				args = nil
			}
			if _, err := do(t, m, verbs, false, verb.Name, args...); !errors.Is(err, m.broken) {
				t.Errorf("%s: %v", verb.Name, err)
			}
		}
	}
}

// TestStatusOfAFailedAttempt says why it has failed, before the boot manager counts it.
func TestStatusOfAFailedAttempt(t *testing.T) {
	for want, open := range map[string]record.Attempt{
		"none": {},
		"a, came to SHELL_READY, failed: service": {
			Kind: record.EntryAttempt, Entry: "a", Stage: record.BootStage(markers.ShellReady), Cause: markers.CauseService,
		},
		"golden snapshot 0000000000000000, came to start": {Kind: record.GoldenAttempt, Stage: record.StageStart},
	} {
		s := control.Status{Record: record.Record{Open: open}}
		var out strings.Builder
		if err := s.Print(&out); err != nil || !strings.Contains(out.String(), "Open attempt       "+want+"\n") {
			t.Errorf("want %q: %v, %s", want, err, &out)
		}
	}
}
