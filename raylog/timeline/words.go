package timeline

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/markers"
)

// event adds an event that a line tells of.
func (r *reading) event(f fact, kind Kind, format string, args ...any) {
	r.Events = append(r.Events, Event{
		Kind: kind, Firmware: f.firmware, UptimeMS: f.uptimeMS, Text: fmt.Sprintf(format, args...) + ".", Marker: f.marker.String(),
	})
}

func (r *reading) entryFailed(f fact) {
	r.refused = markers.CauseLoad
	if f.get("stage") == string(markers.StageStart) {
		r.refused = markers.CauseStart
	}
	r.lastFail = len(r.Events)
	r.event(f, EntryFailed, "%s could not be started (%s): %s", f.get("entry"), f.get("stage"), f.get("reason"))
}

// failureCounted reads a failure of this boot, or of the one before.
func (r *reading) failureCounted(f fact) {
	c := failure{
		fact: f, entry: f.get("entry"), stage: f.get("stage"), count: f.number("count"), limit: f.number("limit"),
		cause: markers.FailureCause(f.get("reason")),
	}
	switch {
	case c.cause != markers.CauseLoad && c.cause != markers.CauseStart:
		r.counted = append(r.counted, c)
	case r.lastFail >= 0:
		r.Events[r.lastFail].Text += fmt.Sprintf(" That is failure %d of %d.", c.count, c.limit)
		r.lastFail = -1
	default:
		r.event(f, EntryFailed, "%s could not be started (%s); failure %d of %d", c.entry, c.stage, c.count, c.limit)
	}
}

func (r *reading) entryDisabled(f fact) {
	r.event(f, EntryDisabled, "%s has failed too often and is disabled: only a person starts it now", f.get("entry"))
}

// recoveryReasons says in words why a machine is recovered.
var recoveryReasons = map[markers.RecoveryReason]string{
	markers.RecoverFailures:  "too many entries have failed",
	markers.RecoverNoEntry:   "no entry is left that may be started without a person",
	markers.RecoverStateLost: "the boot-state record cannot be read",
	markers.RecoverOperator:  "somebody asked for it",
}

func (r *reading) recoveryTriggered(f fact) {
	r.event(f, RecoveryBegins, "Recovery begins: %s", recoveryReasons[markers.RecoveryReason(f.get("reason"))])
}

func (r *reading) goldenStarted(f fact) {
	r.Golden = &Golden{Snapshot: f.get("snapshot"), Attempt: f.number("attempt"), Limit: f.number("limit"), Reason: f.get("reason")}
	why := "a person chose it"
	if words, ok := recoveryReasons[markers.RecoveryReason(r.Golden.Reason)]; ok {
		why = words
	}
	r.event(f, GoldenStarted, "Golden snapshot %s is started, attempt %d of %d: %s", r.Golden.Snapshot, r.Golden.Attempt, r.Golden.Limit, why)
}

func (r *reading) goldenRefused(f fact) {
	r.Golden, r.refused = nil, markers.CauseLoad
	r.event(f, GoldenRefused, "Golden snapshot %s is not used: %s", f.get("snapshot"), f.get("reason"))
}

func (r *reading) uncounted(f fact) {
	r.event(f, Uncounted, "The start of %s could not be recorded: %s", f.get("entry"), f.get("reason"))
}

func (r *reading) stateLost(f fact) {
	r.lost = true
	r.event(f, StateLost, "What failed before is not known: %s", f.get("reason"))
}

func (r *reading) watchdogExpired(f fact) {
	if r.Watchdog == nil {
		r.Watchdog = &Watchdog{}
	}
	w := r.Watchdog
	w.Silent, w.Policy, w.Count, w.Limit = f.get("service"), f.get("policy"), f.number("count"), f.number("limit")
	r.event(f, WatchdogExpired, "The watchdog expired, time-out %d of %d: %s was silent (%s)", w.Count, w.Limit, w.Silent, w.Policy)
}

