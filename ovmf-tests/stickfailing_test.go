//go:build ovmf

package ovmftests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// scsiOnUSB are QEMU's arguments for a disk on USB with a serial number, of a drive that is described by itself.
func scsiOnUSB(id, drive string) []string {
	return []string{
		"-drive", "if=none,id=" + id + "," + drive,
		"-device", "usb-bot,id=bot-" + id + ",bus=usb0.0,serial=" + id,
		"-device", fmt.Sprintf("scsi-hd,bus=bot-%s.0,drive=%s", id, id),
	}
}

// TestStickFailingDisks has a disk with a sector that cannot be written, and one that is pulled out in mid-write. Both are
// left without a partition table, and the machine goes on.
func TestStickFailingDisks(t *testing.T) {
	t.Parallel()
	failing, pulled := emptyDisk(t, "failing.img"), emptyDisk(t, "pulled.img")
	rules := filepath.Join(t.TempDir(), "blkdebug.conf")
	const sector = 2048 + 16384 // 8 MiB into the ESP, among the files
	if err := os.WriteFile(rules, fmt.Appendf(nil, "[inject-error]\nevent = \"none\"\niotype = \"write\"\nerrno = \"5\"\nsector = \"%d\"\n", sector), 0o600); err != nil {
		t.Fatal(err)
	}
	machine := qemu.Machine{Disks: []qemu.Disk{stick(t)}}
	machine.Extra = append(machine.Extra, scsiOnUSB("failing", "format=raw,discard=unmap,file=blkdebug:"+rules+":"+failing)...)
	machine.Extra = append(machine.Extra, scsiOnUSB("pulled", "format=raw,discard=unmap,throttling.bps-write=4000000,file="+pulled)...)
	m := harness.Start(t, harness.Spec{Machine: machine})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(harness.Text("Name of the disk to install onto"))
	m.Type("q\r")
	m.Expect(shellPrompt)
	name := func(serial string) string {
		m.Type("install --list-disks\r")
		line := m.Expect(harness.Pattern(`^sd[a-z] .* ` + serial + `$`))
		m.Expect(shellPrompt)
		return line[:3]
	}

	bad := name("failing")
	m.Type("install --to " + bad + " --yes failing\r")
	m.Expect(
		harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk="+bad),
		harness.Text("the disk still has its old partition table"),
		shellPrompt,
	)
	away := name("pulled")
	m.Type("install --to " + away + " --yes pulled\r")
	m.Expect(harness.Text("write EFI system partition: "))
	m.Unplug("bot-pulled")
	// The kernel reports an I/O error or that there is no space, as the write was under way or not.
	m.Expect(harness.Marker("[RAYOS_INSTALLER:INSTALL_FAILED] disk="+away), shellPrompt)
	m.Type("install --list-disks | grep pulled; echo found=$?\r")
	m.Expect(harness.Pattern(`^found=1$`), shellPrompt)
	m.Type("poweroff\r")
	m.ExpectOff()
	for _, path := range []string{failing, pulled} {
		for _, at := range []int64{0, gpt.MinDiskBytes - 512} {
			if got := read(t, path, at, 512); got != strings.Repeat("\x00", 512) {
				t.Errorf("%s has a part of a partition table at byte %d, although nothing was installed", path, at)
			}
		}
	}
}
