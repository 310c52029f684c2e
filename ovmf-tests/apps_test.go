//go:build ovmf

package ovmftests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestConformance runs the programs of the folder apps, which test goefi and uefi from within. They print `ok NAME` or
// `FAIL NAME: why` for each check and `PASS n` or `FAIL n` at the end.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		app     string
		machine qemu.Machine
		files   map[string]string // on the ESP besides the program
	}{
		{name: "default", app: "conformance"},
		{name: "qemu64", app: "conformance", machine: qemu.Machine{CPU: "qemu64"}},
		{name: "LA57-processor", app: "conformance", machine: qemu.Machine{CPU: "max,la57=on"}},
		{name: "128MB", app: "conformance", machine: qemu.Machine{MemoryMiB: 128}},
		{name: "memory-stress", app: "memstress"},
		{
			name: "services", app: "services",
			machine: qemu.Machine{Extra: append(writeProtectedDisk(t), "-device", "virtio-rng-pci")},
			files:   map[string]string{"state.bin": zeros(t, 16<<10)},
		},
		{name: "fifty-starts", app: "nested", files: map[string]string{"child.efi": app(t, "child")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"EFI/BOOT/BOOTX64.EFI": app(t, c.app)}
			for name, path := range c.files {
				files[name] = path
			}
			disk := harness.ForeignDisk(t, foreignMiB, files)
			c.machine.Disks = []qemu.Disk{{Path: disk}}
			m := harness.Start(t, harness.Spec{Machine: c.machine, Crashes: true})
			if last := m.Expect(harness.Pattern(`^(PASS|FAIL) \d+$`)); !strings.HasPrefix(last, "PASS") {
				t.Errorf("the program ends with %q; see its FAIL lines", last)
			}
			m.Never(harness.Pattern(`^FAIL `))
			m.ExpectOff()
			checkVolume(t, disk)
		})
	}
}

// checkVolume lets fsck.vfat look for damage in the ESP of a disk that espdisk.Make made.
func checkVolume(t *testing.T, disk string) {
	t.Helper()
	esp := filepath.Join(t.TempDir(), "esp")
	harness.Run(t, "dd", "if="+disk, "of="+esp, "bs=1M", "skip=1", fmt.Sprintf("count=%d", espdisk.SectorsLBA(foreignMiB)>>11), "status=none")
	harness.Run(t, "fsck.vfat", "-n", esp)
}

// TestWatchdogs arms each kind of hardware watchdog and lets the machine hang: it is reset, once.
func TestWatchdogs(t *testing.T) {
	t.Parallel()
	tco := []string{"-global", "ICH9-LPC.noreboot=off"}
	table := harness.WriteFile(t, string(watchdogtest.QEMUTable().Encode()))
	for _, c := range []struct {
		name  string // as package watchdog has it
		extra []string
	}{
		{"i6300esb", []string{"-device", "i6300esb"}},
		{"iTCO_wdt", tco},
		{"wdat_wdt", append(tco, "-acpitable", "file="+table)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			disk := harness.ForeignDisk(t, foreignMiB, map[string]string{
				"EFI/BOOT/BOOTX64.EFI": app(t, "watchdog"), "watchdog.txt": harness.WriteFile(t, c.name),
			})
			m := harness.Start(t, harness.Spec{Reboots: true, Machine: qemu.Machine{
				Disks: []qemu.Disk{{Path: disk, Snapshot: true}},
				Extra: append(c.extra, "-action", "watchdog=reset"),
			}})
			m.Expect(
				harness.Text("ok armed and disarmed it does not fire"), harness.Text("hanging"), harness.Text("[qemu] RESET guest-reset"),
				harness.Text("ok the watchdog says that it fired"), harness.Pattern(`^PASS \d+$`),
			)
			m.Never(harness.Pattern(`^FAIL `))
			m.ExpectOff()
		})
	}
}

// writeProtectedDisk are QEMU's arguments for a second disk that the guest cannot write. Its place in the boot order makes OVMF look at it.
func writeProtectedDisk(t *testing.T) []string {
	t.Helper()
	path := harness.ForeignDisk(t, foreignMiB, map[string]string{"state.bin": zeros(t, 16<<10)})
	return []string{"-drive", "if=none,id=protected,format=raw,readonly=on,file=" + path, "-device", "virtio-blk-pci,drive=protected,bootindex=9"}
}

// zeros is the path of a file of that many zero bytes.
func zeros(t *testing.T, size int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zeros")
	if err := os.WriteFile(path, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
