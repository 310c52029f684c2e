//go:build ovmf

package ovmftests

import (
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestBootLoopToGolden has three entries that fail in turn: exactly nine failed boots, then golden, whose good boot
// takes the counters back.
func TestBootLoopToGolden(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{
			{name: "a", options: "reset"},
			{name: "b", options: "SUBSYSTEMS_READY reset"},
			{name: "c", options: "SUBSYSTEMS_READY SHELL_READY reset"},
		},
		goldens: []string{good},
	}.disk(t)
	m := start(t, disk)
	for i, e := range []struct{ id, stage string }{{"a", "start"}, {"b", "SUBSYSTEMS_READY"}, {"c", "SHELL_READY"}} {
		for count := 1; count <= 3; count++ {
			m.Expect(selected(e.id), says("reset"), failed(e.id, count, e.stage, cause(count)))
		}
		m.Expect(disabled(e.id, i+1))
	}
	m.Expect(
		harness.Marker("[RAYOS_BOOT_MARKER:RECOVERY_TRIGGERED] reason=failures"),
		selected("golden"), fallback(1, "failures"), blessed,
	)
	m.ExpectOff()
	if n := m.Count(says("reset")); n != 9 {
		t.Errorf("%d boots failed", n)
	}
	r := remembered(t, disk).Record
	if r.Disablings != 0 || r.RecoveryAttempts != 0 || r.Recovery != "" || r.Open.Kind != record.NoAttempt {
		t.Errorf("afterwards: %+v", r)
	}
}

// cause is what the third crash at the same stage is called, and the two before it.
func cause(count int) string {
	if count == 3 {
		return "stuck"
	}
	return "crash"
}

// TestBootLoopOneEntry has no other entry to turn to.
func TestBootLoopOneEntry(t *testing.T) {
	t.Parallel()
	m := start(t, loop{entries: []loopEntry{{name: "only", options: "reset"}}, goldens: []string{good}}.disk(t))
	for count := 1; count <= 3; count++ {
		m.Expect(selected("only"), says("reset"), failed("only", count, "start", cause(count)))
	}
	m.Expect(
		disabled("only", 1),
		harness.Marker("[RAYOS_BOOT_MARKER:RECOVERY_TRIGGERED] reason=no-entry"),
		fallback(1, "no-entry"), blessed,
	)
	m.ExpectOff()
}

// TestBootLoopShellDies has a system that comes up and dies before it is blessed, every time.
func TestBootLoopShellDies(t *testing.T) {
	t.Parallel()
	const dies = "SUBSYSTEMS_READY SHELL_READY reset"
	m := start(t, loop{entries: []loopEntry{{name: "dies", options: dies}}, goldens: []string{good}}.disk(t))
	for count := 1; count <= 3; count++ {
		m.Expect(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=dies"), failed("dies", count, "SHELL_READY", cause(count)))
	}
	m.Expect(fallback(1, "no-entry"), blessed)
	m.ExpectOff()
}

// TestBootLoopGoldenDies stops at the menu: after three starts of golden snapshots there is no fourth.
func TestBootLoopGoldenDies(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "off", options: "reset"}},
		goldens: []string{"reset"},
		record:  &record.Record{Recovery: markers.RecoverOperator},
	}.disk(t)
	m := start(t, disk)
	for attempt := 1; attempt <= 3; attempt++ {
		m.Expect(fallback(attempt, "operator"), says("reset"))
	}
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:STOPPED]"), menuWaits)
	m.Reset()
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:STOPPED]"))
	m.Finish(menuWaits) // still, after another start
	if n := m.Count(says("reset")); n != 3 {
		t.Errorf("%d starts", n)
	}
}

// TestBootLoopPanic has a real kernel that finds no root file system.
func TestBootLoopPanic(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "panics", image: "vmlinuz", options: "console=ttyS0,115200 quiet panic=-1 root=/dev/nowhere"}},
		goldens: []string{good},
		files:   map[string]string{"vmlinuz": kernel(t)},
	}.disk(t)
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}, Reboots: true, Crashes: true})
	for count := 1; count <= 3; count++ {
		m.Expect(selected("panics"), harness.Text("Kernel panic - not syncing"), failed("panics", count, "start", cause(count)))
	}
	m.Expect(fallback(1, "no-entry"), blessed)
	m.ExpectOff()
}

// TestBootLoopReturns has an image that comes back: no reset is needed to go on.
func TestBootLoopReturns(t *testing.T) {
	t.Parallel()
	m := start(t, loop{entries: []loopEntry{{name: "a", options: "return"}, {name: "b", options: good}}}.disk(t))
	m.Expect(selected("a"), failed("a", 1, "start", "start-error"), selected("b"), blessed)
	m.ExpectOff()
	m.Never(harness.Text("[qemu] RESET guest-reset"))
}
