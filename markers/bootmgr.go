package markers

import "strconv"

const (
	bootmgr    = "RAYOS_BOOTMGR"
	bootMarker = "RAYOS_BOOT_MARKER"
)

// EntryKind says where a boot entry comes from.
type EntryKind string

// The kinds of boot entries.
const (
	KindBLS     EntryKind = "bls"     // Type #1 entry: a .conf file on the ESP
	KindUKI     EntryKind = "uki"     // Type #2 entry: a unified kernel image
	KindSlot    EntryKind = "slot"    // kernel slot in the RayOS Kernel partition
	KindWindows EntryKind = "windows" // Windows Boot Manager
	KindGolden  EntryKind = "golden"  // the golden snapshots
	KindSetup   EntryKind = "setup"   // the firmware's setup
)

var bootmgrDiscovered = define(Definition{
	Subsystem: bootmgr, Name: "DISCOVERED", EmittedBy: EmittedByManager, Since: "0.1",
	Meaning: "A boot entry was found. One line per entry, in menu order.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "kind", Meaning: "where the entry comes from", Values: []string{
			string(KindBLS), string(KindUKI), string(KindSlot), string(KindWindows), string(KindGolden), string(KindSetup),
		}},
	},
	Example: BootmgrDiscovered{Entry: "rayos", Kind: KindBLS},
})

// BootmgrDiscovered: a boot entry was found.
type BootmgrDiscovered struct {
	Entry string // entry ID
	Kind  EntryKind
}

// Marker implements [Emitter].
func (d BootmgrDiscovered) Marker() Marker { return bootmgrDiscovered.marker(d.Entry, string(d.Kind)) }

var bootmgrEntriesDropped = define(Definition{
	Subsystem: bootmgr, Name: "ENTRIES_DROPPED", EmittedBy: EmittedByManager, Since: "0.1", Alarm: true,
	Meaning: "More boot entries were found than the menu takes. The last ones in menu order are left out.",
	Fields: []FieldDefinition{
		{Key: "count", Number: true, Meaning: "entries left out"},
		{Key: "limit", Number: true, Meaning: "entries that the menu takes"},
	},
	Example: BootmgrEntriesDropped{Count: 1, Limit: 16},
})

// BootmgrEntriesDropped: more boot entries were found than the menu takes.
type BootmgrEntriesDropped struct {
	Count int // entries left out
	Limit int // entries that the menu takes
}

// Marker implements [Emitter].
func (d BootmgrEntriesDropped) Marker() Marker {
	return bootmgrEntriesDropped.marker(strconv.Itoa(d.Count), strconv.Itoa(d.Limit))
}

// SelectReason says why an entry was chosen.
type SelectReason string

// The reasons for which an entry is chosen.
const (
	ReasonDefault  SelectReason = "default"  // it is the default entry
	ReasonFirst    SelectReason = "first"    // there is no default, it is the first in menu order
	ReasonUser     SelectReason = "user"     // chosen in the menu
	ReasonOneShot  SelectReason = "oneshot"  // asked for by the last system, for this boot only
	ReasonFallback SelectReason = "fallback" // the entry chosen before it could not be started
	ReasonRecovery SelectReason = "recovery" // the machine is to be recovered
)

var bootmgrSelected = define(Definition{
	Subsystem: bootmgr, Name: "SELECTED", EmittedBy: EmittedByManager, Since: "0.1",
	Meaning: "A boot entry was chosen and is about to be started.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "reason", Meaning: "why it was chosen", Values: []string{
			string(ReasonDefault), string(ReasonFirst), string(ReasonUser), string(ReasonOneShot), string(ReasonFallback), string(ReasonRecovery),
		}},
	},
	Example: BootmgrSelected{Entry: "rayos", Reason: ReasonDefault},
})

// BootmgrSelected: a boot entry was chosen and is about to be started.
type BootmgrSelected struct {
	Entry  string // entry ID
	Reason SelectReason
}

// Marker implements [Emitter].
func (s BootmgrSelected) Marker() Marker { return bootmgrSelected.marker(s.Entry, string(s.Reason)) }

// StartStage is a step on the way from a chosen entry to its running image.
type StartStage string

// The steps of starting an entry, in order.
const (
	StageRead   StartStage = "read"   // reading the image and its initrd
	StageVerify StartStage = "verify" // comparing them with their digests
	StageLoad   StartStage = "load"   // the firmware's LoadImage
	StageStart  StartStage = "start"  // the firmware's StartImage
)

var bootmgrEntryFailed = define(Definition{
	Subsystem: bootmgr, Name: "ENTRY_FAILED", EmittedBy: EmittedByManager, Since: "0.1", Alarm: true,
	Meaning: "The chosen entry could not be started. The next choice follows.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID"},
		{Key: "stage", Meaning: "the step that failed", Values: []string{
			string(StageRead), string(StageVerify), string(StageLoad), string(StageStart),
		}},
		{Key: "reason", Meaning: "what went wrong, for people"},
	},
	Example: BootmgrEntryFailed{Entry: "old", Stage: StageRead, Reason: "EFI/old/vmlinuz: file does not exist"},
})

// BootmgrEntryFailed: the chosen entry could not be started.
type BootmgrEntryFailed struct {
	Entry  string // entry ID
	Stage  StartStage
	Reason string // what went wrong; a long text is cut
}

// Marker implements [Emitter].
func (f BootmgrEntryFailed) Marker() Marker {
	return bootmgrEntryFailed.marker(f.Entry, string(f.Stage), f.Reason)
}

var bootmgrBootSuccess = define(Definition{
	Subsystem: bootmgr, Name: "BOOT_SUCCESS", EmittedBy: EmittedByRuntime, Since: "0.1",
	Meaning: "The boot of this entry is good: the system reached GOLDEN.",
	Fields: []FieldDefinition{
		{Key: "entry", Meaning: "entry ID; empty if the boot manager did not hand one over"},
	},
	Example: BootmgrBootSuccess{Entry: "rayos"},
})

// BootmgrBootSuccess: the boot of this entry is good. The runtime says so when
// it reaches GOLDEN.
type BootmgrBootSuccess struct {
	Entry string // entry ID; empty if not known
}

// Marker implements [Emitter].
func (s BootmgrBootSuccess) Marker() Marker { return bootmgrBootSuccess.marker(s.Entry) }
