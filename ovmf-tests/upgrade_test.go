//go:build ovmf

package ovmftests

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// upgrade upgrades a disk, as a user does, to another kernel with this command line.
func upgrade(t *testing.T, path, kernelSuffix, options string, more ...string) {
	t.Helper()
	data, err := os.ReadFile(kernel(t))
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(other, append(data, kernelSuffix...), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Run(t, harness.Artifact(t, "rayimg"), append([]string{
		"upgrade", path, "--yes", filepath.Base(path),
		"--kernel", other, "--initrd", initrd(t), "--cmdline", options,
	}, more...)...)
}

// TestUpgrade upgrades an installed disk to a good version, which boots and is blessed, and
// then to a bad one, which panics: the machine comes back to the good one by itself, and stays
// with it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	upgradeTwice(t, 512)
}

// TestUpgradeSigned is TestUpgrade on a disk of 4096-byte sectors, whose boot manager uses only golden snapshots that are
// signed: no machine can sign the snapshot of a good boot, but the next upgrade does.
func TestUpgradeSigned(t *testing.T) {
	slow(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	harness.Run(t, "openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
	upgradeTwice(t, 4096, "--golden-key", key)
}

func upgradeTwice(t *testing.T, sectorSize int, options ...string) {
	t.Helper()
	path := emptyDisk(t, "disk.img")
	install(t, path, append([]string{"--sector-size", strconv.Itoa(sectorSize)}, options...)...)
	disk := qemu.Disk{Path: path, Bus: qemu.NVMe, LogicalSector: sectorSize}

	upgrade(t, path, "good", commandLine+" version=2", options...)
	verify(t, path)
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(selected("rayos"), blessed)
	if len(options) == 0 {
		m.Expect(harness.Marker("[RAYOS_BOOTMGR:SNAPSHOT] state=stable"))
	}
	m.Expect(shellPrompt)
	m.Type("recovery snapshot; cat /proc/cmdline; poweroff\r")
	m.Expect(harness.Pattern(` version=2$`))
	m.ExpectOff()
	if len(options) == 0 {
		verify(t, path)
	}

	upgrade(t, path, "bad", "console=ttyS0,115200 quiet panic=-1 rdinit=/nowhere", options...)
	verify(t, path)
	m = harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}, Reboots: true, Crashes: true})
	for count := 1; count <= 3; count++ {
		m.Expect(selected("rayos"), harness.Text("Kernel panic - not syncing"), failed("rayos", count, "start", cause(count)))
	}
	m.Expect(disabled("rayos", 1), selected("rayos-old"), harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos-old"), shellPrompt)
	m.Type("cat /proc/cmdline; poweroff\r")
	m.Expect(harness.Pattern(` version=2$`))
	m.ExpectOff()
	verify(t, path)

	m = harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Finish(selected("rayos-old"))
	list := harness.Run(t, harness.Artifact(t, "rayimg"), "bootmgr", "list", path)
	if !strings.Contains(list, "rayos-old") {
		t.Error(list)
	}
}
