package timeline

import (
	"github.com/rayos/rayboot/markers"
)

// judge says how a boot turned out. next is the boot after it, nil for the newest:
// it has counted a failure of this one.
func (r *reading) judge(next *reading) {
	c, counted := r.takeFailure(next)
	switch {
	case r.blessed:
		r.Outcome = Good
		if r.Golden != nil {
			r.Outcome = Recovered
		}
		if r.End == "" && next != nil {
			r.wentDown("It went down without a word after it was good.")
		}
	case counted:
		r.Outcome, r.Cause = Failed, r.cause(c.cause)
		r.reached(c.stage)
		r.Events = append(r.Events, countedAs(c, r.saysWhy()))
	case r.saysWhy():
		r.Outcome, r.Cause = Failed, r.cause(markers.CauseCrash)
	case r.End != "":
		r.Outcome = Ended
	case r.stopped:
		r.Outcome = Stopped
	case !r.started() && r.refused != "":
		r.Outcome, r.Cause = Failed, r.refused
	case next == nil:
		r.Outcome = Open
	default:
		r.judgeLost(next)
	}
	r.tellUntaken()
}

// judgeLost judges a boot that just ends, where another follows.
func (r *reading) judgeLost(next *reading) {
	r.Outcome = Unknown
	switch {
	case r.Golden != nil:
		r.Outcome = Failed
		r.wentDown("It went down without a word.")
	case !r.chosen && r.trace.system.records == 0:
		r.wentDown("Nothing was started.")
	case r.trace.system.records == 0:
		r.wentDown("It was started; what it did is not in this log.")
	case r.attempted && next.trace.firmware.records > 0 && !next.lost:
		r.wentDown("Its end is not in the log. The boot manager counted no failure: it was good, or ended in order.")
	default:
		r.wentDown("It went down without a word, and no failure was counted.")
	}
}

func (r *reading) wentDown(text string) {
	if !r.saysWhy() {
		r.Events = append(r.Events, Event{Kind: WentDown, UptimeMS: -1, Text: text})
	}
}

// silent reports whether the watchdog was left to reset the machine.
func (r *reading) silent() bool { return r.Watchdog != nil && r.Watchdog.Silent != "" }

// saysWhy reports whether the log of this boot says why it went down.
func (r *reading) saysWhy() bool { return r.silent() || r.panicked }

// cause is the cause that the boot manager has counted, or a better one that the
// log of the boot has.
func (r *reading) cause(counted markers.FailureCause) markers.FailureCause {
	switch {
	case counted != markers.CauseCrash:
		return counted
	case r.silent(): // also if it panicked: then that was to save the log
		return markers.CauseWatchdog
	case r.panicked:
		return CausePanic
	}
	return counted
}

// takeFailure takes the failure of this boot out of those that the next one has
// counted.
func (r *reading) takeFailure(next *reading) (failure, bool) {
	if next == nil || r.blessed {
		return failure{}, false
	}
	for i, c := range next.counted {
		if r.Entry == "" || c.entry == r.Entry {
			next.counted = append(next.counted[:i:i], next.counted[i+1:]...)
			return c, true
		}
	}
	return failure{}, false
}

// tellUntaken tells here of failures that no boot before has taken. The boots are
// judged in their order, so that it had the chance.
func (r *reading) tellUntaken() {
	for _, c := range r.counted {
		e := countedAs(c, false)
		e.UptimeMS, e.Text = c.uptimeMS, "Of a boot that is not in this log: "+e.Text
		r.Events = append([]Event{e}, r.Events...)
	}
}
