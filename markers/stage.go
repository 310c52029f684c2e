package markers

import "strconv"

// BootStage is how far a boot has come. The zero value is the first stage.
type BootStage int

// The stages of a boot, in the order in which they are reached.
const (
	KernelLoaded    BootStage = iota // the kernel runs and has started the runtime
	MemoryReady                      // memory is accounted for, the first file systems are mounted
	SubsystemsReady                  // drivers are loaded, the system disk is found
	ShellReady                       // the shell takes commands
	Golden                           // the shell has been up for the stability period
)

// BootStages returns all stages in order.
func BootStages() []BootStage {
	return []BootStage{KernelLoaded, MemoryReady, SubsystemsReady, ShellReady, Golden}
}

// bootStages holds the definition of each stage's marker, by stage.
var bootStages = [...]*Definition{
	KernelLoaded:    defineStage(KernelLoaded, "KERNEL_LOADED", "The kernel runs and has started the runtime."),
	MemoryReady:     defineStage(MemoryReady, "MEMORY_READY", "Memory is accounted for and the first file systems are mounted."),
	SubsystemsReady: defineStage(SubsystemsReady, "SUBSYSTEMS_READY", "Drivers are loaded and the system disk has been looked for."),
	ShellReady:      defineStage(ShellReady, "SHELL_READY", "The shell takes commands."),
	Golden:          defineStage(Golden, "GOLDEN", "The shell has been up for the stability period: this boot is good."),
}

func defineStage(stage BootStage, name, meaning string) *Definition {
	return define(Definition{
		Subsystem: bootMarker, Name: name, EmittedBy: EmittedByRuntime, Since: "0.1",
		Meaning: meaning,
		Fields: []FieldDefinition{
			{Key: "seq", Number: true, Meaning: "boot markers before this one in this boot"},
			{Key: "entry", Meaning: "entry ID; empty if the boot manager did not hand one over"},
		},
		Example: BootStageReached{Stage: stage, Seq: int(stage), Entry: "rayos"},
	})
}

// String returns the stage's name in markers, such as SHELL_READY.
func (s BootStage) String() string {
	if s < 0 || int(s) >= len(bootStages) {
		return "BootStage(" + strconv.Itoa(int(s)) + ")"
	}
	return bootStages[s].Name
}

// BootStageReached is the marker of a stage, emitted by the runtime once per
// boot and stage.
type BootStageReached struct {
	Stage BootStage // one of the constants; anything else panics
	Seq   int       // boot markers before this one in this boot
	Entry string    // entry ID; empty if not known
}

// Marker implements [Emitter].
func (r BootStageReached) Marker() Marker {
	return bootStages[r.Stage].marker(strconv.Itoa(r.Seq), r.Entry)
}
