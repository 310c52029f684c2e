//go:build ovmf

package ovmftests

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// smallLayout is a layout of one's own, with the boot manager's files only.
const smallLayout = "[[partition]]\nname = \"Small\"\ntype = \"esp\"\nsize = \"200MiB\"\n"

// stick returns a throw-away install stick on USB, which offers a layout of its own.
func stick(t *testing.T) qemu.Disk {
	t.Helper()
	image := shared(t, "stick.img", func(path string) {
		folder := t.TempDir()
		at := filepath.Join(folder, "EFI", "rayos", "layouts")
		if err := errors.Join(os.MkdirAll(at, 0o755), os.WriteFile(filepath.Join(at, "small.toml"), []byte(smallLayout), 0o644)); err != nil {
			t.Fatal(err)
		}
		harness.Run(t, harness.Artifact(t, "rayimg"), "build", path, "--installer", "--cmdline", commandLine, "--seed", "stick", "--payload", folder)
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

// TestStickInstalls boots a stick beside blank disks and one with another system, installs onto one of them in the dialog
// and anew by a command, onto two more where the firmware's variables cannot be changed, and boots the first one alone
// through the firmware's own boot entry.
func TestStickInstalls(t *testing.T) {
	t.Parallel()
	target, blank, byCommand, onScreen := emptyDisk(t, "target.img"), emptyDisk(t, "blank.img"), emptyDisk(t, "command.img"), emptyDisk(t, "screen.img")
	occupied, digest := occupiedDisk(t)
	variables := filepath.Join(t.TempDir(), "vars.fd")
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{VarStore: variables, Disks: []qemu.Disk{
		stick(t), {Path: target, Bus: qemu.NVMe}, {Path: blank}, {Path: occupied, Bus: qemu.AHCI}, {Path: byCommand}, {Path: onScreen},
	}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-install, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-install"),
		harness.Text("no golden snapshot is taken of this boot: the installer"),
	)
	before := readBootVariables(t, variables)
	entry := installInDialog(m)
	installByCommand(t, m, entry)
	installWithoutVariables(m)
	installOnScreen(m)
	m.ExpectOff()
	if got := digestOf(t, occupied); got != digest {
		t.Error("the disk with another system was written")
	}
	isBlank(t, blank)
	for _, path := range []string{byCommand, onScreen} {
		verify(t, path)
		if name := partitionNames(t, path); name != "Small" {
			t.Errorf("%s: the first partition is %s", path, name)
		}
	}
	const guest = 42764288 * 512 // docs/on-disk.md: partition 4
	if got := read(t, target, guest, 16); got != "a guest's data\n\x00" {
		t.Errorf("the guest that was to be kept has %q", got)
	}
	ours := tableOf(t, target).Partitions[0].ID
	registered(t, before, readBootVariables(t, variables), entry, ours)

	m = harness.Start(t, harness.Spec{Machine: qemu.Machine{VarStore: variables, Disks: []qemu.Disk{{Path: target, Bus: qemu.NVMe}}}})
	m.Expect(harness.Text(fmt.Sprintf(`BdsDxe: starting %s "RayOS" from HD(1,GPT,%s`, entry, strings.ToUpper(ours.String()))), menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=user"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos"),
		harness.Marker("[RAYOS_BOOT_MARKER:GOLDEN] entry=rayos"),
		blessed, shellPrompt,
	)
	m.Type("hexdump /sys/firmware/efi/efivars/BootCurrent-*\r")
	m.Expect(harness.Text("00000000  06 00 00 00 "+entry[6:]+" "+entry[4:6]), shellPrompt)
	m.Type("poweroff\r")
	m.ExpectOff()
	verify(t, target)
}

// installInDialog takes wrong turns in the dialog on the serial line, and then installs onto the NVMe disk. It returns the
// firmware's variable.
func installInDialog(m *harness.Machine) (entry string) {
	m.Expect(
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=nvme0n1, bus=nvme, bytes=80000000000"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=sda, bus=sata, bytes=67108864"),
		harness.Marker("[RAYOS_INSTALLER:BOOT:USB] disk=sdb"),
		harness.Text("not written: this system runs from it"),
		harness.Text("Name of the disk to install onto"),
	)
	const which = "Which one is to be used (Enter: the standard one)?"
	for _, c := range []struct{ says, answer string }{
		{"", "sdb"},
		{"sdb is not written: this system runs from it", ""},
		{"Name of the disk to install onto", "sda"},
		{"it is a part of this machine (sata)", "yes"},
		{"Type erase to lose all of it", "no"},
		{"nothing was written", ""},
		{"Name of the disk to install onto", "nvme0n1"},
		{"it is a part of this machine (nvme)", "yes"},
		{which, "\r"},
		{"type the disk's serial number, disk1: ", "disk2"},
		{"not confirmed; nothing was written", ""},
		{"Name of the disk to install onto", "nvme0n1"},
		{"it is a part of this machine (nvme)", "yes"},
		{which, "\r"},
		{"type the disk's serial number, disk1: ", "disk1"},
	} {
		if c.says != "" {
			m.Expect(harness.Text(c.says))
		}
		if c.answer != "" {
			m.Type(strings.TrimSuffix(c.answer, "\r") + "\r")
		}
	}
	m.Expect(
		harness.Pattern(`write EFI system partition: .* of .*, .*/s, .* left`),
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=nvme0n1, number=1, name="EFI System"`),
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=nvme0n1, number=5, name="Windows Guest"`),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_COMPLETE] disk=nvme0n1"),
	)
	entry = regexp.MustCompile(`Boot[0-9A-F]{4}`).FindString(m.Expect(harness.Pattern("the firmware starts it first: Boot[0-9A-F]{4}")))
	m.Expect(harness.Text("Type p to power off"))
	m.Type("\r")
	m.Expect(shellPrompt)
	return entry
}

