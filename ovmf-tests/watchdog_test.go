//go:build ovmf

package ovmftests

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// hardware is a machine's watchdog.
type hardware struct {
	module string   // of Linux
	extra  []string // QEMU's arguments
}

// everyWatchdog runs a test with each kind of watchdog that the boot manager arms; the short version has one of them, unless
// that is "". A machine with one of the other two has the TCO as well, as real ones do.
func everyWatchdog(t *testing.T, short string, test func(t *testing.T, h hardware)) {
	t.Parallel()
	tco := []string{"-action", "watchdog=reset", "-global", "ICH9-LPC.noreboot=off"}
	table := harness.WriteFile(t, string(watchdogtest.QEMUTable().Encode()))
	for _, h := range []hardware{
		{"iTCO_wdt", tco},
		{"i6300esb", append(tco[:len(tco):len(tco)], "-device", "i6300esb")},
		{"wdat_wdt", append(tco[:len(tco):len(tco)], "-acpitable", "file="+table)},
	} {
		if !*long && short != "" && short != h.module {
			continue
		}
		t.Run(h.module, func(t *testing.T) {
			t.Parallel()
			test(t, h)
		})
	}
}

// esb is the watchdog of tests for which one kind is as good as another.
var esb = hardware{"i6300esb", []string{"-action", "watchdog=reset", "-device", "i6300esb"}}

// armed expects that the boot manager armed it, taken that the runtime took it over.
func (h hardware) armed(seconds int) harness.Expectation {
	return harness.Marker(fmt.Sprintf("[RAYOS_BOOTMGR:WATCHDOG_ARMED] device=%s, seconds=%d", h.module, seconds))
}

func (h hardware) taken() harness.Expectation {
	return harness.Marker(fmt.Sprintf("[RAYOS_WATCHDOG:ARMED] device=%s, seconds=30, reason=takeover", h.module))
}

// watchedDisk is a RayOS disk as users have it, with these words on its command line besides.
func watchedDisk(t *testing.T, words string) qemu.Disk {
	t.Helper()
	options := "console=ttyS0,115200 panic=10 quiet watchdog.open_timeout=30 " + words
	image := shared(t, fmt.Sprintf("watched-%x.img", sha256.Sum256([]byte(words))), func(path string) {
		harness.Run(t, harness.Artifact(t, "rayimg"), "build", path, "--cmdline", options, "--seed", "ovmf-tests")
	})
	return qemu.Disk{Path: harness.Overlay(t, image), Format: "qcow2"}
}

// start starts a machine with the watchdog; one that may reset, if reboots says so.
func (h hardware) start(t *testing.T, disk qemu.Disk, reboots bool) *harness.Machine {
	t.Helper()
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}, Extra: h.extra}, Reboots: reboots})
}

// startHurried is start for a machine whose clock jumps to the next timer when its processor has nothing to do, so that a
// minute of waiting takes a second. A disk that takes its time seems to take very much of it, so the host keeps what is
// written in its memory.
func (h hardware) startHurried(t *testing.T, disk qemu.Disk, s harness.Spec) *harness.Machine {
	t.Helper()
	s.Machine = qemu.Machine{
		Disks: []qemu.Disk{disk}, KVM: qemu.KVMOff,
		Extra: append(h.extra[:len(h.extra):len(h.extra)], "-icount", "shift=1,sleep=off", "-set", "drive.disk0.cache=unsafe"),
	}
	return harness.Start(t, s)
}

// TestWatchdogFed holds out until GOLDEN, which is longer than the watchdog does: one of 30 s takes up to 60 s where Linux
// drives the TCO. A reset would end the machine. It then switches off with the watchdog armed.
func TestWatchdogFed(t *testing.T) {
	everyWatchdog(t, "i6300esb", func(t *testing.T, h hardware) { // with the TCO, which nobody feeds
		m := h.startHurried(t, watchedDisk(t, "rayos.golden_after=75"), harness.Spec{})
		m.Expect(
			h.armed(30),
			harness.Marker("[RAYOS_BOOT_MARKER:KERNEL_LOADED]"), h.taken(),
			harness.Marker(fmt.Sprintf("[RAYOS_WATCHDOG:KICKED] device=%s, reason=first", h.module)),
			harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY]"),
			harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN]"), blessed,
		)
		m.Never(harness.Text("[qemu] RESET guest-reset"))
		m.Type("poweroff\r")
		m.ExpectOff()
	})
}

// TestWatchdogOrderlyEnds restarts before the boot is good, which is no failure, and switches off.
func TestWatchdogOrderlyEnds(t *testing.T) {
	slow(t) // the short version has an end in TestWatchdogCommand, and a restart in TestBootLoopOrderlyReboot
	everyWatchdog(t, "i6300esb", func(t *testing.T, h hardware) {
		m := h.start(t, watchedDisk(t, "rayos.golden_after=86400"), true)
		m.Expect(h.armed(30), h.taken(), shellPrompt)
		m.Type("reboot\r")
		m.Expect(harness.Text("the machine restarts now"), harness.Text("[qemu] RESET guest-reset"), h.armed(30), h.taken(), shellPrompt)
		m.Type("poweroff\r")
		m.Expect(harness.Text("the machine turns off now"))
		m.Never(harness.Marker("[RAYOS_BOOT_MARKER:FAILURE_COUNT]"))
		m.ExpectOff()
	})
}

