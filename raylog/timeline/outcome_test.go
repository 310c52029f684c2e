package timeline_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/timeline"
)

func boots(s *story) []timeline.Boot { return timeline.Boots(slices.Values(s.records)) }

// verdicts are the outcomes of boots, in a few words each.
func verdicts(all []timeline.Boot) string {
	var words []string
	for _, b := range all {
		verdict := string(b.Outcome)
		if b.Cause != "" {
			verdict += ":" + string(b.Cause)
		}
		for _, e := range b.Events {
			verdict += "," + string(e.Kind)
		}
		words = append(words, verdict)
	}
	return strings.Join(words, " | ")
}

// startGolden is the start of a golden snapshot, as it is up to the system's.
func (s *story) startGolden(attempt int) {
	s.emit("bootmgr", 100, markers.BootmgrSelected{Entry: "golden", Reason: markers.ReasonRecovery})
	s.emit("bootmgr", 200, markers.BootmgrRecoveryFallback{Snapshot: snapshotID, Attempt: attempt, Limit: 3, Reason: string(markers.RecoverOperator)})
}

func crash(entry string, cause markers.FailureCause) markers.FailureCount {
	return markers.FailureCount{Entry: entry, Count: 1, Limit: 3, Stage: "SHELL_READY", Reason: cause}
}

const panicked = "<0>[    3.000000] Kernel panic - not syncing: x"

var (
	expired = markers.WatchdogExpired{Service: "init", Policy: "dump-then-reboot", Count: 1, Limit: 3}
	refused = markers.BootmgrEntryFailed{Entry: "rayos", Stage: markers.StageRead, Reason: "no such file"}
	shell   = markers.BootStageReached{Stage: markers.ShellReady, Seq: 3, Entry: "rayos"}
)

