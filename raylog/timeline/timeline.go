// Package timeline tells from the persistent log how the last boots went: what was
// started and why, how long each stage took, what failed, what the watchdog did and
// how the machine was recovered. [Boots] reads the records, [Draw] and [SVG] make
// pictures for people, and the types have a form in JSON.
//
// The log is whatever lies on a disk. Records may be missing, damaged, doubled or
// out of order, and none of it is believed beyond what can be drawn.
package timeline

import (
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// Limits of what is kept. What is beyond them is left out.
const (
	MaxBoots    = 4096 // the newest boots
	MaxProblems = 3    // of one boot
	maxFacts    = 256  // lines of one boot that tell something
	maxText     = 300  // characters of a text
)

// Timeline is the last boots of a log.
type Timeline struct {
	Log   string `json:"log"`   // where it lies, for people
	Total int    `json:"total"` // boots that the log knows
	Boots []Boot `json:"boots"` // the last of them, the oldest first
}

// Last is the timeline of the last n boots of all that a log knows.
func Last(log string, all []Boot, n int) Timeline {
	return Timeline{Log: log, Total: len(all), Boots: all[max(0, len(all)-max(n, 0)):]}
}

// Outcome is how a boot turned out.
type Outcome string

// The outcomes.
const (
	Good      Outcome = "good"      // it was blessed
	Recovered Outcome = "recovered" // it was blessed, and it was a golden snapshot
	Failed    Outcome = "failed"    // see the cause
	Ended     Outcome = "ended"     // it ended in order before it was good
	Stopped   Outcome = "stopped"   // the boot manager's menu waited for a person
	Open      Outcome = "open"      // the log ends with it
	Unknown   Outcome = "unknown"   // the log does not tell
)

// CausePanic is the cause of a failure of which the kernel left its last words. The
// other causes are those of the boot manager.
const CausePanic markers.FailureCause = "panic"

// Boot is one boot, from power-on to the last that was heard of it.
type Boot struct {
	Number  int           `json:"number"` // 0 is the newest, -1 the one before it
	ID      raylog.BootID `json:"boot"`
	Wall    *time.Time    `json:"wall,omitempty"` // of its first record that knows the time
	Records int           `json:"records"`
	First   uint64        `json:"firstSequence"`
	Last    uint64        `json:"lastSequence"`

	Entry  string               `json:"entry,omitempty"`  // ID of the entry that was chosen last
	Reason markers.SelectReason `json:"reason,omitempty"` // why
	Golden *Golden              `json:"golden,omitempty"` // the golden snapshot that was started, if one was

	Outcome  Outcome              `json:"outcome"`
	Cause    markers.FailureCause `json:"cause,omitempty"` // of a failure; empty where the log does not tell
	Stage    string               `json:"stage,omitempty"` // the last boot stage that was reached
	End      string               `json:"end,omitempty"`   // how it ended in order: PowerOff or Restart
	UptimeMS int64                `json:"uptimeMilliseconds"`
	Segments []Segment            `json:"segments"`
	Watchdog *Watchdog            `json:"watchdog,omitempty"`
	Kept     *Snapshot            `json:"kept,omitempty"` // the golden snapshot that was taken of it

	Events       []Event   `json:"events"`   // what went wrong, and what was done about it
	Problems     []Problem `json:"problems"` // the worst that was said besides
	MoreProblems int       `json:"moreProblems"`
}

// How a boot ends in order.
const (
	PowerOff = "power-off"
	Restart  = "restart"
)

// Golden is a golden snapshot that was started.
type Golden struct {
	Snapshot string `json:"snapshot"` // first 16 digits of its ID
	Attempt  int    `json:"attempt"`  // starts of golden snapshots since the last good boot
	Limit    int    `json:"limit"`    // after which the menu waits
	Reason   string `json:"reason"`   // a [markers.RecoveryReason], or [markers.ReasonUser]
}

// Snapshot is a golden snapshot that was taken.
type Snapshot struct {
	Snapshot string `json:"snapshot"` // first 16 digits of its ID
	State    string `json:"state"`    // candidate or stable
}

// Watchdog is how the hardware watchdog guarded a boot.
type Watchdog struct {
	Device  string `json:"device"`  // the Linux module that drives it
	Seconds int    `json:"seconds"` // until it resets the machine
	Taken   bool   `json:"taken"`   // the runtime fed it
	Silent  string `json:"silent,omitempty"`
	Count   int    `json:"count,omitempty"`  // time-outs since the last good boot, with this one
	Limit   int    `json:"limit,omitempty"`  // time-outs after which a golden snapshot is started
	Policy  string `json:"policy,omitempty"` // what was done before the reset
}

// Segment is the time that led to a stage.
type Segment struct {
	Stage   string `json:"stage"`        // one of [Stages]
	TimeMS  int64  `json:"milliseconds"` // -1: not known, as the log has lost the line
	Reached bool   `json:"reached"`      // false: the boot ended, or the log does, before that
}

// Stages are the names of the segments, in order. The first is the boot manager's;
// each of the others leads to the boot stage of its name.
func Stages() []string {
	return []string{"firmware", "kernel", "memory", "subsystems", "shell", "golden"}
}

// Kind is what an event is.
type Kind string

// The kinds of events.
const (
	EntryFailed     Kind = "entry-failed"     // the entry could not be started
	Failure         Kind = "failure"          // the boot was counted as a failure
	EntryDisabled   Kind = "entry-disabled"   // the entry is not started any more by itself
	RecoveryBegins  Kind = "recovery"         // a golden snapshot is to be started
	GoldenStarted   Kind = "golden-started"   // it was
	GoldenRefused   Kind = "golden-refused"   // it was not used
	Uncounted       Kind = "uncounted"        // the start could not be recorded
	StateLost       Kind = "state-lost"       // the boot-state record could not be read
	MenuWaits       Kind = "stopped"          // nothing is started any more by itself
	WatchdogExpired Kind = "watchdog-expired" // a service was silent
	ServiceFailed   Kind = "service-failed"   // a service is not started again
	KernelPanic     Kind = "panic"            // what the kernel left when it crashed
	WentDown        Kind = "went-down"        // it ended without a word
)

// Event is one thing that happened in a boot.
type Event struct {
	Kind     Kind   `json:"kind"`
	Firmware bool   `json:"firmware"`           // the uptime counts from the start of the boot manager, not of the kernel
	UptimeMS int64  `json:"uptimeMilliseconds"` // -1: not known
	Text     string `json:"text"`               // for people
	Marker   string `json:"marker,omitempty"`   // the line that says so
}

// Problem is a record of level Error or above.
type Problem struct {
	Sequence uint64       `json:"sequence"`
	Level    raylog.Level `json:"level"`
	UptimeMS int64        `json:"uptimeMilliseconds"`
	Source   string       `json:"source"`
	Message  string       `json:"message"` // its first line
}
