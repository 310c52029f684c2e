//go:build ovmf

package ovmftests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/peertest"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// emptyDisk makes a file that stands in for a disk.
func emptyDisk(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, gpt.MinDiskBytes); err != nil {
		t.Fatal(err)
	}
	return path
}

// install installs RayOS onto a file, as a user does onto a disk.
func install(t *testing.T, path string, options ...string) {
	t.Helper()
	harness.Run(t, harness.Artifact(t, "rayimg"), append([]string{
		"install", "--to", path, "--yes", filepath.Base(path), "--cmdline", commandLine,
	}, options...)...)
}

// bootInstalled starts a machine with disks and nothing else, and waits until it is up and
// its boot is a good one.
func bootInstalled(t *testing.T, disks ...qemu.Disk) {
	t.Helper()
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: disks}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN] seq=4, entry=rayos"),
		harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos"),
	)
	m.Type("poweroff\r")
	m.ExpectOff()
}

// verify asks rayimg and other people's tools whether all is well with a disk, also after it was booted.
func verify(t *testing.T, path string) {
	t.Helper()
	if out := harness.Run(t, harness.Artifact(t, "rayimg"), "install", "--verify", path); !strings.Contains(out, "no problems") {
		t.Errorf("verify: %s", out)
	}
	if err := peertest.Check(path); err != nil {
		t.Error(err)
	}
}

// TestInstalledDisk installs onto a disk with another system, boots it alone, installs anew
// beside a guest, and boots again.
func TestInstalledDisk(t *testing.T) {
	t.Parallel()
	path := emptyDisk(t, "disk.img")
	harness.Run(t, "sgdisk", "-n", "1:2048:+100M", "-t", "1:ef00", "-n", "2:0:+16M", "-t", "2:0c01", "-n", "3:0:+60G", "-t", "3:0700", path)
	out, err := exec.Command(harness.Artifact(t, "rayimg"), "install", "--to", path, "--yes", "disk.img").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it holds data: 3 partitions (GPT), of Windows") {
		t.Fatalf("it is written without --erase: %v\n%s", err, out)
	}
	install(t, path, "--erase")
	bootInstalled(t, qemu.Disk{Path: path, Bus: qemu.NVMe})
	verify(t, path)

	const guest = 42764288*512 + 12345 // docs/on-disk.md: partition 4
	write(t, path, guest, "the guest's data")
	install(t, path, "--keep-guests")
	if got := read(t, path, guest, 16); got != "the guest's data" {
		t.Errorf("the guest has %q", got)
	}
	bootInstalled(t, qemu.Disk{Path: path, Bus: qemu.AHCI})
	verify(t, path)
}

// TestInstalledDisks has two installations in one machine, one with 4096-byte sectors: each
// has IDs of its own, so that they are not taken for clones.
func TestInstalledDisks(t *testing.T) {
	t.Parallel()
	first, second := emptyDisk(t, "first.img"), emptyDisk(t, "second.img")
	install(t, first, "--sector-size", "4096")
	install(t, second)
	bootInstalled(t, qemu.Disk{Path: first, Bus: qemu.NVMe, LogicalSector: 4096}, qemu.Disk{Path: second, Bus: qemu.USB})
	verify(t, first)
	verify(t, second)
}

func write(t *testing.T, path string, offset int64, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), offset); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string, offset int64, n int) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, offset); err != nil {
		t.Fatal(err)
	}
	return string(b)
}
