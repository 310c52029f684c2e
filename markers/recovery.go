package markers

import "strconv"

// FailureCause says what a failure of an entry was.
type FailureCause string

// The causes of failures.
const (
	CauseLoad     FailureCause = "load-refused" // it could not be read, is not what was promised, or the firmware refused it
	CauseStart    FailureCause = "start-error"  // the firmware could not start it, or it came back
	CauseCrash    FailureCause = "crash"        // the machine was reset or lost its power before the boot was good
	CauseWatchdog FailureCause = "watchdog"     // the hardware watchdog reset the machine
	CauseStuck    FailureCause = "stuck"        // it failed at the same stage three times in a row
	CauseService  FailureCause = "service"      // a critical service failed before the boot was good
)

// FailureCauses returns all causes; the record on disk numbers them in this
// order, from 1.
func FailureCauses() []FailureCause {
	return []FailureCause{CauseLoad, CauseStart, CauseCrash, CauseWatchdog, CauseStuck, CauseService}
}

// RecoveryReason says why the machine is to be recovered.
type RecoveryReason string

// The reasons for recovery.
const (
	RecoverFailures  RecoveryReason = "failures"   // too many entries were disabled since the last good boot
	RecoverNoEntry   RecoveryReason = "no-entry"   // no entry is left that may be started without a person
	RecoverStateLost RecoveryReason = "state-lost" // the boot-state record cannot be read
	RecoverOperator  RecoveryReason = "operator"   // somebody asked for it
)

// RecoveryReasons returns all reasons; the record on disk numbers them in this
// order, from 1.
func RecoveryReasons() []RecoveryReason {
	return []RecoveryReason{RecoverFailures, RecoverNoEntry, RecoverStateLost, RecoverOperator}
}

// texts turns values of a string type into those of a field definition.
func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

var failureCount = define(Definition{
	Subsystem: bootMarker, Name: "FAILURE_COUNT", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "A start of this entry failed and was counted, in this boot or in the one before it.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "count", Number: true, Meaning: "failures of the entry since it was last good"},
		{Key: "limit", Number: true, Meaning: "failures at which it is disabled"},
		{Key: "stage", Meaning: "how far it came: a step of starting it, or a boot stage"},
		{Key: "reason", Meaning: "what the failure was", Values: texts(FailureCauses())},
	},
	Example: FailureCount{Entry: "rayos", Count: 1, Limit: 3, Stage: "start", Reason: CauseCrash},
})

// FailureCount: a start of an entry failed and was counted.
type FailureCount struct {
	Entry  string // entry ID
	Count  int    // failures since it was last good
	Limit  int    // failures at which it is disabled
	Stage  string // how far it came
	Reason FailureCause
}

// Marker implements [Emitter].
func (f FailureCount) Marker() Marker {
	return failureCount.marker(f.Entry, strconv.Itoa(f.Count), strconv.Itoa(f.Limit), f.Stage, string(f.Reason))
}

var recoveryTriggered = define(Definition{
	Subsystem: bootMarker, Name: "RECOVERY_TRIGGERED", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "The machine is to be recovered: a golden snapshot is started from now on, until a boot is good.",
	Fields:  []FieldDefinition{{Key: "reason", Meaning: "why", Values: texts(RecoveryReasons())}},
	Example: RecoveryTriggered{Reason: RecoverFailures},
})

// RecoveryTriggered: the machine is to be recovered.
type RecoveryTriggered struct{ Reason RecoveryReason }

// Marker implements [Emitter].
func (r RecoveryTriggered) Marker() Marker { return recoveryTriggered.marker(string(r.Reason)) }

var bootmgrEntryDisabled = define(Definition{
	Subsystem: bootmgr, Name: "ENTRY_DISABLED", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "The entry has failed too often. It is not started without a person until its content changes or it is enabled.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "count", Number: true, Meaning: "entries disabled since the last good boot"},
		{Key: "limit", Number: true, Meaning: "disablings at which the machine is recovered"},
		{Key: "reason", Meaning: "what its last failure was", Values: texts(FailureCauses())},
	},
	Example: BootmgrEntryDisabled{Entry: "rayos", Count: 1, Limit: 3, Reason: CauseStuck},
})

// BootmgrEntryDisabled: an entry has failed too often.
type BootmgrEntryDisabled struct {
	Entry  string // entry ID
	Count  int    // entries disabled since the last good boot
	Limit  int    // disablings at which the machine is recovered
	Reason FailureCause
}

// Marker implements [Emitter].
func (d BootmgrEntryDisabled) Marker() Marker {
	return bootmgrEntryDisabled.marker(d.Entry, strconv.Itoa(d.Count), strconv.Itoa(d.Limit), string(d.Reason))
}

var bootmgrRecoveryFallback = define(Definition{
	Subsystem: bootmgr, Name: "RECOVERY_FALLBACK", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "A golden snapshot was verified and is about to be started.",
	Fields: []FieldDefinition{
		{Key: "snapshot", Meaning: "first 16 digits of the snapshot's ID"},
		{Key: "attempt", Number: true, Meaning: "starts of golden snapshots since the last good boot, with this one"},
		{Key: "limit", Number: true, Meaning: "starts after which the boot manager stops at the menu"},
		{Key: "reason", Meaning: "why the machine is recovered; user: a person chose it", Values: append(texts(RecoveryReasons()), string(ReasonUser))},
	},
	Example: BootmgrRecoveryFallback{Snapshot: "5f70bf18a0860070", Attempt: 1, Limit: 3, Reason: string(RecoverFailures)},
})

