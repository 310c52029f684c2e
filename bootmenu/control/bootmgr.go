package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
)

// Bootmgr are the verbs of the command bootmgr.
func Bootmgr() []Command {
	return []Command{
		{Name: "list", Short: "list the boot entries and how they stand", Run: list},
		{Name: "status", Short: "show what the boot manager remembers", Run: status},
		{Name: "set-default", Args: "ENTRY", Short: "start this entry from now on", Writes: true, Run: setDefault, least: 1, most: 1},
		{Name: "set-oneshot", Args: "ENTRY", Short: "start this entry at the next boot only", Writes: true, Run: setOneShot, least: 1, most: 1},
		{Name: "enable", Args: "ENTRY", Short: "forget an entry's failures, and let it be started again", Writes: true, Run: enable, least: 1, most: 1},
		{Name: "disable", Args: "ENTRY", Short: "let only a person start an entry", Writes: true, Run: disable, least: 1, most: 1},
		{Name: "reset", Short: "forget all failures, enable all entries, end recovery", Writes: true, Run: reset},
		{Name: "recovery", Args: "[on|off]", Short: "start the golden snapshot at the next boot, or no longer", Writes: true, Run: recoveryMode, most: 1},
	}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func list(c *Call) error {
	v, err := look(c.Machine)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, struct {
			Entries  []Entry  `json:"entries"`
			Problems []string `json:"problems"`
		}{append([]Entry{}, v.entries...), texts(v.problems)})
	}
	w := newTable(c.Out)
	fmt.Fprintln(w, "ENTRY\tKIND\tTITLE\tSTATE")
	for _, e := range v.entries {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.ID, e.Kind, e.Title, e.State())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return c.sayProblems(v)
}

// sayProblems prints what could not be read.
func (c *Call) sayProblems(v view) error {
	if v.loaded.Problem != nil {
		if err := c.say("boot state: %v", v.loaded.Problem); err != nil {
			return err
		}
	}
	for _, p := range v.problems {
		if err := c.say("%v", p); err != nil {
			return err
		}
	}
	return nil
}

func texts(errs []error) []string {
	all := []string{}
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}

// Status is the answer of bootmgr status. Its JSON names are part of the
// interface.
type Status struct {
	State     record.Status     `json:"state"`
	Problem   string            `json:"problem,omitempty"`
	Record    record.Record     `json:"record"`
	Default   string            `json:"default"`
	Watchdog  int               `json:"watchdogSeconds"` // for the next boot
	Snapshots []golden.Snapshot `json:"snapshots"`
	Limits    struct {
		Entry    int `json:"entry"`
		Disable  int `json:"disable"`
		Recovery int `json:"recovery"`
	} `json:"limits"`
}

// Look tells of a machine what bootmgr status tells, and its boot entries as
// bootmgr list has them.
func Look(m Machine) (Status, []Entry, error) {
	v, err := look(m)
	if err != nil {
		return Status{}, nil, err
	}
	volume, err := m.ESP()
	if err != nil {
		return Status{}, nil, err
	}
	snapshots, _ := golden.List(volume)
	s := Status{
		State: v.loaded.Status, Record: v.loaded.Record, Snapshots: append([]golden.Snapshot{}, snapshots...),
		Watchdog: bootmenu.WatchdogSeconds(v.loaded.Record.Backoff),
	}
	s.Limits.Entry, s.Limits.Disable, s.Limits.Recovery = bootmenu.EntryLimit, bootmenu.DisableLimit, bootmenu.RecoveryLimit
	if v.loaded.Problem != nil {
		s.Problem = v.loaded.Problem.Error()
	}
	for _, e := range v.entries {
		if e.Default {
			s.Default = e.ID
		}
	}
	return s, v.entries, nil
}

func status(c *Call) error {
	s, _, err := Look(c.Machine)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(c.Out, s)
	}
	return s.Print(c.Out)
}

// Print prints the answer for people.
func (s *Status) Print(out io.Writer) error {
	r := s.Record
	w := newTable(out)
	fmt.Fprintf(w, "Boot state\t%v, record %d\n", s.State, r.Sequence)
	if s.Problem != "" {
		fmt.Fprintf(w, "\t%s\n", s.Problem)
	}
	fmt.Fprintf(w, "Installation\t%s\n", cmp.Or(r.InstallID, "not known"))
	fmt.Fprintf(w, "Open attempt\t%s\n", attemptText(r.Open))
	fmt.Fprintf(w, "Default\t%s\n", cmp.Or(s.Default, "none: the first entry"))
	fmt.Fprintf(w, "Next, once\t%s\n", cmp.Or(r.OneShot, "none"))
	fmt.Fprintf(w, "Disabled\t%d of %d since the last good boot\n", r.Disablings, s.Limits.Disable)
	fmt.Fprintf(w, "Recovery\t%s\n", s.recoveryText())
	fmt.Fprintf(w, "Golden snapshots\t%d\n", len(s.Snapshots))
	fmt.Fprintf(w, "Hardware watchdog\t%d s\n", s.Watchdog)
	return w.Flush()
}

