package bootmenu

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// world is a machine that nobody attends: entries and snapshots are started, and
// each start ends in every way that is possible, to see where all this leads.
type world struct {
	t         *testing.T
	entries   []Entry
	snapshots []Snapshot
	config    Config
	readOnly  bool // the record cannot be written

	down    map[string]record.Record // of one power-on: the records with which a started system may go down
	waiting map[string]record.Record // of one power-on: those with which the menu may wait
}

func countedEntries(ids ...string) []Entry {
	all := entries(ids...)
	for i := range all {
		all[i].Counted = true
		all[i].Content = record.Content{byte(i + 1)}
	}
	return all
}

func snapshots(n int) []Snapshot {
	var all []Snapshot
	for i := range n {
		all = append(all, Snapshot{ID: golden.Digest{byte(i + 1)}, Title: fmt.Sprint("snapshot ", i)})
	}
	return all
}

// endings are how far a started system comes before the machine goes down.
var endings = []record.Stage{record.StageStart, record.BootStage(markers.ShellReady)}

// boot follows one power-on into all of its ends.
func (w *world) boot(r record.Record, watchdog bool) {
	w.down, w.waiting = make(map[string]record.Record), make(map[string]record.Record)
	on := PoweredOn{
		Entries: w.entries, Config: w.config, Snapshots: w.snapshots, Watchdog: watchdog,
		State: record.Loaded{Record: r}, Nonce: record.Nonce{1},
	}
	s, effects := Step(State{}, on)
	w.follow(s, effects, r, nil, 0)
}

func (w *world) follow(s State, effects []Effect, stored record.Record, path []Effect, depth int) {
	if depth > 100 {
		w.t.Fatalf("a power-on without an end: %v", path)
	}
	var answers []Event
	for _, effect := range effects {
		path = append(path[:len(path):len(path)], effect)
		switch e := effect.(type) {
		case SaveState:
			if e.Record.Equal(stored) {
				w.t.Fatalf("%v: a record is written that has not changed", path)
			}
			answers = []Event{StateSaved{}}
			if w.readOnly {
				answers = []Event{StateSaved{Problem: "write protected"}}
			} else {
				stored = e.Record
			}
		case CountTry:
			answers = []Event{TryCounted{}}
		case Start:
			w.checkStart(s, e, stored, path)
			answers = w.started(e.ID, stored)
		case StartGolden:
			w.checkGolden(e, stored, path)
			answers = w.started(GoldenID, stored)
		}
	}
	if answers == nil {
		if s.Phase != Displayed || s.Counting() {
			w.t.Fatalf("%v: nothing happens and no menu waits (phase %d)", path, s.Phase)
		}
		w.waiting[world0(stored)] = stored
	}
	for _, answer := range answers {
		after, more := Step(s, answer)
		w.follow(after, more, stored, path, depth+1)
	}
}

// started is what may come of a start: the machine goes down at some stage, or
// the start fails and the manager goes on.
func (w *world) started(id string, stored record.Record) []Event {
	for _, stage := range endings {
		reached, _ := Reach(stored, record.Nonce{1}, stage)
		w.down[world0(reached)] = reached
	}
	return []Event{
		StartFailed{ID: id, Stage: markers.StageVerify, Problem: "verify"},
		StartFailed{ID: id, Stage: markers.StageStart, Problem: "start"},
	}
}

// world0 is what of a record decides what is chosen next. Stages, causes and the
// backoff are told to people and to the watchdog, and no choice hangs on them.
func world0(r record.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s %x %q %d %d", r.Open.Kind, r.Open.Entry, r.Open.Snapshot[:1], r.Recovery, r.RecoveryAttempts, r.Disablings)
	for _, e := range slices.SortedFunc(slices.Values(r.Entries), func(a, b record.Entry) int { return strings.Compare(a.Key, b.Key) }) {
		fmt.Fprintf(&b, " %s:%d:%v", e.Key, e.Failures, e.Disabled)
	}
	return b.String()
}

