package control

import (
	"errors"
	"fmt"
	"io"
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
		{Name: "verify", Args: "[SNAPSHOT]", Short: "compare snapshots with their digests, and check their signatures", Run: verifyGolden, most: 1},
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
	volume, err := c.Machine.ESP()
	if err != nil {
		return err
	}
	snapshots, _ := golden.List(volume) // recovery list says what cannot be read
	r := loaded.Record
	if c.JSON {
		return printJSON(c.Out, struct {
			Recovery         string         `json:"recovery"`
			RecoveryAttempts int            `json:"recoveryAttempts"`
			Snapshots        int            `json:"goldenSnapshots"`
			Events           []record.Event `json:"events"`
		}{string(r.Recovery), r.RecoveryAttempts, len(snapshots), append([]record.Event{}, r.Events...)})
	}
	s := Status{Record: r}
	s.Limits.Recovery = bootmenu.RecoveryLimit
	if err := c.say("Recovery: %s\nGolden snapshots: %d", s.recoveryText(), len(snapshots)); err != nil {
		return err
	}
	if len(r.Events) == 0 {
		return c.say("Nothing has happened.")
	}
	return PrintEvents(c.Out, r.Events)
}

// PrintEvents prints events for people, one on a line.
func PrintEvents(out io.Writer, events []record.Event) error {
	w := newTable(out)
	for _, e := range events {
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
		return Named(all, c.Args[0])
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

// Named finds the snapshot whose ID begins with these digits.
func Named(all []golden.Snapshot, prefix string) (golden.Snapshot, error) {
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

func snapshot(c *Call) error {
	s, made, err := c.Store.Snapshot()
	if err != nil {
		return err
	}
	refused, err := c.signatures()
	if err != nil {
		return err
	}
	note := ""
	if refused(s) != nil {
		note = " The boot manager does not use it before it is signed: rayimg recovery sign does that, on this disk while it is not up."
	}
	if !made {
		return c.done(false, fmt.Sprintf("Snapshot %s of this system is there already.%s", bootmenu.ShortID(s.ID()), note))
	}
	return c.done(true, fmt.Sprintf("Snapshot %s was taken.%s", bootmenu.ShortID(s.ID()), note))
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
