//go:build ovmf

package ovmftests

import (
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestCommands asks the commands for operators, one after the other, on a machine that is up.
func TestCommands(t *testing.T) {
	t.Parallel()
	m := bootToShell(t, harness.Spec{Machine: qemu.Machine{
		Disks: []qemu.Disk{rayosDisk(t, 512)}, Extra: []string{"-action", "watchdog=reset", "-device", "i6300esb"},
	}})
	m.Expect(blessed, harness.Marker("[RAYOS_BOOTMGR:SNAPSHOT] state=stable"), shellPrompt)
	for _, c := range []struct {
		command string
		wants   []harness.Expectation
	}{
		{"bootmgr li\t", []harness.Expectation{harness.Pattern(`^ *rayos `), harness.Pattern(`^ *rayos-safe `), harness.Pattern(`^ *rayos-slot `)}},
		{"bootmgr set-def\trayos-sl\t--js\t", []harness.Expectation{harness.Text(`"text": "rayos-slot is the default."`)}},
		{"watchdog arm; watchdog status", []harness.Expectation{harness.Pattern(`^\[RAYOS_WATCHDOG\] Status:$`), harness.Pattern(`^State: Armed$`)}},
		{"log show -n 5", []harness.Expectation{harness.Text("[RAYOS_LOG] Recent entries:"), harness.Pattern(`^\[\d+ms\] INFO: init: `), harness.Pattern(`^Usage: `)}},
		{"recovery status; recovery list", []harness.Expectation{harness.Text("Golden snapshots: 1"), harness.Pattern(`stable`)}},
	} {
		m.Type(c.command + "\r")
		m.Expect(c.wants...)
		m.Expect(shellPrompt)
	}
	m.PowerButton()
	m.Expect(harness.Text("rayos: the power button was pressed"), harness.Text("the machine turns off now"))
	m.ExpectOff()
}
