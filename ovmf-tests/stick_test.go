//go:build ovmf

package ovmftests

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// stick returns a throw-away install stick on USB.
func stick(t *testing.T) qemu.Disk {
	t.Helper()
	image := shared(t, "stick.img", func(path string) {
		harness.Run(t, harness.Artifact(t, "rayimg"), "build", path, "--installer", "--cmdline", commandLine, "--seed", "stick")
	})
	return qemu.Disk{Path: harness.Overlay(t, image), Format: "qcow2", Bus: qemu.USB}
}

// occupiedDisk makes a small disk with another system's partitions, and returns the digest of all its bytes.
func occupiedDisk(t *testing.T) (path, digest string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "occupied.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	harness.Run(t, "sgdisk", "-n", "1:2048:+16M", "-t", "1:ef00", "-n", "2:0:0", "-t", "2:8300", path)
	return path, digestOf(t, path)
}

func digestOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// isBlank fails the test if anything was written on a disk that was empty.
func isBlank(t *testing.T, path string) {
	t.Helper()
	out, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if blocks := harness.Run(t, "stat", "-c", "%b", path); blocks != "0\n" {
		t.Errorf("%s: %s blocks of %d bytes were written", path, blocks, out.Size())
	}
}

// maxPeakBytes is how much memory the installer may take.
const maxPeakBytes = 100_000_000

// TestStickInstalls boots a stick beside two blank disks and one with another system, installs onto one of them in the
// dialog, and boots that one alone through the firmware's own boot entry.
func TestStickInstalls(t *testing.T) {
	t.Parallel()
	target, blank := emptyDisk(t, "target.img"), emptyDisk(t, "blank.img")
	occupied, digest := occupiedDisk(t)
	variables := filepath.Join(t.TempDir(), "vars.fd")
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{VarStore: variables, Disks: []qemu.Disk{
		stick(t), {Path: target, Bus: qemu.NVMe}, {Path: blank}, {Path: occupied, Bus: qemu.AHCI},
	}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-install, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"),
		harness.Text("no golden snapshot is taken of this boot: the installer"),
	)
	m.Expect(
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=nvme0n1, bus=nvme, bytes=80000000000"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=sda, bus=sata, bytes=67108864"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:USB] disk=sdb"),
		harness.Text("not written: this system runs from it"),
		harness.Text("Name of the disk to install onto"),
	)
	for _, c := range []struct{ says, answer string }{
		{"", "sdb"},
		{"sdb is not written: this system runs from it", ""},
		{"Name of the disk to install onto", "sda"},
		{"it is a part of this machine (sata)", "yes"},
		{"Type erase to lose all of it", "no"},
		{"nothing was written", ""},
		{"Name of the disk to install onto", "nvme0n1"},
		{"it is a part of this machine (nvme)", "yes"},
		{"type the disk's serial number, disk1: ", "disk2"},
		{"not confirmed; nothing was written", ""},
		{"Name of the disk to install onto", "nvme0n1"},
		{"it is a part of this machine (nvme)", "yes"},
		{"type the disk's serial number, disk1: ", "disk1"},
	} {
		if c.says != "" {
			m.Expect(harness.Text(c.says))
		}
		if c.answer != "" {
			m.Type(c.answer + "\r")
		}
	}
	m.Expect(
		harness.Pattern(`write EFI system partition: .* of .*, .*/s, .* left`),
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=nvme0n1, number=1, name="EFI System"`),
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=nvme0n1, number=5, name="Windows Guest"`),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_COMPLETE] disk=nvme0n1"),
		harness.Text("the firmware starts it first: Boot00"),
		harness.Text("Type p to power off"),
	)
	m.Type("\r")
	m.Expect(shellPrompt)
	m.Type("install --verify nvme0n1; install --to sda --internal --erase --yes QM00007; install --to nvme0n1 --internal --erase --json --yes disk1 | grep 'peakBytes|bootEntry'\r")
	m.Expect(
		harness.Text("nvme0n1: no problems"),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk=sda"),
		harness.Pattern(`"bootEntry": "Boot00`),
	)
	peak := m.Expect(harness.Pattern(`"peakBytes": [0-9]+`))
	if n, err := strconv.Atoi(regexp.MustCompile(`[0-9]+`).FindString(peak)); err != nil || n > maxPeakBytes {
		t.Errorf("the installer takes %d bytes of memory, more than %d (%v)", n, maxPeakBytes, err)
	}
	m.Expect(shellPrompt)
	m.Type("poweroff\r")
	m.ExpectOff()
	if got := digestOf(t, occupied); got != digest {
		t.Error("the disk with another system was written")
	}
	isBlank(t, blank)

	m = harness.Start(t, harness.Spec{Machine: qemu.Machine{VarStore: variables, Disks: []qemu.Disk{{Path: target, Bus: qemu.NVMe}}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN] entry=rayos"),
		blessed, shellPrompt,
	)
	m.Type("n=$(hexdump /sys/firmware/efi/efivars/BootCurrent-*); echo current $n; hexdump /sys/firmware/efi/efivars/Boot000*\r")
	m.Expect(shellPrompt)
	m.Type("poweroff\r")
	m.ExpectOff()
	verify(t, target)
}
