//go:build ovmf

package ovmftests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// answeringStick returns a throw-away stick that installs without questions.
func answeringStick(t *testing.T, answers string, args ...string) qemu.Disk {
	t.Helper()
	folder := t.TempDir()
	at := filepath.Join(folder, "EFI", "rayos")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, "install.toml"), []byte(answers), 0o644); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "stick.img")
	harness.Run(t, harness.Artifact(t, "rayimg"), append([]string{"build", image, "--installer", "--cmdline", commandLine, "--payload", folder}, args...)...)
	return qemu.Disk{Path: image, Bus: qemu.USB}
}

// TestStickAlone installs onto a disk of 4096-byte sectors without a key pressed. The machine is then started from the
// stick once more, which does not install again, and from the disk alone. The stick's guests come along.
func TestStickAlone(t *testing.T) {
	t.Parallel()
	from := answeringStick(t, "disk = \"only\"\ninternal = true\nerase = true\nthen = \"poweroff\"\n", "--guests", "--linux-guest", "tiny")
	target := qemu.Disk{Path: emptyDisk(t, "target.img"), Bus: qemu.NVMe, LogicalSector: 4096}
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{from, target}}})
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-install, reason=default"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"),
		harness.Text("rayos: installing as EFI/rayos/install.toml of the boot disk says"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=nvme0n1"),
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=nvme0n1, number=1, name="EFI System"`),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_COMPLETE] disk=nvme0n1"),
	)
	m.ExpectOff()
	verify(t, target.Path)
	checkGuestsCame(t, from.Path, target.Path)
	digest := tableBytes(t, target.Path)

	m = harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{from, target}}})
	m.Expect(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"))
	m.Expect(
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk=nvme0n1"),
		harness.Text("nvme0n1: this stick has installed it already, so nothing was written"),
	)
	m.Type("poweroff\r")
	m.ExpectOff()
	if tableBytes(t, target.Path) != digest {
		t.Error("the disk has another partition table now")
	}
	bootInstalled(t, target)
	verify(t, target.Path)
}

// checkGuestsCame compares the guests' partitions of two disks.
func checkGuestsCame(t *testing.T, from, to string) {
	t.Helper()
	rayimg := harness.Artifact(t, "rayimg")
	var all [2]struct{ System, LinuxGuest map[string]any }
	for i, name := range []string{from, to} {
		if err := json.Unmarshal([]byte(harness.Run(t, rayimg, "inspect", name, "--json")), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(all[0].System) == 0 || len(all[0].LinuxGuest) == 0 || !reflect.DeepEqual(all[0], all[1]) {
		t.Errorf("the stick has the guests %v, the disk %v", all[0], all[1])
	}
	checkGuestFiles(t, to)
}

// tableBytes are the first bytes of a disk: protective MBR, header, and the first partitions with their IDs.
func tableBytes(t *testing.T, path string) string { return read(t, path, 0, 16<<10) }

// steps are what an installation tells on its way, between which the power is cut.
var steps = []string{
	"erase the partitions: ", "write EFI system partition: ", "write kernel slot: ", "read back EFI system partition: ",
	"read back kernel slot: ", "write the partition table: ", "erase what is left between the partitions: ", "checking the disk ...",
}

// TestStickPowerCut cuts the power at random moments of an installation over another system. The stick boots again each
// time, and the disk has its old table or the new one with all that belongs to it.
func TestStickPowerCut(t *testing.T) {
	t.Parallel()
	cuts := 2
	if *long {
		cuts = 20
	}
	from := answeringStick(t, "disk = \"disk1\"\ninternal = true\nerase = true\nthen = \"shell\"\n")
	old, complete := 0, 0
	for i := range cuts {
		step := steps[rand.N(len(steps))]
		if i < 2 {
			step = steps[[]int{1, 5}[i]] // once before the table is written and once while it is
		}
		target := emptyDisk(t, fmt.Sprintf("target%d.img", i))
		harness.Run(t, "sgdisk", "-n", "1:2048:+100M", "-t", "1:ef00", "-c", "1:old", "-n", "2:0:+60G", "-t", "2:8300", target)
		m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{from, {Path: target, Bus: qemu.NVMe}}}})
		m.Expect(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"))
		m.Expect(harness.Text(step))
		wait(t.Context(), rand.N(time.Second>>rand.N(8))) // some steps take milliseconds
		m.Cut()
		if names := partitionNames(t, target); names == "old" {
			old++
		} else {
			complete++
			wholeOrMending(t, target, names)
		}
		t.Logf("cut %d, after %q: %d of old tables, %d of new ones so far", i, step, old, complete)
		if err := os.Remove(target); err != nil {
			t.Fatal(err)
		}
	}
	if *long && (old == 0 || complete == 0) {
		t.Errorf("%d cuts left an old table and %d a new one: the cuts are not spread", old, complete)
	}
}

// wait waits for a moment that nothing depends on, other than where a cut falls.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// partitionNames are "old" for the table that was there, and "EFI System" for the new one, by whichever copy is whole.
func partitionNames(t *testing.T, path string) string {
	t.Helper()
	return tableOf(t, path).Partitions[0].Name
}

// tableOf reads the partition table of a disk, by whichever copy is whole.
func tableOf(t *testing.T, path string) gpt.Table {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, _, err := gpt.Read(f, gpt.MinDiskBytes)
	if err != nil || len(table.Partitions) == 0 {
		t.Fatalf("there is no partition table: %v", err)
	}
	return table
}

// wholeOrMending fails the test if a disk with the new table is anything but whole. One of the table's copies may be the
// old one or half a new one yet.
func wholeOrMending(t *testing.T, path, first string) {
	t.Helper()
	if first != "EFI System" {
		t.Errorf("the first partition is %q", first)
	}
	out, err := exec.Command(harness.Artifact(t, "rayimg"), "verify", "--json", path).Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	var report struct{ Findings []inspect.Finding }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("rayimg verify: %v: %s", err, out)
	}
	for _, f := range report.Findings {
		if !f.Warning && !strings.HasPrefix(f.Code, "gpt-") {
			t.Errorf("a disk with the new table is not whole: %s: %s", f.Code, f.Text)
		}
	}
}