func (r *reading) serviceFailed(f fact) {
	which := "Service"
	if f.get("critical") == "yes" {
		which = "Critical service"
	}
	r.event(f, ServiceFailed, "%s %s failed after %d starts: %s", which, f.get("service"), f.number("starts"), f.get("reason"))
}

// causes says in words what a failure was.
var causes = map[markers.FailureCause]string{
	markers.CauseCrash:    "the machine was reset or lost its power",
	markers.CauseWatchdog: "the hardware watchdog reset the machine",
	markers.CauseService:  "a critical service failed",
	markers.CauseStuck:    "it went down at the same stage once more,",
}

// countedAs is the event of a failure that the next boot counted. What it was is
// left out where the boot itself says it.
func countedAs(c failure, said bool) Event {
	text := fmt.Sprintf("Failure %d of %d of %s: %s%s.", c.count, c.limit, c.entry, causes[c.cause], after(c.stage))
	if said {
		text = fmt.Sprintf("That is failure %d of %d of %s,%s.", c.count, c.limit, c.entry, after(c.stage))
	}
	return Event{Kind: Failure, Firmware: true, UptimeMS: -1, Marker: c.marker.String(), Text: text}
}

func after(stage string) string {
	switch stage {
	case "", string(markers.StageStart):
		return " before a stage was recorded"
	}
	return " after " + stage
}

// Words says how a boot turned out, in a few words.
func (b *Boot) Words() string {
	switch {
	case b.Outcome == Failed && b.Cause != "":
		return "failed: " + string(b.Cause)
	case b.Outcome == Ended:
		return "ended in order"
	case b.Outcome == Stopped:
		return "the menu waits"
	case b.Outcome == Open:
		return "the log ends here"
	case b.Outcome == Unknown:
		return "not known"
	}
	return string(b.Outcome)
}

// what names what was started, and why.
func (b *Boot) what() string {
	name := b.Entry
	switch {
	case b.Golden != nil:
		return "golden " + b.Golden.Snapshot
	case name == "" && b.UptimeMS == 0:
		return "nothing was started"
	case name == "":
		return "an unknown entry"
	case b.Reason != "":
		name += " (" + string(b.Reason) + ")"
	}
	return name
}

// aside is what is worth saying of a boot besides its events.
func (b *Boot) aside() string {
	var all []string
	if w := b.Watchdog; w != nil && w.Device != "" {
		fed := "armed"
		switch {
		case w.Taken:
			fed = "armed and fed"
		case b.UptimeMS > 0:
			fed = "armed, and not taken over by the system"
		}
		all = append(all, fmt.Sprintf("Watchdog %s (%d s) %s.", w.Device, w.Seconds, fed))
	}
	if b.Kept != nil {
		all = append(all, fmt.Sprintf("Kept as golden snapshot %s, %s.", b.Kept.Snapshot, b.Kept.State))
	}
	switch b.End {
	case PowerOff:
		all = append(all, fmt.Sprintf("Turned off in order after %s.", span(b.UptimeMS)))
	case Restart:
		all = append(all, fmt.Sprintf("Restarted in order after %s.", span(b.UptimeMS)))
	}
	return strings.Join(all, " ")
}

// span writes a time for people.
func span(ms int64) string {
	const minute, hour, day = 60_000, 3_600_000, 86_400_000
	switch {
	case ms < 0:
		return "?"
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	case ms < 9_950:
		return fmt.Sprintf("%.1f s", float64(ms)/1000)
	case ms < minute:
		return fmt.Sprintf("%d s", ms/1000)
	case ms < hour:
		return whole(ms/minute, "min", ms%minute/1000, "s")
	case ms < day:
		return whole(ms/hour, "h", ms%hour/minute, "min")
	case ms < 1000*day:
		return whole(ms/day, "d", ms%day/hour, "h")
	}
	return "> 1000 d"
}

// whole writes two numbers, and only the first if the other is 0.
func whole(n int64, unit string, rest int64, smaller string) string {
	if rest == 0 {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %s %d %s", n, unit, rest, smaller)
}