// outcomes are boots and what they are judged to be.
var outcomes = []struct {
	name, want string
	tell       func(s *story)
}{
	{"good and lines of one record", "good", func(s *story) {
		s.say(raylog.Info, "init", 32410, markers.BootStageReached{Stage: markers.Golden, Seq: 4}.Marker().String()+"\n"+markers.BootmgrBootSuccess{}.Marker().String())
	}},
	{"good, then a crash", "good,panic | open", func(s *story) {
		s.good("rayos")
		s.say(raylog.Fatal, "pstore", 0, panicked)
		s.power(2, 0)
		s.firmware(900, "rayos", markers.ReasonDefault)
	}},
	{"good, then nothing", "good,went-down | open", func(s *story) {
		s.good("rayos")
		s.power(2, 0)
		s.firmware(900, "rayos", markers.ReasonDefault)
	}},
	{"a crash before the log began", "open,panic", func(s *story) {
		s.say(raylog.Fatal, "pstore", 0, panicked)
		s.emit("init", 2000, shell)
	}},
	{"good, and a failure of something before it", "good,went-down | open,failure", func(s *story) {
		s.good("rayos")
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	}},
	{"a crash", "failed:crash,failure | open", func(s *story) {
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	}},
	{"a failure of something else", "unknown,went-down | open,failure", func(s *story) {
		s.firmware(900, "windows", markers.ReasonUser)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	}},
	{"it ended in order, but the boot manager was not told", "failed:crash,failure | open", func(s *story) {
		s.emit("init", 2000, shell)
		s.end(9000, "restarts")
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	}},
	{"the watchdog saved the log", "failed:watchdog,watchdog-expired,panic,failure | open", func(s *story) {
		s.emit("init", 2000, shell)
		s.emit("init", 9000, expired)
		s.say(raylog.Fatal, "pstore", 0, panicked)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
	}},
	{"a critical service failed", "failed:service,service-failed,failure | open", func(s *story) {
		s.emit("init", 2000, shell)
		s.emit("init", 8000, markers.ServiceFailed{Service: "web", Critical: true, Starts: 5, Reason: "exit status 1"})
		s.end(9000, "restarts")
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseService))
	}},
	{"another service failed", "good,service-failed", func(s *story) {
		s.emit("init", 8000, markers.ServiceFailed{Service: "extra", Starts: 5, Reason: "exit status 1"})
		s.good("rayos")
	}},
	{"stuck says more than panic", "failed:stuck,panic,failure | open", func(s *story) {
		s.emit("init", 2000, shell)
		s.say(raylog.Fatal, "pstore", 0, panicked)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseStuck))
	}},
	{"the newest, and the watchdog", "failed:watchdog,watchdog-expired", func(s *story) { s.emit("init", 9000, expired) }},
	{"golden snapshots that fail", "failed,golden-started,went-down | recovered,golden-started", func(s *story) {
		s.startGolden(1)
		s.say(raylog.Info, "kernel", 0, "Linux")
		s.power(2, 0)
		s.startGolden(2)
		s.good("golden")
	}},
	{"the next entry is good", "good,entry-failed", func(s *story) {
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.emit("bootmgr", 901, refused)
		s.emit("bootmgr", 901, crash("rayos", markers.CauseLoad))
		s.emit("bootmgr", 902, markers.BootmgrSelected{Entry: "other", Reason: markers.ReasonFallback})
		s.good("other")
	}},
	{"no entry starts", "failed:load-refused,entry-failed", func(s *story) {
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.emit("bootmgr", 901, refused)
	}},
	{"it came back", "failed:start-error,entry-failed", func(s *story) {
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.emit("bootmgr", 901, markers.BootmgrEntryFailed{Entry: "rayos", Stage: markers.StageStart, Reason: "it ended"})
	}},
	{"the menu waits", "stopped,stopped", func(s *story) { s.emit("bootmgr", 1, markers.BootmgrStopped{Reason: "x"}) }},
	{"a person goes on", "open,stopped", func(s *story) {
		s.emit("bootmgr", 1, markers.BootmgrStopped{Reason: "x"})
		s.emit("bootmgr", 2, markers.BootmgrSelected{Entry: "rayos", Reason: markers.ReasonUser})
	}},
	{"ended in order", "ended | ended", func(s *story) {
		s.end(9000, "restarts")
		s.power(2, 0)
		s.end(9000, "turns off")
	}},
	{"switched off in the menu", "unknown,went-down | open", func(s *story) {
		s.say(raylog.Info, "bootmgr", 0, "RayOS boot manager")
		s.power(2, 0)
		s.say(raylog.Info, "bootmgr", 0, "RayOS boot manager")
	}},
	{"not counted", "unknown,uncounted,went-down | open", func(s *story) {
		s.emit("bootmgr", 1, markers.BootmgrUncounted{Entry: "rayos", Reason: "write protected"})
		s.emit("init", 2000, shell)
		s.power(2, 0)
		s.firmware(900, "rayos", markers.ReasonDefault)
	}},
	{"others say it", "open", func(s *story) {
		s.say(raylog.Info, "kernel", 1, markers.BootmgrBootSuccess{Entry: "rayos"}.Marker().String())
		s.say(raylog.Info, "bootmgr", 1, markers.BootmgrBootSuccess{Entry: "rayos"}.Marker().String())
		s.say(raylog.Info, "init", 1, markers.BootmgrStopped{Reason: "x"}.Marker().String())
		s.say(raylog.Info, "bootmgr", 1, "rayos: the machine restarts: ending all processes")
	}},
}

func TestOutcomes(t *testing.T) {
	for _, c := range outcomes {
		t.Run(c.name, func(t *testing.T) {
			s := &story{}
			s.power(1, 0)
			c.tell(s)
			all := boots(s)
			if got := verdicts(all); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			checkPictures(t, timeline.Last("x", all, len(all)))
			checkFailures(t, all)
		})
	}
}

// checkFailures wants the mark of a failure at the end of the bar of each that
// failed, and of no other.
func checkFailures(t *testing.T, all []timeline.Boot) {
	t.Helper()
	for _, b := range all {
		want := 0
		if b.Outcome == timeline.Failed && len(b.Segments) > 0 {
			want = 2 // rows
		}
		if got := strings.Count(text(t, timeline.Last("x", []timeline.Boot{b}, 1), false), "╳\n"); got != want {
			t.Errorf("%s: %d marks, want %d", b.Outcome, got, want)
		}
	}
}