func (w *world) checkStart(s State, e Start, stored record.Record, path []Effect) {
	entry := s.entries[s.attempt.index]
	item := s.record.Find(record.Key(e.ID))
	if e.Reason != markers.ReasonUser && item != nil && item.Disabled {
		w.t.Fatalf("%v: a disabled entry is started by itself", path)
	}
	if w.readOnly {
		if _, said := path[len(path)-2].(Emit); entry.Counted && !said {
			w.t.Fatalf("%v: an uncounted start is not told", path)
		}
		return
	}
	if entry.Counted && (stored.Open.Kind != record.EntryAttempt || stored.Open.Entry != record.Key(e.ID) || stored.Open.Nonce != s.nonce) {
		w.t.Fatalf("%v: the attempt is not on disk: %+v", path, stored.Open)
	}
	if !entry.Counted && stored.Open.Kind != record.NoAttempt {
		w.t.Fatalf("%v: an attempt that nobody blesses is on disk: %+v", path, stored.Open)
	}
	if stored.OneShot != "" {
		w.t.Fatalf("%v: a start with the one-shot still on disk", path)
	}
	if s.recovery() != "" && len(s.snapshots) > 0 {
		w.t.Fatalf("%v: an entry is started where golden is to be", path)
	}
}

func (w *world) checkGolden(e StartGolden, stored record.Record, path []Effect) {
	if w.readOnly {
		return
	}
	if stored.Open.Kind != record.GoldenAttempt || stored.Open.Snapshot != e.Snapshot {
		w.t.Fatalf("%v: the attempt is not on disk: %+v", path, stored.Open)
	}
	if e.Attempt > RecoveryLimit {
		w.t.Fatalf("%v: recovery attempt %d", path, e.Attempt)
	}
	if stored.Find(GoldenID) != nil {
		w.t.Fatalf("%v: golden is counted: %+v", path, stored.Entries)
	}
}

// longest is the highest number of boots, systems started by themselves that
// were no good, from r on until the menu waits at every power-on. Boots must not
// go round in a circle. Each is tried with and without the watchdog having ended
// the one before.
func (w *world) longest(r record.Record, known map[string]int) int {
	key := world0(r)
	if n, ok := known[key]; ok {
		if n < 0 {
			w.t.Fatalf("boots go round in a circle through %s", key)
		}
		return n
	}
	known[key] = -1
	longest := 0
	for _, watchdog := range []bool{false, true} {
		w.boot(r, watchdog)
		down, waiting := w.down, w.waiting
		for _, after := range down {
			longest = max(longest, 1+w.longest(after, known))
		}
		delete(waiting, key) // it waits again at the next power-on
		for _, after := range waiting {
			longest = max(longest, w.longest(after, known))
		}
	}
	known[key] = longest
	return longest
}

// TestBoundedBoots proves the bound of the policy: without a good boot, a
// machine that nobody attends comes to a stop after at most EntryLimit failed
// boots for each of DisableLimit entries and RecoveryLimit failed boots of golden
// snapshots.
func TestBoundedBoots(t *testing.T) {
	for _, c := range []struct {
		entries, snapshots int
		bound              int
	}{
		{1, 0, EntryLimit},
		{1, 1, EntryLimit + RecoveryLimit},
		{2, 2, 2*EntryLimit + RecoveryLimit},
		{3, 0, 3 * EntryLimit},
		{3, 1, 3*EntryLimit + RecoveryLimit},
		{4, 1, 4*EntryLimit + RecoveryLimit}, // where the snapshot is refused, all entries are tried
	} {
		t.Run(fmt.Sprintf("%d entries, %d snapshots", c.entries, c.snapshots), func(t *testing.T) {
			w := &world{t: t, entries: countedEntries("a", "b", "c", "d")[:c.entries], snapshots: snapshots(c.snapshots)}
			known := make(map[string]int)
			if n := w.longest(record.New(""), known); n != c.bound {
				t.Errorf("at most %d boots, want %d", n, c.bound)
			}
			t.Logf("%d states of the record", len(known))
		})
	}
}