// BootmgrRecoveryFallback: a golden snapshot is about to be started.
type BootmgrRecoveryFallback struct {
	Snapshot string // first 16 digits of its ID
	Attempt  int    // starts of golden snapshots since the last good boot
	Limit    int    // starts after which the boot manager stops
	Reason   string // a [RecoveryReason], or [ReasonUser]
}

// Marker implements [Emitter].
func (r BootmgrRecoveryFallback) Marker() Marker {
	return bootmgrRecoveryFallback.marker(r.Snapshot, strconv.Itoa(r.Attempt), strconv.Itoa(r.Limit), r.Reason)
}

var bootmgrGoldenRefused = define(Definition{
	Subsystem: bootmgr, Name: "GOLDEN_REFUSED", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "A golden snapshot is not used. The next older one follows.",
	Fields: []FieldDefinition{
		{Key: "snapshot", Meaning: "first 16 digits of the snapshot's ID, or the name of its file"},
		{Key: "reason", Meaning: "what is wrong with it, for people"},
	},
	Example: BootmgrGoldenRefused{Snapshot: "5f70bf18a0860070", Reason: "verify kernel: SHA-256 is 0a1b2c3d..., want 5f70bf18..."},
})

// BootmgrGoldenRefused: a golden snapshot is not used.
type BootmgrGoldenRefused struct {
	Snapshot string // first 16 digits of its ID, or the name of its file
	Reason   string // what is wrong with it; a long text is cut
}

// Marker implements [Emitter].
func (r BootmgrGoldenRefused) Marker() Marker {
	return bootmgrGoldenRefused.marker(r.Snapshot, r.Reason)
}

var bootmgrUncounted = define(Definition{
	Subsystem: bootmgr, Name: "UNCOUNTED", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "The start of this entry could not be recorded: should it fail, nobody will know. It is started all the same.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "reason", Meaning: "why it could not be recorded, for people"},
	},
	Example: BootmgrUncounted{Entry: "rayos", Reason: "write EFI/rayos/boot-state: write protected"},
})

// BootmgrUncounted: a start could not be recorded.
type BootmgrUncounted struct {
	Entry  string // entry ID
	Reason string // why; a long text is cut
}

// Marker implements [Emitter].
func (u BootmgrUncounted) Marker() Marker { return bootmgrUncounted.marker(u.Entry, u.Reason) }

var bootmgrStateLost = define(Definition{
	Subsystem: bootmgr, Name: "STATE_LOST", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "The boot-state record cannot be read: what failed before is not known, and a golden snapshot is preferred.",
	Fields:  []FieldDefinition{{Key: "reason", Meaning: "what is wrong with it, for people"}},
	Example: BootmgrStateLost{Reason: "EFI/rayos/boot-state: both copies are damaged"},
})

// BootmgrStateLost: the boot-state record cannot be read.
type BootmgrStateLost struct{ Reason string }

// Marker implements [Emitter].
func (s BootmgrStateLost) Marker() Marker { return bootmgrStateLost.marker(s.Reason) }

var bootmgrStopped = define(Definition{
	Subsystem: bootmgr, Name: "STOPPED", EmittedBy: EmittedByManager, Since: "0.2", Alarm: true,
	Meaning: "Nothing is started any more without a person: the menu waits.",
	Fields:  []FieldDefinition{{Key: "reason", Meaning: "why, for people"}},
	Example: BootmgrStopped{Reason: "3 recovery attempts failed"},
})

// BootmgrStopped: nothing is started any more without a person.
type BootmgrStopped struct{ Reason string }

// Marker implements [Emitter].
func (s BootmgrStopped) Marker() Marker { return bootmgrStopped.marker(s.Reason) }

var bootmgrWatchdogArmed = define(Definition{
	Subsystem: bootmgr, Name: "WATCHDOG_ARMED", EmittedBy: EmittedByManager, Since: "0.2",
	Meaning: "The hardware watchdog resets the machine unless the started system takes it over in time.",
	Fields: []FieldDefinition{
		{Key: "device", Meaning: "the Linux module that drives it"},
		{Key: "seconds", Number: true, Meaning: "until it resets the machine"},
	},
	Example: BootmgrWatchdogArmed{Device: "i6300esb", Seconds: 30},
})

// BootmgrWatchdogArmed: the hardware watchdog guards the start.
type BootmgrWatchdogArmed struct {
	Device  string // the Linux module that drives it
	Seconds int    // until it resets the machine
}

// Marker implements [Emitter].
func (w BootmgrWatchdogArmed) Marker() Marker {
	return bootmgrWatchdogArmed.marker(w.Device, strconv.Itoa(w.Seconds))
}

var bootmgrSnapshot = define(Definition{
	Subsystem: bootmgr, Name: "SNAPSHOT", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "What was booted is kept as a golden snapshot.",
	Fields: []FieldDefinition{
		{Key: "snapshot", Meaning: "first 16 digits of the snapshot's ID"},
		{Key: "state", Meaning: "candidate until this boot is good, then stable", Values: []string{"candidate", "stable"}},
	},
	Example: BootmgrSnapshot{Snapshot: "5f70bf18a0860070", State: "candidate"},
})

// BootmgrSnapshot: what was booted is kept as a golden snapshot.
type BootmgrSnapshot struct {
	Snapshot string // first 16 digits of its ID
	State    string // candidate or stable
}

// Marker implements [Emitter].
func (s BootmgrSnapshot) Marker() Marker { return bootmgrSnapshot.marker(s.Snapshot, s.State) }
