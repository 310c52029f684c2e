package bootmenu

import (
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/markers"
)

// The numbers of the boot policy.
const (
	EntryLimit    = 3 // failures of an entry that disable it
	DisableLimit  = 3 // entries disabled since the last good boot that trigger recovery
	RecoveryLimit = 3 // starts of golden snapshots without a good boot, after which the menu waits
	stuckLimit    = 3 // failures in a row at one stage that are called stuck
)

// watchdogSeconds are the time-outs of the hardware watchdog by backoff step.
var watchdogSeconds = [...]int{30, 60, 120, 120}

// WatchdogSeconds is how long a started system has to take over the hardware
// watchdog, after so many resets by it since the last good boot.
func WatchdogSeconds(backoff int) int {
	return watchdogSeconds[max(0, min(backoff, len(watchdogSeconds)-1))]
}

// Bless says that the attempt with this nonce was good. It reports false, and
// changes nothing, if that attempt is not the open one: it was blessed before, or
// is another boot's, or it has failed. A disabled entry stays disabled.
func Bless(r record.Record, n record.Nonce) (record.Record, bool) {
	if !open(r, n) || r.Open.Cause != "" {
		return r, false
	}
	r = r.Clone()
	if e := r.Find(r.Open.Entry); r.Open.Kind == record.EntryAttempt && e != nil {
		*e = record.Entry{Key: e.Key, Disabled: e.Disabled, Content: e.Content, Cause: e.Cause, Stage: e.Stage}
		forget(&r)
	}
	if r.Recovery != "" || r.Open.Kind == record.GoldenAttempt {
		r.AddEvent(record.Event{Kind: record.Recovered, Subject: subject(r.Open), Reason: r.Recovery})
	}
	r.Disablings, r.RecoveryAttempts, r.Backoff, r.Recovery = 0, 0, 0, ""
	r.Open = record.Attempt{}
	return r, true
}

// Close says that the attempt with this nonce ended in order before it was good:
// neither a success nor a failure. One that has failed stays open: the boot manager
// counts it.
func Close(r record.Record, n record.Nonce) (record.Record, bool) {
	if !open(r, n) || r.Open.Cause != "" {
		return r, false
	}
	r = r.Clone()
	if r.Open.Kind == record.GoldenAttempt {
		r.RecoveryAttempts = max(0, r.RecoveryAttempts-1)
	}
	r.Open = record.Attempt{}
	return r, true
}

// Reach says how far the attempt with this nonce has come.
func Reach(r record.Record, n record.Nonce, s record.Stage) (record.Record, bool) {
	if !open(r, n) || r.Open.Stage >= s {
		return r, false
	}
	r = r.Clone()
	r.Open.Stage = s
	return r, true
}

// FailService records that a service of the system that runs has failed: an event of its
// own. If the service is critical and the attempt with this nonce is the open one, the
// attempt has failed with it: the machine is to be restarted, and the boot manager counts
// the failure. A boot that was good before stays so.
func FailService(r record.Record, n record.Nonce, service string, critical bool) (after record.Record, attemptFailed bool) {
	r = r.Clone()
	stage := record.BootStage(markers.Golden)
	if open(r, n) {
		stage = r.Open.Stage
		if critical && r.Open.Cause == "" {
			r.Open.Cause, attemptFailed = markers.CauseService, true
		}
	}
	r.AddEvent(record.Event{Kind: record.ServiceFailed, Subject: service, Stage: stage, Cause: markers.CauseService})
	return r, attemptFailed
}

func open(r record.Record, n record.Nonce) bool {
	return r.Open.Kind != record.NoAttempt && r.Open.Nonce == n
}

// Enable lets an entry be started without a person again and forgets its
// failures.
func Enable(r record.Record, key string) (record.Record, bool) {
	e := r.Find(key)
	if e == nil || !e.Disabled && e.Failures == 0 {
		return r, false
	}
	r = r.Clone()
	e = r.Find(key)
	if e.Disabled {
		r.AddEvent(record.Event{Kind: record.EntryEnabled, Subject: key})
	}
	*e = record.Entry{Key: key}
	forget(&r)
	return r, true
}

// Disable keeps an entry from being started without a person until it is
// enabled. It does not count towards recovery.
func Disable(r record.Record, key string) (record.Record, bool) {
	if e := r.Find(key); e != nil && e.Disabled {
		return r, false
	}
	r = r.Clone()
	remember(&r, key, nil).Disabled = true
	r.AddEvent(record.Event{Kind: record.EntryDisabled, Subject: key})
	return r, true
}

