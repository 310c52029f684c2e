package markers

import "strconv"

const watchdog = "RAYOS_WATCHDOG"

// ArmReason says why the runtime feeds the hardware watchdog.
type ArmReason string

// The reasons for arming.
const (
	ArmedTakeover ArmReason = "takeover" // the boot manager had armed it
	ArmedCommand  ArmReason = "command"  // somebody asked for it
)

var watchdogArmed = define(Definition{
	Subsystem: watchdog, Name: "ARMED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The runtime feeds the hardware watchdog from now on; if it stops, the machine is reset.",
	Fields: []FieldDefinition{
		{Key: "device", Meaning: "the Linux module that drives it"},
		{Key: "seconds", Number: true, Meaning: "without being fed until it resets the machine"},
		{Key: "reason", Meaning: "takeover: the boot manager had armed it; command: somebody asked for it", Values: []string{string(ArmedTakeover), string(ArmedCommand)}},
	},
	Example: WatchdogArmed{Device: "i6300esb", Seconds: 30, Reason: ArmedTakeover},
})

// WatchdogArmed: the runtime feeds the hardware watchdog from now on.
type WatchdogArmed struct {
	Device  string // the Linux module that drives it
	Seconds int    // without being fed until it resets the machine
	Reason  ArmReason
}

// Marker implements [Emitter].
func (a WatchdogArmed) Marker() Marker {
	return watchdogArmed.marker(a.Device, strconv.Itoa(a.Seconds), string(a.Reason))
}

// KickReason says why it is worth a line that the watchdog was fed.
type KickReason string

// The reasons for saying it.
const (
	KickedFirst   KickReason = "first"   // it is the first time since it was armed
	KickedCommand KickReason = "command" // somebody asked for it
)

var watchdogKicked = define(Definition{
	Subsystem: watchdog, Name: "KICKED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The hardware watchdog was fed: for the first time since it was armed, or because somebody asked for it. The other times are not told.",
	Fields: []FieldDefinition{
		{Key: "device", Meaning: "the Linux module that drives it"},
		{Key: "reason", Meaning: "why it is told", Values: []string{string(KickedFirst), string(KickedCommand)}},
	},
	Example: WatchdogKicked{Device: "i6300esb", Reason: KickedFirst},
})

// WatchdogKicked: the hardware watchdog was fed.
type WatchdogKicked struct {
	Device string // the Linux module that drives it
	Reason KickReason
}

// Marker implements [Emitter].
func (k WatchdogKicked) Marker() Marker { return watchdogKicked.marker(k.Device, string(k.Reason)) }

var watchdogExpired = define(Definition{
	Subsystem: watchdog, Name: "EXPIRED", EmittedBy: EmittedByRuntime, Since: "0.2", Alarm: true,
	Meaning: "A service that must be alive is not: the hardware watchdog is fed no more and resets the machine.",
	Fields: []FieldDefinition{
		{Key: "service", Meaning: "name of the service"},
		{Key: "policy", Meaning: "what is done before", Values: []string{"auto-reboot", "dump-then-reboot", "recovery-boot", "halt"}},
		{Key: "count", Number: true, Meaning: "time-outs since the last good boot, with this one"},
		{Key: "limit", Number: true, Meaning: "time-outs after which a golden snapshot is started"},
	},
	Example: WatchdogExpired{Service: "shell", Policy: "auto-reboot", Count: 1, Limit: 3},
})

// WatchdogExpired: a service that must be alive is not, and the machine is reset.
type WatchdogExpired struct {
	Service string // its name
	Policy  string // what is done before
	Count   int    // time-outs since the last good boot, with this one
	Limit   int    // time-outs after which a golden snapshot is started
}

// Marker implements [Emitter].
func (e WatchdogExpired) Marker() Marker {
	return watchdogExpired.marker(e.Service, e.Policy, strconv.Itoa(e.Count), strconv.Itoa(e.Limit))
}
