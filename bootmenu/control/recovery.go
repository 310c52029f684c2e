package control

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// Recovery are the verbs of the command recovery.
func Recovery() []Command {
	return []Command{
		{Name: "status", Short: "show whether the machine recovers, and what happened", Run: recoveryStatus},
		{Name: "list", Short: "list the golden snapshots", Run: listGolden},
		{Name: "verify", Args: "[SNAPSHOT]", Short: "compare snapshots with their digests", Run: verifyGolden, most: 1},
		{Name: "snapshot", Short: "take a golden snapshot of the system that runs", Alive: true, Run: snapshot},
		{Name: "restore", Args: "[SNAPSHOT [ENTRY]]", Short: "make an entry start what a snapshot holds", Alive: true, Asks: true, Run: restore, most: 2},
		{Name: "drop", Args: "[SNAPSHOT]", Short: "delete a snapshot", Alive: true, Asks: true, Run: drop, most: 1},
	}
}

func recoveryStatus(c *Call) error {
	loaded, err := c.Machine.Load()
	if err != nil {
		return err
	}
	r := loaded.Record
	if c.JSON {
		return printJSON(c.Out, struct {
			Recovery         string         `json:"recovery"`
			RecoveryAttempts int            `json:"recoveryAttempts"`
			Events           []record.Event `json:"events"`
		}{string(r.Recovery), r.RecoveryAttempts, append([]record.Event{}, r.Events...)})
	}
	s := Status{Record: r}
	s.Limits.Recovery = bootmenu.RecoveryLimit
	if err := c.say("Recovery: %s", s.recoveryText()); err != nil {
		return err
	}
	if len(r.Events) == 0 {
		return c.say("Nothing has happened.")
	}
	w := newTable(c.Out)
	for _, e := range r.Events {
		fmt.Fprintf(w, "%d\t%v\t%s\t%s\n", e.Number, e.Kind, e.Subject, eventText(e))
	}
	return w.Flush()
}

func eventText(e record.Event) string {
	var words []string
	if e.Cause != "" {
		words = append(words, string(e.Cause))
	}
	if e.Stage != record.NoStage {
		words = append(words, "at "+e.Stage.String())
	}
	if e.Reason != "" {
		words = append(words, "because of "+string(e.Reason))
	}
	return strings.Join(words, " ")
}