// ResetCounters forgets all failures, enables all entries and ends recovery.
func ResetCounters(r record.Record) (record.Record, bool) {
	fresh := r.Clone()
	fresh.Entries, fresh.Disablings, fresh.RecoveryAttempts, fresh.Backoff, fresh.Recovery = nil, 0, 0, 0, ""
	if fresh.Equal(r) {
		return r, false
	}
	fresh.AddEvent(record.Event{Kind: record.CountersReset})
	return fresh, true
}

// RequestRecovery makes the machine start a golden snapshot from the next
// power-on until a boot is good.
func RequestRecovery(r record.Record) (record.Record, bool) {
	if r.Recovery != "" {
		return r, false
	}
	r = r.Clone()
	trigger(&r, markers.RecoverOperator)
	return r, true
}

// CancelRecovery ends recovery.
func CancelRecovery(r record.Record) (record.Record, bool) {
	if r.Recovery == "" && r.RecoveryAttempts == 0 {
		return r, false
	}
	r = r.Clone()
	r.Recovery, r.RecoveryAttempts, r.Disablings = "", 0, 0
	return r, true
}

// failure is what a failed start is to be recorded as.
type failure struct {
	key     string
	stage   record.Stage
	cause   markers.FailureCause
	content record.Content
	told    bool // its event is recorded already
}

// fail counts a failed start of an entry. The result is the entry's part of the
// record, and whether it was disabled by this failure.
func fail(r *record.Record, f failure, present func(key string) bool) (e record.Entry, disabled bool) {
	item := remember(r, f.key, present)
	if item.Stage != f.stage {
		item.Repeats = 0
	}
	raiseBackoff(r, f.cause)
	item.Repeats = min(item.Repeats+1, maxCount)
	if item.Repeats >= stuckLimit && (f.cause == markers.CauseCrash || f.cause == markers.CauseWatchdog) {
		f.cause = markers.CauseStuck
	}
	item.Failures = min(item.Failures+1, maxCount)
	item.Stage, item.Cause, item.Content = f.stage, f.cause, f.content
	disabled = item.Failures >= EntryLimit && !item.Disabled
	item.Disabled = item.Disabled || disabled
	e = *item
	if !f.told {
		r.AddEvent(record.Event{Kind: record.EntryFailed, Subject: f.key, Stage: f.stage, Cause: f.cause})
	}
	if disabled {
		r.Disablings = min(r.Disablings+1, maxCount)
		r.AddEvent(record.Event{Kind: record.EntryDisabled, Subject: f.key, Stage: f.stage, Cause: f.cause})
	}
	return e, disabled
}

// raiseBackoff gives the next boot more time if this one had too little.
func raiseBackoff(r *record.Record, cause markers.FailureCause) {
	if cause == markers.CauseWatchdog {
		r.Backoff = min(r.Backoff+1, len(watchdogSeconds)-1)
	}
}

// maxCount is the highest number of the record's counters.
const maxCount = 255

// trigger begins recovery.
func trigger(r *record.Record, reason markers.RecoveryReason) {
	r.Recovery = reason
	r.AddEvent(record.Event{Kind: record.RecoveryTriggered, Reason: reason})
}

// remember finds the entry's part of the record, or makes one. If there is no
// room, the oldest entry that is not present gives way.
func remember(r *record.Record, key string, present func(key string) bool) *record.Entry {
	if e := r.Find(key); e != nil {
		return e
	}
	if len(r.Entries) == record.MaxEntries {
		gone := 0
		for i, e := range r.Entries {
			if present != nil && !present(e.Key) {
				gone = i
				break
			}
		}
		r.Entries = append(r.Entries[:gone], r.Entries[gone+1:]...)
	}
	r.Entries = append(r.Entries, record.Entry{Key: key})
	return &r.Entries[len(r.Entries)-1]
}

// forget drops the entries of which nothing is to be remembered.
func forget(r *record.Record) {
	kept := r.Entries[:0]
	for _, e := range r.Entries {
		if e.Failures > 0 || e.Disabled {
			kept = append(kept, e)
		}
	}
	r.Entries = kept
}

// subject names what an attempt started, for events.
func subject(a record.Attempt) string {
	if a.Kind == record.GoldenAttempt {
		return a.Snapshot.String()
	}
	return a.Entry
}