func attemptText(a record.Attempt) string {
	what := a.Entry
	switch a.Kind {
	case record.NoAttempt:
		return "none"
	case record.GoldenAttempt:
		what = "golden snapshot " + bootmenu.ShortID(a.Snapshot)
	}
	text := fmt.Sprintf("%s, came to %v", what, a.Stage)
	if a.Cause != "" {
		text += ", failed: " + string(a.Cause)
	}
	return text
}

func (s *Status) recoveryText() string {
	switch {
	case s.Record.Recovery == "" && s.Record.RecoveryAttempts == 0:
		return "no"
	case s.Record.RecoveryAttempts >= s.Limits.Recovery:
		return fmt.Sprintf("stopped after %d attempts", s.Record.RecoveryAttempts)
	}
	return fmt.Sprintf("%s, %d of %d attempts", cmp.Or(string(s.Record.Recovery), "by hand"), s.Record.RecoveryAttempts, s.Limits.Recovery)
}

// startable finds the entry that the call names, which must not be disabled.
func (c *Call) startable() (Entry, error) {
	v, err := look(c.Machine)
	if err != nil {
		return Entry{}, err
	}
	e, err := v.find(c.Args[0])
	if err == nil && e.Disabled {
		err = fmt.Errorf("%s is disabled and would not be started; enable it first: bootmgr enable %s", e.ID, e.ID)
	}
	return e, err
}

func setDefault(c *Call) error {
	e, err := c.startable()
	if err != nil {
		return err
	}
	changed, err := c.Machine.Update(func(r record.Record) (record.Record, bool) {
		was := r.Default
		r.Default = record.Key(e.ID)
		return r, r.Default != was
	})
	if err != nil {
		return err
	}
	if err := c.Machine.ForgetDefault(); err != nil {
		return fmt.Errorf("%s is the default in the record, but the EFI variable LoaderEntryDefault still wins: %w", e.ID, err)
	}
	return c.done(changed, e.ID+" is the default.")
}

func setOneShot(c *Call) error {
	e, err := c.startable()
	if err != nil {
		return err
	}
	changed, err := c.Machine.Update(func(r record.Record) (record.Record, bool) {
		was := r.OneShot
		r.OneShot = record.Key(e.ID)
		return r, r.OneShot != was
	})
	if err != nil {
		return err
	}
	return c.done(changed, e.ID+" is started at the next boot, once.")
}

// change changes the record for the entry that the call names.
func (c *Call) change(change func(record.Record, string) (record.Record, bool), done, already string) error {
	v, err := look(c.Machine)
	if err != nil {
		return err
	}
	key := record.Key(c.Args[0])
	if v.loaded.Record.Find(key) == nil { // what is remembered may be of an entry that is gone
		e, err := v.find(c.Args[0])
		if err != nil {
			return err
		}
		key = record.Key(e.ID)
	}
	changed, err := c.Machine.Update(func(r record.Record) (record.Record, bool) { return change(r, key) })
	if err != nil {
		return err
	}
	if !changed {
		return c.done(false, c.Args[0]+already)
	}
	return c.done(true, c.Args[0]+done)
}

func enable(c *Call) error {
	return c.change(bootmenu.Enable, " is enabled, its failures are forgotten.", " was enabled already and has no failures.")
}

func disable(c *Call) error {
	return c.change(bootmenu.Disable, " is disabled: only a person can start it.", " was disabled already.")
}

func reset(c *Call) error {
	changed, err := c.Machine.Update(bootmenu.ResetCounters)
	if err != nil {
		return err
	}
	if !changed {
		return c.done(false, "There is nothing to forget.")
	}
	return c.done(true, "All failures are forgotten, all entries are enabled.")
}

func recoveryMode(c *Call) error {
	change, done, already := bootmenu.RequestRecovery, "The next boot starts the golden snapshot.", "It would do so anyway."
	switch {
	case len(c.Args) == 0 || c.Args[0] == "on":
	case c.Args[0] == "off":
		change, done, already = bootmenu.CancelRecovery, "The next boot starts an entry.", "Recovery was off already."
	default:
		return fmt.Errorf("%w: recovery is on or off, not %q", ErrUsage, c.Args[0])
	}
	changed, err := c.Machine.Update(change)
	if err != nil {
		return err
	}
	if !changed {
		done = already
	}
	return c.done(changed, done)
}
