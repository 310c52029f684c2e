package pid1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/bootargs"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/markers"
)

// TestRecoveryBoot asks the boot manager for a golden snapshot.
func TestRecoveryBoot(t *testing.T) {
	b, _, terminal := countedMachine(t, 2)
	b.timeIsUp(watchdog.Orders{Recover: true}, []watchdog.Dead{{Name: "shell", Silent: time.Minute}})
	terminal.Expect("rayos: the watchdog resets the machine, as this does not answer: shell (silent for 1m0s)\r\n")
	terminal.Expect("rayos: a golden snapshot is started next\r\n")
	if loaded, err := bootstate.Load(b.device("vda1"), installID); err != nil || loaded.Record.Recovery != markers.RecoverOperator {
		t.Errorf("recovery %q, %v", loaded.Record.Recovery, err)
	}
}

func TestRecoveryBootThatIsNotCounted(t *testing.T) {
	b, _, out := newBoot(t, nil)
	b.timeIsUp(watchdog.Orders{Recover: true}, nil)
	wantLines(t, out, "the boot manager cannot be told to start a golden snapshot: this boot is not counted, or not yet")
}

// TestDump leaves in the kernel's log what hangs, and makes it panic without a
// restart, so that it is the watchdog which resets the machine.
func TestDump(t *testing.T) {
	b, _, terminal := countedMachine(t, 0)
	b.timeIsUp(watchdog.Orders{Dump: true}, []watchdog.Dead{{Name: "init", Silent: 31 * time.Second}})
	terminal.Expect("as this does not answer: init (silent for 31s)")
	for name, want := range map[string]string{"sysrq-trigger": "c", "sys/kernel/panic": "0", "sys/kernel/printk_devkmsg": "on"} {
		if got, err := os.ReadFile(filepath.Join(b.root, "proc", name)); string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	log, err := os.ReadFile(filepath.Join(b.root, "dev/kmsg"))
	if err != nil || !strings.Contains(string(log), "does not answer: init") {
		t.Errorf("kernel log: %q, %v", log, err)
	}
}

func TestHalt(t *testing.T) {
	b, k, out := newBoot(t, nil)
	b.startGuard()
	k.errs["power 0xcdef0123"] = unix.EPERM
	b.timeIsUp(watchdog.Orders{Halt: true}, []watchdog.Dead{{Name: "init", Silent: time.Minute}})
	wantLines(t, out, "rayos: the machine halts, as this does not answer: init (silent for 1m0s)", "turn it off and on", "refuses to halt: operation not permitted")
	wantSame(t, "asked", k.asked, []string{"sync", "power 0xcdef0123"})
}

// TestNothingWaitsForADiskThatHangs has the log wait for its disk for ever: the
// guard goes on, and what it says stands on the consoles.
func TestNothingWaitsForADiskThatHangs(t *testing.T) {
	b, k, out := newBoot(t, nil)
	b.startGuard()
	b.journal.mu.Lock() // as long as a write takes
	defer b.journal.mu.Unlock()
	done := make(chan struct{})
	go func() {
		for range 2 * maxBeside {
			b.warnBeside("a line")
		}
		b.timeIsUp(watchdog.Orders{Halt: true}, []watchdog.Dead{{Name: "init", Silent: time.Minute}})
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the guard waits for the log")
	}
	wantLines(t, out, "the machine halts, as this does not answer: init (silent for 1m0s)")
	wantSame(t, "asked", k.asked, []string{"sync", "power 0xcdef0123"})
}

func TestPolicyOfTheCommandLine(t *testing.T) {
	for cmdline, want := range map[string]struct{ policy, says string }{
		"":                                    {"auto-reboot", ""},
		"rayos.watchdog_policy=recovery-boot": {"recovery-boot", ""},
		"rayos.watchdog_policy=bark":          {"auto-reboot", `rayos.watchdog_policy: there is no watchdog policy "bark"; there are auto-reboot, `},
	} {
		b, _, out := newBoot(t, nil)
		b.args, _ = bootargs.Parse(cmdline)
		b.takeOverWatchdog()
		if got := b.guard.Status().Policy; got != want.policy {
			t.Errorf("%q: %s", cmdline, got)
		}
		wantLines(t, out, want.says)
	}
}