// TestRecoveryArrow wants an arrow where the machine recovered by itself only.
func TestRecoveryArrow(t *testing.T) {
	for reason, want := range map[string]int{string(markers.RecoverNoEntry): 1, string(markers.ReasonUser): 0} {
		s := &story{}
		s.power(1, 0)
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
		s.emit("bootmgr", 2, markers.BootmgrSelected{Entry: "golden", Reason: markers.ReasonRecovery})
		s.emit("bootmgr", 3, markers.BootmgrRecoveryFallback{Snapshot: snapshotID, Attempt: 1, Limit: 3, Reason: reason})
		if got := strings.Count(text(t, timeline.Last("x", boots(s), 9), false), "└─> recovery"); got != want {
			t.Errorf("%s: %d arrows", reason, got)
		}
	}
}

// TestSegments has stages of which the log has no line, or in no order.
func TestSegments(t *testing.T) {
	s := &story{}
	s.power(1, 0)
	at := func(stage markers.BootStage, ms int) {
		s.emit("init", ms, markers.BootStageReached{Stage: stage, Seq: int(stage)})
	}
	at(markers.MemoryReady, 900)
	at(markers.ShellReady, 700)
	at(markers.ShellReady, 5000) // said twice
	s.say(raylog.Info, "kernel", 4000, "x")
	got := fmt.Sprint(boots(s)[0].Segments)
	if want := "[{memory 900 true} {shell 0 true} {golden 4100 false}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestLostEnd has a boot whose end was lost: what the next one says about it.
func TestLostEnd(t *testing.T) {
	for want, begin := range map[string]func(s *story){
		"it was good, or ended in order": func(s *story) { s.firmware(900, "rayos", markers.ReasonDefault) },
		"no failure was counted":         func(s *story) { s.emit("init", 2000, shell) },
		"without a word": func(s *story) {
			s.emit("bootmgr", 1, markers.BootmgrStateLost{Reason: "both copies are damaged"})
		},
	} {
		s := &story{}
		s.power(1, 0)
		s.firmware(900, "rayos", markers.ReasonDefault)
		s.emit("init", 2000, shell)
		s.power(2, 0)
		begin(s)
		if b := boots(s)[0]; b.Outcome != timeline.Unknown || len(b.Events) != 1 || !strings.Contains(b.Events[0].Text, want) {
			t.Errorf("%s: %s %+v", want, b.Outcome, b.Events)
		}
	}
}

// TestLostStages has stages that the next boot knows of, and the log does not.
func TestLostStages(t *testing.T) {
	for _, c := range []struct {
		name, want string
		tell       func(s *story)
	}{
		{"one", "[{memory 900 true} {subsystems -1 true} {shell -1 true} {golden -1 false}]", func(s *story) {
			s.emit("init", 900, markers.BootStageReached{Stage: markers.MemoryReady, Seq: 1, Entry: "rayos"})
		}},
		{"all", "[{firmware 900 true} {kernel -1 true} {memory -1 true} {subsystems -1 true} {shell -1 true} {golden -1 false}]", func(s *story) {
			s.firmware(900, "rayos", markers.ReasonDefault)
		}},
		{"none", "[{shell 900 true} {golden 100 false}]", func(s *story) {
			s.emit("init", 900, markers.BootStageReached{Stage: markers.ShellReady, Seq: 3, Entry: "rayos"})
			s.say(raylog.Info, "kernel", 1000, "x")
		}},
	} {
		s := &story{}
		s.power(1, 0)
		c.tell(s)
		s.power(2, 0)
		s.emit("bootmgr", 1, crash("rayos", markers.CauseCrash))
		all := boots(s)
		if got := fmt.Sprint(all[0].Segments); got != c.want || all[0].Stage != "SHELL_READY" {
			t.Errorf("%s: %s after %s, want %s", c.name, got, all[0].Stage, c.want)
		}
		checkPictures(t, timeline.Last("x", all, 2))
	}
}

// TestEndOfTheRuntime holds the words of the runtime that are looked for.
func TestEndOfTheRuntime(t *testing.T) {
	source, err := os.ReadFile("../../initramfs/pid1/shutdown.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"the machine %s: ending all processes"`, `"restarts"`, `"turns off"`} {
		if !strings.Contains(string(source), want) {
			t.Errorf("process 1 does not say %s any more", want)
		}
	}
}
