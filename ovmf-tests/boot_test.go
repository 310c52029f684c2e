//go:build ovmf

package ovmftests

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestDefaultEntry is the way of an untouched machine, from power-on to the blessed boot, and on to an orderly end.
func TestDefaultEntry(t *testing.T) {
	t.Parallel()
	m := bootRayOS(t)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=rayos, kind=bls"),
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=rayos-safe, kind=bls"),
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=rayos-slot, kind=slot"),
		harness.Text("RayOS starts in 5 s."),
		harness.Text("RayOS starts in 1 s."),
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default"),
		harness.Marker("[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:MEMORY_READY] seq=1, entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:SUBSYSTEMS_READY] seq=2, entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN] seq=4, entry=rayos"),
		harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos"),
	)
	m.Never(harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED]"), harness.Marker("[RAYOS_BOOTMGR:ENTRIES_DROPPED]"))
	m.Type("cat /proc/cmdline\r")
	m.Expect(harness.Text(commandLine))
	m.Type("poweroff\r")
	m.ExpectOff()
}

// TestSerialKeys chooses an entry on the serial line and changes its command line for this boot.
func TestSerialKeys(t *testing.T) {
	t.Parallel()
	m := bootRayOS(t)
	m.Expect(menuCounts)
	m.Type(harness.SerialDown)
	m.Expect(highlighted(2), menuWaits)
	m.Type("j")
	m.Expect(highlighted(3))
	m.Type(harness.SerialUp)
	m.Expect(highlighted(2))
	m.Type("e")
	m.Expect(harness.Text("Command line of RayOS (safe mode)"), harness.Text("Esc back to the menu"))
	m.Type(" test.typed=1" + harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-safe, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-safe"),
		shellPrompt,
	)
	m.Type("cat /proc/cmdline\r")
	m.Finish(harness.Pattern(`rayos\.safe .*test\.typed=1$`))
}

// TestKeyboardKeysBootKernelSlot chooses an entry on the emulated keyboard. The entry is a kernel slot of the raw partition.
func TestKeyboardKeysBootKernelSlot(t *testing.T) {
	t.Parallel()
	m := bootRayOS(t)
	m.Expect(menuCounts)
	m.Press(qemu.KeyDown)
	m.Expect(highlighted(2), menuWaits)
	m.Press("1")
	m.Expect(highlighted(1))
	m.Press("3")
	m.Expect(highlighted(3))
	m.Press("k")
	m.Expect(highlighted(2))
	m.Press("j")
	m.Expect(highlighted(3))
	m.Press(qemu.KeyEnter)
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-slot, reason=user"))
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos-slot"))
}

// TestDamagedKernelSlot boots from a slot in which one byte is not as its digest says.
func TestDamagedKernelSlot(t *testing.T) {
	t.Parallel()
	disk := rayosDisk(t, 512)
	const slot0 = 821248*512 + 256<<20 // docs/on-disk.md: partition 2, and the first image area in it
	harness.Run(t, "qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a "+itoa(slot0+4<<20)+" 512", disk.Path)
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Expect(menuCounts)
	m.Type("3" + harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-slot, reason=user"),
		harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=rayos-slot, stage=verify"),
		harness.Text("did not start"), // in front of a person the menu comes back
	)
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=fallback"))
}

// TestRecoveryKey starts the entry that is there for recovery.
func TestRecoveryKey(t *testing.T) {
	t.Parallel()
	m := bootRayOS(t)
	m.Expect(menuCounts)
	m.Type("r")
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-safe, reason=user"))
}

// TestFirmwareSetup enters the firmware's setup by its key.
func TestFirmwareSetup(t *testing.T) {
	t.Parallel()
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}}, Reboots: true})
	m.Expect(menuCounts)
	m.Type("f")
	m.Finish(harness.Text("Boot Maintenance Manager"))
}

// TestRayimgRun boots the image of a user who gave no option by the user's command.
func TestRayimgRun(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), harness.Artifact(t, "rayimg"), "run", "--snapshot", "--until", "SHELL_READY",
		"--timeout", harness.Patience.String(), userImage(t))
	out, err := cmd.CombinedOutput()
	t.Logf("%s:\n%s", cmd, out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos") {
		t.Error("no marker in the output")
	}
}
