package pid1

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/ptytest"
	"github.com/rayos/rayboot/initramfs/shell"
	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/markers"
)

const watchdogVariable = "sys/firmware/efi/efivars/RayosWatchdog-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"

// armedMachine are the files of a machine whose boot manager has armed the 6300ESB,
// beside which the chipset has a watchdog too.
func armedMachine() map[string]string {
	files := bootedMachine()
	maps.Copy(files, map[string]string{
		watchdogVariable:                        efiText("i6300esb"),
		"sys/class/watchdog/watchdog0/identity": "iTCO_wdt\n",
		"sys/class/watchdog/watchdog1/identity": "i6300ESB timer\n",
	})
	return files
}

// recordedTimer is a timer whose use is recorded among what is asked of the kernel.
type recordedTimer struct{ k *fakeKernel }

func (r recordedTimer) SetTimeout(d time.Duration) (time.Duration, error) {
	return d, r.k.ask("watchdog timeout %v", d)
}
func (r recordedTimer) Feed() error { return r.k.ask("watchdog feed") }
func (r recordedTimer) Stop() error { return r.k.ask("watchdog stop") }

// withTimer makes the boot use a recorded timer, which cannot be opened so many
// times.
func withTimer(b *boot, k *fakeKernel, fails int) {
	b.guard.open = func(i watchdog.Info) (watchdog.Timer, error) {
		if err := k.ask("watchdog open %s", i.Name); err != nil || fails == 0 {
			return recordedTimer{k}, err
		}
		fails--
		return nil, unix.ENODEV
	}
}

const takenOver = "[RAYOS_WATCHDOG:ARMED] device=i6300esb, seconds=30, reason=takeover\r\n"

// TestTakeOver is done before anything else that may hang: the drivers come before
// all others, and the device is opened at once.
func TestTakeOver(t *testing.T) {
	b, k, terminal := newMachine(t, armedMachine())
	withTimer(b, k, 0)
	addDisk(t, b.root)
	k.onMount = mountESP(t, installID)
	b.bringUp()
	terminal.Expect("KERNEL_LOADED] seq=0")
	terminal.Expect(takenOver + "[RAYOS_WATCHDOG:KICKED] device=i6300esb, reason=first\r\n")
	terminal.Expect("MEMORY_READY] seq=1")
	terminal.Expect("SUBSYSTEMS_READY] seq=2")
	wantSame(t, "loaded", k.only("load"), []string{"efivarfs.ko", "i6300esb.ko", "virtio.ko", "drm.ko", "bochs.ko"})
	opened := slices.Index(k.asked, "watchdog open watchdog1")
	if opened < 0 || opened > slices.Index(k.asked, "load virtio.ko") || opened < slices.Index(k.asked, "load i6300esb.ko") {
		t.Errorf("what was asked for: %q", k.asked)
	}
	if names := b.guard.Status().Services; !slices.Equal(names, []string{serviceBringUp}) {
		t.Errorf("watched: %q", names)
	}
	stop := serve(t, b)
	terminal.Expect("SHELL_READY")
	if s := b.guard.Status(); s.State != "Armed" || !slices.Equal(s.Services, []string{serviceInit, serviceShell}) || len(s.Dead) != 0 {
		t.Errorf("status: %+v", s)
	}
	stop(SignalPowerOff)
}

// TestOtherWatchdogs are stopped where the kernel would feed them for a while only;
// a machine of which none is taken over has them stopped too.
func TestOtherWatchdogs(t *testing.T) {
	for _, c := range []struct {
		name, cmdline, missing string
		watchdog               []string
		says                   string
	}{
		{"for ever", "", "", []string{"open watchdog1", "timeout 30s", "feed"}, takenOver},
		{
			"for a while", "watchdog.open_timeout=30", "",
			[]string{"open watchdog1", "timeout 30s", "feed", "open watchdog0", "stop"},
			takenOver,
		},
		{
			"not taken over", "watchdog.open_timeout=30", watchdogVariable,
			[]string{"open watchdog0", "stop", "open watchdog1", "stop"},
			"kernel modules:",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := armedMachine()
			files["proc/cmdline"] = c.cmdline + " rayos.disk_wait=0\n"
			delete(files, c.missing)
			b, k, terminal := newMachine(t, files)
			withTimer(b, k, 0)
			b.bringUp()
			terminal.Expect(c.says)
			terminal.Expect("SUBSYSTEMS_READY] seq=2")
			wantSame(t, "watchdog", k.only("watchdog"), c.watchdog)
		})
	}
}

