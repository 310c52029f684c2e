package timeline

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/markers"
)

// reading is what the lines of one boot say, before other boots are asked.
type reading struct {
	Boot
	trace     *trace
	stages    [len(stageNames)]int64 // when each was reached; -1: it was not
	chosen    bool                   // an entry was chosen
	refused   markers.FailureCause   // why the last one that was chosen could not be started
	stopped   bool                   // the menu waits
	blessed   bool
	attempted bool // the boot manager has recorded the start, and would count a failure
	lost      bool // what it had recorded before this boot cannot be read
	panicked  bool
	counted   []failure // failures that were counted of the boot before
	lastFail  int       // index of the event of the last failed start, or -1
}

// failure is a failure as the boot manager counted it.
type failure struct {
	fact
	entry, stage string
	count, limit int
	cause        markers.FailureCause
}

// teller is who says a marker, and what is read from it.
type teller struct {
	manager bool
	read    func(*reading, fact)
}

// stageNames are the boot stages, as markers name them.
var stageNames = [...]string{
	markers.KernelLoaded.String(), markers.MemoryReady.String(), markers.SubsystemsReady.String(), markers.ShellReady.String(), markers.Golden.String(),
}

// tellers are the markers that are read.
var tellers = makeTellers()

func makeTellers() map[string]teller {
	all := map[string]teller{}
	add := func(e markers.Emitter, manager bool, read func(*reading, fact)) {
		all[e.Marker().ID()] = teller{manager, read}
	}
	add(markers.BootmgrSelected{}, true, (*reading).selected)
	add(markers.BootmgrEntryFailed{}, true, (*reading).entryFailed)
	add(markers.FailureCount{}, true, (*reading).failureCounted)
	add(markers.BootmgrEntryDisabled{}, true, (*reading).entryDisabled)
	add(markers.RecoveryTriggered{}, true, (*reading).recoveryTriggered)
	add(markers.BootmgrRecoveryFallback{}, true, (*reading).goldenStarted)
	add(markers.BootmgrGoldenRefused{}, true, (*reading).goldenRefused)
	add(markers.BootmgrUncounted{}, true, (*reading).uncounted)
	add(markers.BootmgrStateLost{}, true, (*reading).stateLost)
	add(markers.BootmgrStopped{}, true, (*reading).menuWaits)
	add(markers.BootmgrWatchdogArmed{}, true, (*reading).watchdogArmed)
	add(markers.WatchdogArmed{}, false, (*reading).watchdogTaken)
	add(markers.WatchdogExpired{}, false, (*reading).watchdogExpired)
	add(markers.ServiceFailed{}, false, (*reading).serviceFailed)
	add(markers.BootmgrSnapshot{}, false, (*reading).snapshotKept)
	add(markers.BootmgrBootSuccess{}, false, (*reading).success)
	for _, stage := range markers.BootStages() {
		add(markers.BootStageReached{Stage: stage}, false, func(r *reading, f fact) { r.stageReached(stage, f) })
	}
	return all
}

// parse finds out what a line says, and reports whether it tells something.
func (f *fact) parse(line string) bool {
	if f.end = endOf(line); f.end != "" {
		return !f.firmware
	}
	if !strings.HasPrefix(line, "[RAYOS_") {
		return false
	}
	m, err := markers.Parse(strings.Clone(line)) // the record is not kept for it
	if err != nil || markers.Check(m) != nil {
		return false
	}
	f.marker = m
	t, ok := tellers[m.ID()]
	return ok && t.manager == f.firmware
}

// endOf returns how the machine ends in order, if that is what a line of the
// runtime says.
func endOf(line string) string {
	switch strings.TrimPrefix(line, "rayos: ") {
	case "the machine turns off: ending all processes":
		return PowerOff
	case "the machine restarts: ending all processes":
		return Restart
	}
	return ""
}

func (f *fact) get(key string) string {
	value, _ := f.marker.Get(key)
	return value
}

func (f *fact) number(key string) int {
	n, err := strconv.ParseUint(f.get(key), 10, 31)
	if err != nil {
		return math.MaxInt32
	}
	return int(n)
}

// read reads the lines of a boot in their order.
func read(t *trace) *reading {
	t.facts = inOrder(t.facts)
	r := &reading{trace: t, lastFail: -1, Boot: Boot{
		ID: t.id, Records: t.records, First: t.first, Last: t.last, UptimeMS: t.system.lastMS,
		Segments: []Segment{}, Events: []Event{}, Problems: slices.Clone(t.problems), MoreProblems: t.bad - len(t.problems),
	}}
	if r.Problems == nil {
		r.Problems = []Problem{}
	}
	if t.wallAt > 0 {
		wall := t.wall.UTC()
		r.Wall = &wall
	}
	for i := range r.stages {
		r.stages[i] = -1
	}
	for _, f := range t.facts {
		if f.end != "" {
			r.End = f.end
		} else {
			tellers[f.marker.ID()].read(r, f)
		}
	}
	r.readPanic(t.panic)
	r.measure()
	return r
}

