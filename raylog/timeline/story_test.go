package timeline_test

import (
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// story writes the log of a machine.
type story struct {
	records []raylog.Record
	boot    raylog.BootID
	wall    time.Time // of the power-on; zero: the machine does not know it
	later   time.Duration
}

// power is the begin of a boot.
func (s *story) power(id byte, minutes int) {
	s.boot = raylog.BootID{id, 0xb0, 0x07}
	s.wall = time.Date(2026, 3, 1, 10, minutes, 0, 0, time.UTC)
	s.later = 0
}

// say adds a record; its uptime is in milliseconds.
func (s *story) say(level raylog.Level, source string, ms int, message string) {
	r := raylog.Record{Sequence: uint64(len(s.records) + 1), Entry: raylog.Entry{
		Level: level, Source: source, Message: message, Boot: s.boot, Uptime: time.Duration(ms) * time.Millisecond,
	}}
	if !s.wall.IsZero() {
		r.Wall = s.wall.Add(s.later + r.Uptime)
	}
	s.records = append(s.records, r)
}

// emit adds a marker.
func (s *story) emit(source string, ms int, e markers.Emitter) {
	level := raylog.Info
	if m := e.Marker(); markers.Alarms(m) {
		level = raylog.Warn
	}
	s.say(level, source, ms, e.Marker().String())
}

// firmware is what the boot manager says of a start, up to ms.
func (s *story) firmware(ms int, entry string, reason markers.SelectReason) {
	s.say(raylog.Info, "bootmgr", 0, "RayOS boot manager")
	s.emit("bootmgr", 10, markers.BootmgrDiscovered{Entry: entry, Kind: markers.KindBLS})
	s.emit("bootmgr", ms-300, markers.BootmgrSelected{Entry: entry, Reason: reason})
	s.guard(ms)
}

// guard is what the boot manager says last, and the begin of the system.
func (s *story) guard(ms int) {
	s.emit("bootmgr", ms, markers.BootmgrWatchdogArmed{Device: "i6300esb", Seconds: 30})
	s.later = time.Duration(ms) * time.Millisecond
}

// system is what the runtime says, up to a stage.
func (s *story) system(entry string, upTo markers.BootStage) {
	s.say(raylog.Info, "kernel", 0, "Linux version 6.1.0")
	for i, ms := range []int{812, 907, 2100, 2410, 32410}[:upTo+1] {
		stage := markers.BootStage(i)
		s.emit("init", ms, markers.BootStageReached{Stage: stage, Seq: i, Entry: entry})
		if stage == markers.KernelLoaded {
			s.emit("init", 850, markers.WatchdogArmed{Device: "i6300esb", Seconds: 30, Reason: markers.ArmedTakeover})
		}
	}
}

// golden is the end of a good boot.
func (s *story) good(entry string) {
	s.emit("init", 32412, markers.BootmgrBootSuccess{Entry: entry})
}

// end is the orderly end.
func (s *story) end(ms int, what string) {
	s.say(raylog.Info, "init", ms, "rayos: the machine "+what+": ending all processes")
	s.say(raylog.Info, "init", ms+200, "rayos: the machine "+what+" now")
}

const snapshotID = "5f70bf18a0860070"

// recovery is the story of a machine that recovers, as docs/recovery.md has it.
func recovery() *story {
	s := &story{}
	s.goWell()
	s.fail()
	s.recover()
	return s
}

// goWell is a good boot, and one that ends early.
func (s *story) goWell() {
	s.power(1, 0)
	s.firmware(5400, "rayos", markers.ReasonDefault)
	s.system("rayos", markers.Golden)
	s.emit("init", 2900, markers.BootmgrSnapshot{Snapshot: snapshotID, State: "candidate"})
	s.good("rayos")
	s.emit("init", 32600, markers.BootmgrSnapshot{Snapshot: snapshotID, State: "stable"})
	s.end(7_980_000, "turns off")

	s.power(2, 10)
	s.firmware(1900, "rayos", markers.ReasonUser)
	s.system("rayos", markers.ShellReady)
	s.end(14_300, "restarts")
}

// fail is a crash, a watchdog's reset and one more crash.
func (s *story) fail() {
	s.power(3, 11)
	s.firmware(5400, "rayos", markers.ReasonDefault)
	s.system("rayos", markers.MemoryReady)
	s.say(raylog.Error, "kernel", 1500, "nvme nvme0: I/O 12 QID 1 timeout, aborting\nnvme nvme0: more")
	crashed := s.boot

	s.power(4, 12)
	s.say(raylog.Info, "bootmgr", 0, "RayOS boot manager")
	s.emit("bootmgr", 40, markers.FailureCount{Entry: "rayos", Count: 1, Limit: 3, Stage: "start", Reason: markers.CauseCrash})
	s.emit("bootmgr", 5100, markers.BootmgrSelected{Entry: "rayos", Reason: markers.ReasonDefault})
	s.guard(5400)
	s.system("rayos", markers.ShellReady)
	s.boot = crashed
	s.say(raylog.Fatal, "pstore", 2420, "<6>[    1.799000] raid6: skipped\n<0>[    1.802112] Kernel panic - not syncing: Fatal exception in interrupt\n<4>[    1.802113] Call Trace:")
	s.power(4, 12)
	s.emit("init", 85_000, markers.WatchdogExpired{Service: "shell", Policy: "auto-reboot", Count: 1, Limit: 3})

	s.power(5, 14)
	s.emit("bootmgr", 40, markers.FailureCount{Entry: "rayos", Count: 2, Limit: 3, Stage: "SHELL_READY", Reason: markers.CauseWatchdog})
	s.emit("bootmgr", 5100, markers.BootmgrSelected{Entry: "rayos", Reason: markers.ReasonDefault})
	s.guard(5400)
	s.system("rayos", markers.SubsystemsReady)
}

// recover is a good boot of a golden snapshot, and one that still goes on.
func (s *story) recover() {
	s.power(6, 15)
	s.emit("bootmgr", 40, markers.FailureCount{Entry: "rayos", Count: 3, Limit: 3, Stage: "SUBSYSTEMS_READY", Reason: markers.CauseCrash})
	s.emit("bootmgr", 40, markers.BootmgrEntryDisabled{Entry: "rayos", Count: 1, Limit: 3, Reason: markers.CauseCrash})
	s.emit("bootmgr", 41, markers.RecoveryTriggered{Reason: markers.RecoverNoEntry})
	s.emit("bootmgr", 5100, markers.BootmgrSelected{Entry: "golden", Reason: markers.ReasonRecovery})
	s.emit("bootmgr", 5200, markers.BootmgrGoldenRefused{Snapshot: "aa00000000000001", Reason: "verify kernel of the snapshot: SHA-256 is 0a1b2c3d, want 5f70bf18"})
	s.emit("bootmgr", 5210, markers.BootmgrSelected{Entry: "golden", Reason: markers.ReasonRecovery})
	s.emit("bootmgr", 5800, markers.BootmgrRecoveryFallback{Snapshot: snapshotID, Attempt: 1, Limit: 3, Reason: string(markers.RecoverNoEntry)})
	s.guard(5900)
	s.system("golden", markers.Golden)
	s.good("golden")
	s.end(61_000, "restarts")

	s.power(7, 17)
	s.emit("bootmgr", 20, markers.BootmgrSelected{Entry: "golden", Reason: markers.ReasonRecovery})
	s.emit("bootmgr", 900, markers.BootmgrRecoveryFallback{Snapshot: snapshotID, Attempt: 1, Limit: 3, Reason: string(markers.RecoverNoEntry)})
	s.guard(1000)
	s.system("golden", markers.ShellReady)
	s.say(raylog.Info, "kernel", 9000, "random: crng init done")
}

// hostile is a log that wants to do something to a terminal, a browser or the
// drawing, and one whose machine had bad luck.
func hostile() *story {
	s := &story{}
	s.power(1, 0)
	s.wall = time.Time{}
	s.emit("init", 2410, markers.BootStageReached{Stage: markers.ShellReady, Seq: 3, Entry: "\x1b[2J<b>&\"'\u202e"})
	s.say(raylog.Fatal, "\x1b]0;x\a", 5000, "\x1b[31m</text><script>alert(1)</script>\u2028 \xff\xfe\x00 "+string(make([]byte, 3000)))
	s.say(raylog.Error, "kernel", 6000, "[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos\ttab")

	s.power(2, 1)
	s.firmware(3_600_000*5, "rayos", markers.ReasonUser)
	s.emit("bootmgr", 3_600_000*5+10, markers.BootmgrEntryFailed{Entry: "rayos", Stage: markers.StageVerify, Reason: "EFI/rayos/vmlinuz: SHA-256 is 00"})
	s.emit("bootmgr", 3_600_000*5+10, markers.FailureCount{Entry: "rayos", Count: 3, Limit: 3, Stage: "verify", Reason: markers.CauseLoad})
	s.emit("bootmgr", 3_600_000*5+10, markers.BootmgrEntryDisabled{Entry: "rayos", Count: 1, Limit: 3, Reason: markers.CauseLoad})
	s.emit("bootmgr", 3_600_000*5+11, markers.BootmgrSelected{Entry: "windows", Reason: markers.ReasonFallback})

	s.power(3, 2)
	s.emit("bootmgr", 10, markers.FailureCount{Entry: "other", Count: 1, Limit: 3, Stage: "start", Reason: markers.CauseCrash})
	s.emit("bootmgr", 10, markers.BootmgrStateLost{Reason: "EFI/rayos/boot-state: both copies are damaged"})
	s.emit("bootmgr", 20, markers.BootmgrStopped{Reason: "3 recovery attempts failed"})

	s.power(4, 3)
	for i, stage := range markers.BootStages() {
		s.emit("init", 1<<40>>i, markers.BootStageReached{Stage: stage, Seq: i})
	}
	for i := range 9 {
		s.say(raylog.Error, "kernel", 1<<40, "error number "+string(rune('0'+i)))
	}
	s.say(raylog.Info, "init", -5, "rayos: the machine turns off: ending all processes")
	s.emit("init", 1, markers.BootmgrBootSuccess{})
	return s
}