func TestOtherWatchdogThatDoesNotStop(t *testing.T) {
	files := armedMachine()
	files["proc/cmdline"] = "watchdog.open_timeout=30 rayos.disk_wait=0\n"
	b, k, terminal := newMachine(t, files)
	withTimer(b, k, 0)
	k.errs["watchdog stop"] = unix.EBUSY
	b.bringUp()
	terminal.Expect("rayos: device or resource busy; nobody feeds this watchdog, and it may reset the machine\r\n")
}

// TestNothingToTakeOver leaves the machine's watchdogs alone, until somebody asks.
func TestNothingToTakeOver(t *testing.T) {
	files := armedMachine()
	delete(files, watchdogVariable)
	b, k, terminal := newMachine(t, files)
	withTimer(b, k, 0)
	b.bringUp()
	terminal.Expect("SUBSYSTEMS_READY] seq=2")
	wantSame(t, "watchdog", k.only("watchdog"), nil)
	if _, err := watchdog.Ask(b.root, watchdog.Request{Verb: watchdog.VerbArm}); err != nil {
		t.Error(err)
	}
	terminal.Expect("[RAYOS_WATCHDOG:ARMED] device=i6300esb, seconds=30, reason=command\r\n")
	wantSame(t, "watchdog", k.only("watchdog"), []string{"open watchdog1", "timeout 30s"})
}

func TestTakeOverWithTroubles(t *testing.T) {
	for _, c := range []struct {
		name, cmdline string
		missing       string // file
		fails         int
		says          []string
		watchdog      []string
	}{
		{
			"safe mode", "rayos.safe", "", 0,
			[]string{"safe mode: the modules of watchdog are loaded all the same, as the boot manager has armed the watchdog", takenOver},
			[]string{"open watchdog1", "timeout 30s", "feed"},
		},
		{
			"skipped", "rayos.skip=watchdog", "", 0,
			[]string{"has armed the watchdog i6300esb, which resets the machine: the kernel command line has rayos.skip=watchdog"},
			nil,
		},
		{
			"no driver", "", "sys/class/watchdog/watchdog1/identity", 0,
			[]string{
				"watchdog i6300esb is not among those of Linux, which are: watchdog0 (iTCO_wdt); it is looked for again when all drivers are loaded",
				"kernel modules: 5 loaded", "which are: watchdog0 (iTCO_wdt); it resets the machine, or nothing watches it",
			},
			nil,
		},
		{
			"at the second time", "", "", 1,
			[]string{"take over the watchdog i6300esb that the boot manager has armed: no such device", "kernel modules:", takenOver},
			[]string{"open watchdog1", "open watchdog1", "timeout 30s", "feed"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := armedMachine()
			files["proc/cmdline"] = c.cmdline + " rayos.disk_wait=0\n"
			delete(files, c.missing)
			b, k, terminal := newMachine(t, files)
			withTimer(b, k, c.fails)
			b.bringUp()
			for _, text := range c.says {
				terminal.Expect(text)
			}
			terminal.Expect("SUBSYSTEMS_READY] seq=2")
			wantSame(t, "watchdog", k.only("watchdog"), c.watchdog)
		})
	}
}

// countedMachine is one whose attempt is recorded, after so many time-outs.
func countedMachine(t *testing.T, timeouts int) (*boot, *fakeKernel, *ptytest.Terminal) {
	t.Helper()
	files := armedMachine()
	files[attemptVariable] = efiText(nonce.String())
	files["proc/sysrq-trigger"], files["proc/sys/kernel/panic"], files["proc/sys/kernel/printk_devkmsg"] = "", "10", "ratelimit"
	files["dev/kmsg"] = ""
	b, k, terminal := newMachine(t, files)
	withTimer(b, k, 0)
	addDisk(t, b.root)
	k.onMount = mountESP(t, installID)
	r := esptest.Attempted(installID, "rayos", nonce)
	r.Backoff = timeouts
	esptest.Write(t, b.device("vda1"), r)
	b.bringUp()
	return b, k, terminal
}

