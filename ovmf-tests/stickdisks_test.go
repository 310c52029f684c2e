//go:build ovmf

package ovmftests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestStickBesideTrouble has a clone of the stick, a read-only disk, ones that are too small, and more disks than are listed,
// all in one machine.
func TestStickBesideTrouble(t *testing.T) {
	t.Parallel()
	from, clone := stick(t), stick(t)
	clone.Bus = qemu.AHCI
	machine := qemu.Machine{Disks: []qemu.Disk{from, clone}}
	const small = 16
	for i := range small {
		path := filepath.Join(t.TempDir(), fmt.Sprintf("small%d.img", i))
		if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		machine.Disks = append(machine.Disks, qemu.Disk{Path: path, ReadOnly: i == 0})
	}
	m := harness.Start(t, harness.Spec{Machine: machine})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISKS_DROPPED] count=2, limit=16"),
		harness.Text("There are 2 more: "),
		harness.Text("Name of the disk to install onto"),
	)
	m.Type("q\r")
	m.Expect(shellPrompt)
	m.Type("install --to vda --internal --yes vda; install --to vdb --internal --yes vdb\r")
	m.Expect(
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk=vda"),
		harness.Text("vda is not written: it is read-only"),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk=vdb"),
		harness.Text("disk is too small"),
		shellPrompt,
	)
	m.Type("poweroff\r")
	m.ExpectOff()
}