func listGolden(c *Call) error {
	volume, err := c.Machine.ESP()
	if err != nil {
		return err
	}
	all, problems := golden.List(volume)
	if c.JSON {
		type item struct {
			ID string `json:"id"`
			golden.Snapshot
		}
		items := []item{}
		for _, s := range all {
			items = append(items, item{s.ID().String(), s})
		}
		return printJSON(c.Out, struct {
			Snapshots []item   `json:"snapshots"`
			Problems  []string `json:"problems"`
		}{items, texts(problems)})
	}
	if len(all) == 0 {
		if err := c.say("There is no golden snapshot."); err != nil {
			return err
		}
	}
	w := newTable(c.Out)
	for i, s := range all {
		fmt.Fprintf(w, "%d\t%s\t%v\t%s\t%s MiB\tof %s\n", i+1, bootmenu.ShortID(s.ID()), s.State, s.Title, mebibytes(s), s.Entry)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return c.sayProblems(view{problems: problems})
}

func mebibytes(s golden.Snapshot) string {
	return strconv.FormatInt((s.Kernel.LengthBytes+s.Initrd.LengthBytes+1<<20-1)>>20, 10)
}

// pick finds the snapshot that the call names by the beginning of its ID, or
// asks for it.
func (c *Call) pick(all []golden.Snapshot) (golden.Snapshot, error) {
	if len(all) == 0 {
		return golden.Snapshot{}, errors.New("there is no golden snapshot")
	}
	if len(c.Args) > 0 {
		return named(all, c.Args[0])
	}
	if c.Ask == nil {
		return golden.Snapshot{}, fmt.Errorf("%w: say which snapshot: the first digits of its ID, as recovery list shows it", ErrUsage)
	}
	if err := listGolden(&Call{Machine: c.Machine, Out: c.Out}); err != nil {
		return golden.Snapshot{}, err
	}
	answer, err := c.Ask("Which one? Its number, nothing for none: ")
	if err != nil {
		return golden.Snapshot{}, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(answer))
	if err != nil || n < 1 || n > len(all) {
		return golden.Snapshot{}, fmt.Errorf("nothing was done: %q is not one of 1 to %d", strings.TrimSpace(answer), len(all))
	}
	return all[n-1], nil
}

// leastDigits are how many digits of an ID must be given to name a snapshot.
const leastDigits = 4

func named(all []golden.Snapshot, prefix string) (golden.Snapshot, error) {
	fit := slices.DeleteFunc(slices.Clone(all), func(s golden.Snapshot) bool {
		return !strings.HasPrefix(s.ID().String(), strings.ToLower(prefix))
	})
	switch {
	case len(prefix) < leastDigits:
		return golden.Snapshot{}, fmt.Errorf("%w: %q: give at least %d digits of the snapshot's ID", ErrUsage, prefix, leastDigits)
	case len(fit) == 0:
		return golden.Snapshot{}, fmt.Errorf("no golden snapshot %s; see recovery list", prefix)
	case len(fit) > 1:
		return golden.Snapshot{}, fmt.Errorf("%d golden snapshots begin with %s: give more digits", len(fit), prefix)
	}
	return fit[0], nil
}

func verifyGolden(c *Call) error {
	volume, err := c.Machine.ESP()
	if err != nil {
		return err
	}
	_, kernels, err := c.Machine.Slots()
	if err != nil {
		return err
	}
	all, problems := golden.List(volume)
	if len(c.Args) > 0 {
		s, err := named(all, c.Args[0])
		if err != nil {
			return err
		}
		all, problems = []golden.Snapshot{s}, nil
	}
	type result struct {
		ID      string `json:"id"`
		Problem string `json:"problem,omitempty"`
	}
	results := []result{}
	bad := len(problems)
	for _, s := range all {
		r := result{ID: s.ID().String()}
		if err := golden.Verify(volume, kernels, s); err != nil {
			r.Problem = err.Error()
			bad++
		}
		results = append(results, r)
	}
	if c.JSON {
		err = printJSON(c.Out, struct {
			Snapshots []result `json:"snapshots"`
			Problems  []string `json:"problems"`
		}{results, texts(problems)})
	} else {
		for _, r := range results {
			word := "is as it was made"
			if r.Problem != "" {
				word = r.Problem
			}
			if err := c.say("%.16s: %s", r.ID, word); err != nil {
				return err
			}
		}
		err = c.sayProblems(view{problems: problems})
	}
	if err == nil && bad > 0 {
		err = fmt.Errorf("%d golden snapshots cannot be used", bad)
	}
	return err
}

func snapshot(c *Call) error {
	s, made, err := c.Store.Snapshot()
	if err != nil {
		return err
	}
	if !made {
		return c.done(false, fmt.Sprintf("Snapshot %s of this system is there already.", bootmenu.ShortID(s.ID())))
	}
	return c.done(true, fmt.Sprintf("Snapshot %s was taken.", bootmenu.ShortID(s.ID())))
}

func drop(c *Call) error {
	all, _ := golden.List(c.Store)
	s, err := c.pick(all)
	if err != nil {
		return err
	}
	id := bootmenu.ShortID(s.ID())
	if err := c.confirm(fmt.Sprintf("Snapshot %s (%s) will be deleted.", id, s.Title)); err != nil {
		return err
	}
	if err := golden.Drop(c.Store, s.ID(), InUse(c.Store)); err != nil {
		return err
	}
	return c.done(true, "Snapshot "+id+" was deleted.")
}

// InUse reports whether a boot entry of an ESP starts a file of the golden store.
func InUse(volume fs.FS) func(part string) bool {
	entries, _ := esp.Discover(volume, esp.X64)
	return func(part string) bool {
		name := path.Join(golden.Dir, part)
		return slices.ContainsFunc(entries, func(e esp.Entry) bool {
			return strings.EqualFold(e.Image(), name) || slices.ContainsFunc(e.Initrd, func(i string) bool { return strings.EqualFold(i, name) })
		})
	}
}