// hangs are the options of a kernel that never comes to a userland: it waits for a disk that there is not.
const hangs = "console=ttyS0,115200 quiet watchdog.open_timeout=30 root=/dev/nowhere rootwait"

// TestWatchdogKernelHangs resets a machine whose kernel hangs before any userland. The boot manager counts that as what it
// is, and gives the next start more time.
func TestWatchdogKernelHangs(t *testing.T) {
	everyWatchdog(t, "", func(t *testing.T, h hardware) {
		m := h.start(t, hangingDisk(t), true)
		m.Expect(
			h.armed(30), harness.Text("[qemu] RESET guest-reset"), failed("hangs", 1, "start", "watchdog"),
			selected("hangs"),
		)
		m.Finish(h.armed(60))
	})
}

func hangingDisk(t *testing.T) qemu.Disk {
	t.Helper()
	return loop{
		entries: []loopEntry{{name: "hangs", image: "vmlinuz", options: hangs}},
		goldens: []string{good},
		files:   map[string]string{"vmlinuz": kernel(t)},
	}.disk(t)
}

// TestWatchdogBackoff has a kernel hang in each of its starts, which are given more and more time, until golden is started.
// The ticks of the 6300ESB make 121 s of 120 s.
func TestWatchdogBackoff(t *testing.T) {
	slow(t)
	t.Parallel()
	m := esb.startHurried(t, hangingDisk(t), harness.Spec{Reboots: true})
	for i, c := range []struct {
		seconds int
		cause   string
	}{{30, "watchdog"}, {60, "watchdog"}, {121, "stuck"}} {
		m.Expect(selected("hangs"), esb.armed(c.seconds), harness.Text("[qemu] RESET guest-reset"), failed("hangs", i+1, "start", c.cause))
	}
	m.Expect(disabled("hangs", 1), fallback(1, "no-entry"), blessed)
	m.ExpectOff()
}

// TestWatchdogFails has process 1 see time run out three times in a row: then it has a golden snapshot started, although
// there are other entries.
func TestWatchdogFails(t *testing.T) {
	slow(t)
	t.Parallel()
	disk := watchedDisk(t, "rayos.golden_after=86400")
	m := esb.start(t, disk, false)
	m.Expect(menuCounts)
	m.Type("e")
	m.Expect(harness.Text("Esc back to the menu"))
	m.Type(" rayos.golden_after=1" + harness.SerialEnter)
	m.Expect(blessed, harness.Marker("[RAYOS_BOOTMGR:SNAPSHOT] state=stable"))
	m.Type("poweroff\r")
	m.ExpectOff()

	m = esb.startHurried(t, disk, harness.Spec{Reboots: true})
	for count, cause := range []string{"watchdog", "watchdog", "stuck"} {
		m.Expect(esb.taken(), shellPrompt)
		m.Type(stopShell)
		m.Expect(
			harness.Marker(fmt.Sprintf("[RAYOS_WATCHDOG:EXPIRED] service=shell, policy=auto-reboot, count=%d, limit=3", count+1)),
			harness.Text("[qemu] RESET guest-reset"), failed("rayos", count+1, "SHELL_READY", cause),
		)
	}
	m.Expect(disabled("rayos", 1), fallback(1, "operator"), esb.armed(121), shellPrompt)
	m.Finish(blessed)
}

// TestWatchdogCommand has a person look at the watchdog, feed it, and stop it: the machine then lives for longer than the
// watchdog would let it.
func TestWatchdogCommand(t *testing.T) {
	everyWatchdog(t, "i6300esb", func(t *testing.T, h hardware) {
		m := h.startHurried(t, watchedDisk(t, "rayos.golden_after=86400"), harness.Spec{})
		m.Expect(h.taken(), shellPrompt)
		m.Type("watchdog status\r")
		m.Expect(
			harness.Pattern(`^\[RAYOS_WATCHDOG\] Status:$`), harness.Pattern("^State: Armed$"), harness.Pattern("^Timeout: 30000 ms$"),
			harness.Pattern("^Time Remaining: (2[0-9]|30)[0-9]{3} ms$"), harness.Pattern("^Consecutive Failures: 0$"),
			harness.Pattern("^Device: "+h.module+"$"), harness.Pattern("^Services: init, shell$"), shellPrompt,
		)
		m.Type("watchdog kick\r")
		m.Expect(harness.Marker("[RAYOS_WATCHDOG:KICKED] reason=command"), shellPrompt)
		m.Type("watchdog disarm; sleep 75; watchdog status\r")
		m.Expect(harness.Text("The watchdog is stopped"), harness.Pattern("^State: Disarmed$"), shellPrompt)
		m.Type("watchdog arm\r")
		m.Expect(harness.Marker("[RAYOS_WATCHDOG:ARMED] seconds=30, reason=command"))
		m.Type("poweroff\r")
		m.ExpectOff()
	})
}

