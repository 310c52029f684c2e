//go:build ovmf

package ovmftests

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// loopInstallID is the installation of the disks of boot-loop tests.
const loopInstallID = "3f0f9c44-6a2b-4b8e-9d0e-6f6a5d2c7b11"

// loop describes a small RayOS disk whose entries start the program payload, which lives and dies as it is told.
type loop struct {
	entries []loopEntry
	goldens []string          // command lines of stable golden snapshots, oldest first
	conf    string            // loader.conf; no menu by default
	record  *record.Record    // what the manager remembers; an unused record by default
	files   map[string]string // further files, or files in place of ours: from their path on the ESP to that on the host
	sizeMiB int               // foreignMiB by default
}

type loopEntry struct {
	name    string // of its file without .conf, with boot counters if any
	options string // the words of its payload
	image   string // path on the ESP; the payload by default
	pinned  bool   // to the payload's digest
	foreign bool   // nobody blesses it
}

const loopImage = "payload.efi"

// good are the words of a system that comes up, is blessed and ends in order.
const good = "SUBSYSTEMS_READY SHELL_READY bless off"

// file is the entry's Type #1 file. The entries come in the order of their names.
func (e loopEntry) file(t *testing.T) string {
	image := cmp.Or(e.image, loopImage)
	text := fmt.Sprintf("title Loop %s\nsort-key %s\nlinux /%s\noptions %s\n", e.name, e.name, image, e.options)
	if !e.foreign {
		text += esp.BlessKey + " runtime\n"
	}
	if e.pinned {
		text += fmt.Sprintf("%s %x\n", esp.LinuxPinKey, sha256.Sum256(contents(t, app(t, "payload"))))
	}
	return harness.WriteFile(t, text)
}

func contents(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// disk makes the disk. What machines write on it stays.
func (l loop) disk(t *testing.T) qemu.Disk {
	t.Helper()
	files := map[string]string{
		"EFI/BOOT/BOOTX64.EFI": harness.Artifact(t, "BOOTX64.EFI"),
		"loader/loader.conf":   harness.WriteFile(t, cmp.Or(l.conf, "timeout 0\n")),
		esp.InstallIDPath:      harness.WriteFile(t, loopInstallID+"\n"),
		esp.BootStatePath:      harness.WriteFile(t, string(l.recordFile(t))),
		loopImage:              app(t, "payload"),
	}
	for i, options := range l.goldens {
		maps.Copy(files, goldenFiles(t, uint64(i+1), options))
	}
	for _, e := range l.entries {
		files["loader/entries/"+e.name+".conf"] = e.file(t)
	}
	maps.Copy(files, l.files)
	return qemu.Disk{Path: harness.ForeignDisk(t, cmp.Or(l.sizeMiB, foreignMiB), files)}
}

func (l loop) recordFile(t *testing.T) []byte {
	t.Helper()
	if l.record == nil {
		file, err := record.InitialFile(loopInstallID)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	var file []byte
	for sequence := range uint64(2) {
		r := *l.record
		r.InstallID, r.Sequence = loopInstallID, sequence+1
		b, err := record.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, b[:]...)
	}
	return file
}

// loopGolden is the golden snapshot that starts the payload with a command line.
func loopGolden(t *testing.T, sequence uint64, options string) golden.Snapshot {
	t.Helper()
	image := contents(t, app(t, "payload"))
	return golden.Snapshot{
		Sequence: sequence, State: golden.Stable, Entry: "was", Title: "Golden", Options: options,
		Kernel: golden.Part{LengthBytes: int64(len(image)), SHA256: golden.Sum(image), Slot: -1},
		Initrd: golden.Part{Slot: -1},
	}
}

func goldenFiles(t *testing.T, sequence uint64, options string) map[string]string {
	t.Helper()
	s := loopGolden(t, sequence, options)
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		path.Join(golden.Dir, s.Name()):            harness.WriteFile(t, string(manifest[:])),
		path.Join(golden.Dir, s.Kernel.FileName()): app(t, "payload"),
	}
}

// start starts a machine that may reset.
func start(t *testing.T, disks ...qemu.Disk) *harness.Machine {
	t.Helper()
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: disks}, Reboots: true})
}

// remembered is what is on the disk of a machine that is off.
func remembered(t *testing.T, disk qemu.Disk) record.Loaded {
	t.Helper()
	d, err := diskstate.Open(disk.Path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	loaded, err := d.Load()
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// failed expects that the manager counted a failure of an entry.
func failed(entry string, count int, stage, reason string) harness.Expectation {
	return harness.Marker(fmt.Sprintf("[RAYOS_BOOT_MARKER:FAILURE_COUNT] entry=%s, count=%d, limit=%d, stage=%s, reason=%s",
		entry, count, bootmenu.EntryLimit, stage, reason))
}

// disabled expects that the manager disabled an entry.
func disabled(entry string, count int) harness.Expectation {
	return harness.Marker(fmt.Sprintf("[RAYOS_BOOTMGR:ENTRY_DISABLED] entry=%s, count=%d, limit=%d", entry, count, bootmenu.DisableLimit))
}

// says expects a word of the payload.
func says(word string) harness.Expectation { return harness.Pattern("^payload " + word + "$") }

// selected expects the start of an entry.
func selected(entry string) harness.Expectation {
	return harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=" + entry)
}

// fallback expects the start of a golden snapshot.
func fallback(attempt int, reason string) harness.Expectation {
	return harness.Marker(fmt.Sprintf("[RAYOS_BOOTMGR:RECOVERY_FALLBACK] attempt=%d, limit=%d, reason=%s", attempt, bootmenu.RecoveryLimit, reason))
}

var blessed = harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS]")

// flipped returns a copy of a file in which the last byte is another one. In the payload that is padding: but for its
// digest it is as good as before.
func flipped(t *testing.T, file string) string {
	t.Helper()
	data := contents(t, file)
	data[len(data)-1] ^= 1
	copied := filepath.Join(t.TempDir(), "flipped")
	if err := os.WriteFile(copied, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return copied
}