// installByCommand shows what it would write, is refused, and installs anew beside a guest. The firmware's variable is the
// one that was there.
func installByCommand(t *testing.T, m *harness.Machine, entry string) {
	t.Helper()
	m.Type("install --list-disks --json | grep 'serial.*disk1'; install --verify nvme0n1 --json; install --verify nvme0n1; install --to sda --internal --erase --yes QM00007; install --to nvme0n1 --internal --erase --yes disk2\r")
	m.Expect(
		harness.Pattern(`^ +"serial": "disk1",$`),
		harness.Pattern(`^  "findings": \[\]$`),
		harness.Text("nvme0n1: no problems"),
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk=sda"),
		harness.Text(`[RAYOS_INSTALLER:INSTALL_FAILED] disk=nvme0n1, reason="--yes disk2 does not confirm nvme0n1, `),
		shellPrompt,
	)
	m.Type("install --to vda --internal --dry-run | grep -v EFI; install --to vda --internal --keep-guests --dry-run\r")
	m.Expect(
		harness.Pattern("This would be written, in this order:"),
		harness.Pattern("^erase partition 5 .Windows Guest.$"),
		harness.Pattern("^write protective MBR$"),
		harness.Pattern("^ *0 to *511 *512 B$"),
		harness.Text("vda is not written: its guests cannot be kept: there is no GPT on it"),
		shellPrompt,
	)
	m.Type("echo \"a guest's data\" > /dev/nvme0n1p4; install --to nvme0n1 --internal --keep-guests --json --yes disk1 | grep 'peakBytes|bootEntry'\r")
	m.Expect(harness.Text(`"bootEntry": "` + entry + `"`))
	peak := m.Expect(harness.Pattern(`"peakBytes": [0-9]+`))
	if n, err := strconv.Atoi(regexp.MustCompile(`[0-9]+`).FindString(peak)); err != nil || n > maxPeakBytes {
		t.Errorf("the installer takes %d bytes of memory, more than %d (%v)", n, maxPeakBytes, err)
	}
	m.Expect(shellPrompt)
}

// installWithoutVariables has no file system with the firmware's variables, and then, for who comes next, one that is
// read-only. That is worth a warning.
func installWithoutVariables(m *harness.Machine) {
	const vars = "/sys/firmware/efi/efivars"
	m.Type("umount " + vars + "; install --to vdb --internal --layout /esp/EFI/rayos/layouts/small.toml --yes vdb; mount -t efivarfs -o ro efivarfs " + vars + "\r")
	m.Expect(
		harness.Marker(`[RAYOS_INSTALLER:PARTITION_CREATED] disk=vdb, number=1, name=Small`),
		harness.Marker(`[RAYOS_INSTALLER:INSTALL_COMPLETE] disk=vdb`),
		harness.Text("warning: the firmware keeps no boot entries that this system can change: it was not started by UEFI, or"),
		shellPrompt,
	)
}

// installOnScreen goes through the dialog that has been waiting on the machine's screen, at its keyboard, up to powering
// off. The serial line tells what the screen shows.
func installOnScreen(m *harness.Machine) {
	for _, c := range []struct{ says, answer string }{
		{"Name of the disk to install onto", "vdc"},
		{"it is a part of this machine .virtio.", "yes"},
		{"Which one is to be used", "small"},
		{"type the disk's name, vdc: ", "vdc"},
		{"Type p to power off", ""},
	} {
		m.Type("until grep \"" + c.says + "\" /dev/vcs1 > /tmp/screen; do sleep 1; done; echo the screen has it\r")
		m.Expect(harness.Pattern("^the screen has it$"), shellPrompt)
		if c.answer != "" {
			m.TypeKeys(c.answer)
		}
	}
	m.Type("grep 'INSTALL_COMPLETE. disk=vdc.*warning: the firmware keeps no boot entries' /tmp/screen > /tmp/warned && echo the screen warns\r")
	m.Expect(harness.Pattern("^the screen warns$"), shellPrompt)
	m.TypeKeys("p")
}
