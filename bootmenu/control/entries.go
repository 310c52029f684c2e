package control

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// Entry is a boot entry as operators see it. Its JSON names are part of the
// interface.
type Entry struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Version  string            `json:"version"`
	Kind     markers.EntryKind `json:"kind"`
	Source   string            `json:"source"`
	Default  bool              `json:"default"`
	OneShot  bool              `json:"oneShot"`  // it is next, once
	Counted  bool              `json:"counted"`  // a boot that is not blessed is a failure
	Disabled bool              `json:"disabled"` // only a person starts it
	Failures int               `json:"failures"` // since it was last good
	Limit    int               `json:"limit"`    // failures that disable it
	Stage    string            `json:"stage"`    // of the last failure
	Cause    string            `json:"cause"`    // of the last failure
	Tries    *Tries            `json:"tries,omitempty"`

	loaderID string
}

// Tries are the counter in an entry's file name.
type Tries struct {
	Left int `json:"left"`
	Done int `json:"done"`
}

// view is what most commands begin with.
type view struct {
	entries  []Entry
	problems []error
	loaded   record.Loaded
}

// look reads entries and record of the machine.
func look(m Machine) (v view, err error) {
	if v.loaded, err = m.Load(); err != nil {
		return view{}, err
	}
	volume, err := m.ESP()
	if err != nil {
		return view{}, err
	}
	found, problems := esp.Discover(volume, esp.X64)
	for _, p := range problems {
		v.problems = append(v.problems, p)
	}
	titles := esp.Titles(found)
	for i, e := range found {
		v.entries = append(v.entries, fileEntry(e, titles[i]))
	}
	table, _, err := m.Slots()
	if err != nil {
		v.problems = append(v.problems, fmt.Errorf("kernel slots: %w", err))
	}
	for _, s := range table.Slots {
		v.entries = append(v.entries, Entry{
			ID: s.ID, loaderID: s.ID, Title: s.Title, Kind: markers.KindSlot, Source: fmt.Sprintf("kernel slot %d", s.Index), Counted: true,
		})
	}
	chosen, err := m.Default()
	if err != nil {
		v.problems = append(v.problems, err)
	}
	conf, _ := esp.ReadLoaderConf(volume) // its problems are the boot manager's to tell
	v.mark(cmp.Or(chosen, v.loaded.Record.Default, conf.Default))
	return v, nil
}

// EntryIDs lists the IDs of the machine's boot entries.
func EntryIDs(m Machine) ([]string, error) {
	v, err := look(m)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range v.entries {
		ids = append(ids, e.ID)
	}
	return ids, nil
}

// SnapshotIDs lists the short IDs of the machine's golden snapshots.
func SnapshotIDs(m Machine) ([]string, error) {
	volume, err := m.ESP()
	if err != nil {
		return nil, err
	}
	var ids []string
	all, _ := golden.List(volume) // what cannot be read has no ID
	for _, s := range all {
		ids = append(ids, bootmenu.ShortID(s.ID()))
	}
	return ids, nil
}

func fileEntry(e esp.Entry, title string) Entry {
	entry := Entry{
		ID: e.ID, loaderID: e.LoaderID, Title: title, Version: e.Version, Kind: markers.KindBLS, Source: "/" + e.Path,
		Counted: e.BlessedByRuntime() && !e.File.Counted,
	}
	if e.Kind == esp.Type2 {
		entry.Kind = markers.KindUKI
	}
	if e.File.Counted {
		entry.Tries = &Tries{e.File.TriesLeft, e.File.TriesDone}
	}
	return entry
}

// mark puts what the record says to the entries.
func (v *view) mark(preferred string) {
	r := v.loaded.Record
	first := true
	for i := range v.entries {
		e := &v.entries[i]
		key := record.Key(e.ID)
		e.Limit = bootmenu.EntryLimit
		if item := r.Find(key); item != nil {
			e.Disabled, e.Failures, e.Stage, e.Cause = item.Disabled, item.Failures, item.Stage.String(), string(item.Cause)
		}
		e.OneShot = r.OneShot == key
		matches := key == preferred || esp.MatchID(preferred, e.ID) || esp.MatchID(preferred, e.loaderID)
		if matches && first && !e.Disabled {
			e.Default, first = true, false
		}
	}
}

// find returns the entry with an ID. The error lists those that exist.
func (v *view) find(id string) (Entry, error) {
	var ids []string
	for _, e := range v.entries {
		if e.ID == id || e.loaderID == id {
			return e, nil
		}
		ids = append(ids, e.ID)
	}
	if len(ids) == 0 {
		return Entry{}, fmt.Errorf("no entry %s: there is none at all", id)
	}
	slices.Sort(ids)
	return Entry{}, fmt.Errorf("no entry %s; there are %s", id, strings.Join(ids, ", "))
}

// State says in words how the entry stands; empty if there is nothing to say.
func (e *Entry) State() string {
	var words []string
	if e.OneShot {
		words = append(words, "next, once")
	}
	if e.Default {
		words = append(words, "default")
	}
	last := ""
	if e.Cause != "" {
		last = fmt.Sprintf(" (%s at %s)", e.Cause, e.Stage)
	}
	switch {
	case e.Disabled && e.Failures > 0:
		words = append(words, fmt.Sprintf("disabled after %d failures%s", e.Failures, last))
	case e.Disabled:
		words = append(words, "disabled")
	case e.Failures > 0:
		words = append(words, fmt.Sprintf("failed %d/%d%s", e.Failures, e.Limit, last))
	}
	if e.Tries != nil {
		words = append(words, fmt.Sprintf("%d tries left", e.Tries.Left))
	}
	return strings.Join(words, ", ")
}