// TestBackoff takes the time-out from the record, and forgets it when the boot is
// good.
func TestBackoff(t *testing.T) {
	b, k, terminal := countedMachine(t, 2)
	terminal.Expect("SUBSYSTEMS_READY")
	if s := b.guard.Status(); s.Failures != 2 || s.Timeout != 120_000 {
		t.Errorf("status %+v", s)
	}
	stop := serve(t, b)
	terminal.Expect("BOOT_SUCCESS")
	stop(SignalRestart)
	if s := b.guard.Status(); s.Failures != 0 || s.Timeout != 30_000 {
		t.Errorf("status %+v", s)
	}
	wantSame(t, "watchdog", k.only("watchdog"), []string{"open watchdog1", "timeout 30s", "feed", "timeout 2m0s", "timeout 30s"})
}

// TestOrderlyEnds feeds the watchdog for the last time; only who turns the machine
// off stops it, and at the very end.
func TestOrderlyEnds(t *testing.T) {
	for command, want := range map[int][]string{
		unix.LINUX_REBOOT_CMD_POWER_OFF: {"watchdog timeout 2m0s", "signal 15", "sync", "unmount /my data", "unmount /esp", "sync", "watchdog stop", "power 0x4321fedc"},
		unix.LINUX_REBOOT_CMD_RESTART:   {"watchdog timeout 2m0s", "signal 15", "sync", "unmount /my data", "unmount /esp", "sync", "power 0x1234567"},
	} {
		files := armedMachine()
		files["proc/self/mounts"] = mountTable
		b, k, _ := newBoot(t, files)
		withTimer(b, k, 0)
		b.guard.module = "i6300esb"
		if err := b.guard.Arm(markers.ArmedTakeover); err != nil {
			t.Fatal(err)
		}
		k.asked = nil
		b.shutdown(command)
		wantSame(t, fmt.Sprintf("%#x", command), k.asked, want)
	}
}

func TestOrderlyEndWithATimerThatDoesNotStop(t *testing.T) {
	b, k, out := newBoot(t, armedMachine())
	withTimer(b, k, 0)
	k.errs["watchdog stop"] = unix.EBUSY
	if err := b.guard.Arm(markers.ArmedTakeover); err != nil {
		t.Fatal(err)
	}
	b.shutdown(unix.LINUX_REBOOT_CMD_POWER_OFF)
	wantLines(t, out, "rayos: device or resource busy")
}

// TestShellsAnswer keeps them alive, and only them: the first byte says that one is
// ready.
func TestShellsAnswer(t *testing.T) {
	b, _, _ := newBoot(t, nil)
	var clock atomic.Int64
	b.guard.Guard = watchdog.New(watchdog.Config{Now: func() time.Duration { return time.Duration(clock.Load()) }})
	b.guard.Watch(serviceShell, time.Minute)
	s := &shells{boot: b, events: make(chan shellEvent)}
	ours, theirs, err := controlChannel()
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() { s.listen("ttyS0", ours); close(heard) }()
	clock.Store(int64(time.Hour))
	if dead := b.guard.Status().Dead; len(dead) != 1 {
		t.Errorf("silent for an hour: dead %q", dead)
	}
	if _, err := theirs.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if e := <-s.events; e.console != "ttyS0" || e.control != ours {
		t.Errorf("event %+v", e)
	}
	ping(ours)
	asked := make([]byte, 2)
	if n, err := theirs.Read(asked); n != 1 || asked[0] != shell.Ping {
		t.Errorf("asked %q, %v", asked[:n], err)
	}
	clock.Store(int64(2 * time.Hour))
	if _, err := theirs.Write(asked[:1]); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	<-heard
	if dead := b.guard.Status().Dead; len(dead) != 0 {
		t.Errorf("after an answer: dead %q", dead)
	}
}