// stopShell stops the shell of the machine's only console. Nobody can work with the machine any more.
const stopShell = "kill -STOP $$\r"

// TestWatchdogDeadService has the machine's only shell stop, or a program that should give a sign of life: process 1 goes on,
// feeds the watchdog no more, and that resets the machine.
func TestWatchdogDeadService(t *testing.T) {
	slow(t) // the short version has the shell in TestWatchdogHalts
	t.Parallel()
	for name, command := range map[string]string{
		"shell": stopShell,
		"quiet": "services add quiet --beat 20s -- /bin/sleep 100000\r",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := esb.startHurried(t, watchedDisk(t, "rayos.golden_after=86400"), harness.Spec{Reboots: true})
			m.Expect(esb.taken(), shellPrompt)
			m.Type(command)
			m.Expect(
				harness.Marker("[RAYOS_WATCHDOG:EXPIRED] service="+name+", policy=auto-reboot, count=1, limit=3"),
				harness.Text("does not answer: "+name+" (silent for "), harness.Text("[qemu] RESET guest-reset"),
				failed("rayos", 1, "SHELL_READY", "watchdog"),
			)
			m.Finish(esb.armed(60))
		})
	}
}

// TestWatchdogHalts stops a machine where it stands, if the policy is that; who presses the reset button starts it anew.
func TestWatchdogHalts(t *testing.T) {
	t.Parallel()
	m := esb.startHurried(t, watchedDisk(t, "rayos.golden_after=86400"), harness.Spec{Reboots: true})
	m.Expect(esb.taken(), shellPrompt)
	m.Type("watchdog policy halt\r")
	m.Expect(harness.Text("The policy is halt"), shellPrompt)
	m.Type(stopShell)
	m.Expect(
		harness.Marker("[RAYOS_WATCHDOG:EXPIRED] service=shell, policy=halt"),
		harness.Text("the machine stands still for somebody to look at it"), harness.Text("reboot: System halted"),
	)
	m.Never(harness.Text("[qemu] RESET guest-reset"))
	m.Reset()
	m.Finish(failed("rayos", 1, "SHELL_READY", "crash"))
}

// freezeInit freezes process 1 with all its threads; no signal does that.
const freezeInit = "mkdir /tmp/c && mount -t cgroup2 none /tmp/c && mkdir /tmp/c/x && echo 1 >/tmp/c/x/cgroup.procs && echo 1 >/tmp/c/x/cgroup.freeze\r"

// TestWatchdogInitHangs has process 1 hang, which feeds the watchdog and says what hangs: nothing is said, and the machine is
// reset.
func TestWatchdogInitHangs(t *testing.T) {
	everyWatchdog(t, "wdat_wdt", func(t *testing.T, h hardware) {
		m := h.startHurried(t, watchedDisk(t, "rayos.golden_after=86400"), harness.Spec{Reboots: true})
		m.Expect(h.taken(), shellPrompt)
		m.Type(freezeInit)
		m.Expect(harness.Text("[qemu] RESET guest-reset"), failed("rayos", 1, "SHELL_READY", "watchdog"))
		m.Never(harness.Marker("[RAYOS_WATCHDOG:EXPIRED]"))
		m.Finish(h.armed(60))
	})
}

// TestWatchdogDump leaves in the machine's error record store what hung, before the watchdog resets the machine, and the next
// boot puts that into the log. A kernel that has panicked keeps its processor busy, so this machine is not hurried.
func TestWatchdogDump(t *testing.T) {
	slow(t)
	t.Parallel()
	const storeBytes = 64 << 10
	store := zeros(t, storeBytes)
	dumps := hardware{esb.module, append(
		esb.extra[:len(esb.extra):len(esb.extra)],
		"-object", fmt.Sprintf("memory-backend-file,id=store,mem-path=%s,size=%d,share=on", store, storeBytes),
		"-device", "acpi-erst,memdev=store",
	)}
	disk := watchedDisk(t, "rayos.golden_after=86400 rayos.watchdog_policy=dump-then-reboot")
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}, Extra: dumps.extra}, Reboots: true, Crashes: true})
	m.Expect(dumps.taken(), shellPrompt)
	m.Type(stopShell)
	m.Expect(
		harness.Marker("[RAYOS_WATCHDOG:EXPIRED] service=shell, policy=dump-then-reboot"),
		harness.Text("Kernel panic - not syncing: sysrq triggered crash"), harness.Text("[qemu] RESET guest-reset"),
	)
	m.Expect(failed("rayos", 1, "SHELL_READY", "watchdog"), harness.Text("the kernel's last words"), shellPrompt)
	m.Type("log show --boot -1 --source pstore\r")
	m.Expect(harness.Text("does not answer: shell"))
	m.Finish(harness.Text("sysrq triggered crash"))
}