// readPanic tells why the kernel crashed. What this boot has put into the log itself
// is the end of an earlier one, of which nothing was known.
func (r *reading) readPanic(p panicText) {
	switch {
	case p.rank == 0:
	case p.sequence < r.Last:
		r.Events = append(r.Events, Event{Kind: KernelPanic, UptimeMS: -1, Text: "The kernel crashed in an earlier boot: " + p.text})
	default:
		r.panicked = true
		r.UptimeMS = max(r.UptimeMS, p.uptimeMS)
		r.Events = append(r.Events, Event{Kind: KernelPanic, UptimeMS: p.uptimeMS, Text: "The kernel crashed: " + p.text})
	}
}

func (r *reading) selected(f fact) {
	r.Entry, r.Reason = f.get("entry"), markers.SelectReason(f.get("reason"))
	r.Golden, r.Watchdog = nil, nil
	r.chosen, r.refused, r.stopped, r.attempted, r.lastFail = true, "", false, false, -1
}

func (r *reading) menuWaits(f fact) {
	r.stopped = true
	r.event(f, MenuWaits, "The menu waits for a person: %s", f.get("reason"))
}

// watchdogArmed also says that the start was recorded: the boot manager arms the
// watchdog for no other.
func (r *reading) watchdogArmed(f fact) {
	r.attempted = true
	r.Watchdog = &Watchdog{Device: f.get("device"), Seconds: f.number("seconds")}
}

func (r *reading) watchdogTaken(f fact) {
	if r.Watchdog == nil {
		r.Watchdog = &Watchdog{}
	}
	r.Watchdog.Device, r.Watchdog.Seconds, r.Watchdog.Taken = f.get("device"), f.number("seconds"), true
}

func (r *reading) snapshotKept(f fact) {
	r.Kept = &Snapshot{Snapshot: f.get("snapshot"), State: f.get("state")}
}

func (r *reading) success(f fact) {
	r.blessed = true
	r.knowEntry(f)
}

func (r *reading) stageReached(s markers.BootStage, f fact) {
	if r.stages[s] < 0 {
		r.stages[s] = f.uptimeMS
	}
	r.knowEntry(f)
}

// knowEntry takes the entry from what the runtime says, where the log has nothing
// of the boot manager.
func (r *reading) knowEntry(f fact) {
	if r.Entry == "" {
		r.Entry = f.get("entry")
	}
}

// started reports whether an entry was started, as far as the log tells.
func (r *reading) started() bool {
	return r.trace.system.records > 0 || r.chosen && r.refused == "" && !r.stopped
}

// reached adds the stages up to one that the boot manager knows of, and of which
// the log has lost the line: the last lines before a crash may be in memory only.
func (r *reading) reached(stage string) {
	known, before := slices.Index(stageNames[:], stage), slices.Index(stageNames[:], r.Stage)
	if known <= before {
		return
	}
	if n := len(r.Segments); n > 0 && r.trace.system.records > 0 {
		r.Segments = r.Segments[:n-1] // it led to a stage that was reached
	}
	for i := before + 1; i <= known; i++ {
		r.Segments = append(r.Segments, Segment{Stage: Stages()[i+1], TimeMS: -1, Reached: true})
	}
	if known+1 < len(stageNames) {
		r.Segments = append(r.Segments, Segment{Stage: Stages()[known+2], TimeMS: -1})
	}
	r.Stage = stage
}

// measure makes the segments. A stage of which there is no line counts to the next.
func (r *reading) measure() {
	names := Stages()
	if fw := r.trace.firmware; fw.records > 0 {
		r.Segments = append(r.Segments, Segment{Stage: names[0], TimeMS: fw.lastMS, Reached: r.started()})
	}
	begin, next := int64(0), 0
	for i, at := range r.stages {
		if at < 0 {
			continue
		}
		r.Segments = append(r.Segments, Segment{Stage: names[i+1], TimeMS: max(0, at-begin), Reached: true})
		r.Stage = stageNames[i]
		begin, next = max(begin, at), i+1
	}
	if r.trace.system.records > 0 && next < len(r.stages) {
		r.Segments = append(r.Segments, Segment{Stage: names[next+1], TimeMS: max(0, r.UptimeMS-begin)})
	}
}
