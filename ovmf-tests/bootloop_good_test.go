//go:build ovmf

package ovmftests

import (
	"bytes"
	"encoding/hex"
	"flag"
	"regexp"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

var long = flag.Bool("long", false, "run the long sweeps in full, and the tests that take minutes")

// slow keeps a test out of the short version that takes minutes, and whose parts have tests of their own there.
func slow(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("takes minutes: only with -long")
	}
}

// TestBootLoopOrderlyReboot is neither a good boot nor a failed one, however often it happens.
func TestBootLoopOrderlyReboot(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "SUBSYSTEMS_READY close reset"}}}.disk(t)
	m := start(t, disk)
	for range 3 {
		m.Expect(selected("a"), says("reset"))
	}
	m.Finish(selected("a"))
	m.Never(harness.Marker("[RAYOS_BOOT_MARKER:FAILURE_COUNT]"))
	if r := remembered(t, disk).Record; r.Find("a") != nil {
		t.Errorf("remembered: %+v", r)
	}
}

// TestBootLoopTries counts the tries in the name of an entry's file down, for those that systemd-bless-boot blesses, and
// then goes to the next entry.
func TestBootLoopTries(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{
		{name: "a+03", options: "count-path reset", foreign: true},
		{name: "b", options: "off", foreign: true},
	}}.disk(t)
	m := start(t, disk)
	for _, name := range []string{"a+02-1", "a+01-2", "a+00-3"} {
		m.Expect(selected("a"), harness.Pattern(`^LoaderBootCountPath \\loader\\entries\\`+regexp.QuoteMeta(name)+`\.conf$`))
	}
	m.Expect(selected("b"), says("off"))
	m.ExpectOff()
}

// TestBootLoopUnblessed starts an entry that nobody blesses, and holds nothing against it when it dies.
func TestBootLoopUnblessed(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "reset", foreign: true}}}.disk(t)
	m := start(t, disk)
	for range 3 { // as many as would disable it
		m.Expect(selected("a"), says("reset"))
	}
	m.Expect(harness.Text("RayOS boot manager"))
	if stats := m.BlockStats(0); stats.WriteOperations > 0 {
		t.Errorf("written: %+v", stats)
	}
	m.Finish(selected("a"))
	m.Never(harness.Marker("[RAYOS_BOOT_MARKER:FAILURE_COUNT]"))
}

// The saves of one healthy boot: the attempt, two stages, the good end. The firmware writes each through its FAT driver,
// which updates the time of the file too.
const (
	savesPerBoot  = 4
	writesPerSave = 2
)

// TestBootLoopHealthy boots well again and again: no counter moves, and nothing changes on the disk but the record.
func TestBootLoopHealthy(t *testing.T) {
	t.Parallel()
	boots := 3
	if *long {
		boots = 100
	}
	disk := loop{entries: []loopEntry{{name: "a", options: good}}}.disk(t)
	before := contents(t, disk.Path)
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}, Reboots: true, StaysOff: true})
	for boot := range boots {
		if boot > 0 {
			m.PowerOn()
		}
		m.Expect(selected("a"), blessed)
		m.AwaitOff()
		if writes := m.BlockStats(0).WriteOperations; writes != int64((boot+1)*savesPerBoot*writesPerSave) {
			t.Errorf("after boot %d: %d writes", boot+1, writes)
		}
	}
	m.Never(harness.Marker("[RAYOS_BOOT_MARKER:FAILURE_COUNT]"))
	m.PowerOn()
	m.Finish(harness.Text("RayOS boot manager"))
	r := remembered(t, disk).Record
	if r.Disablings != 0 || len(r.Entries) != 0 || len(r.Events) != 0 {
		t.Errorf("remembered: %+v", r)
	}
	onlyRecordChanged(t, before, contents(t, disk.Path))
}

// onlyRecordChanged compares two images of a disk. Besides the two copies of the record there may differ what the firmware's
// FAT driver notes of a file that was written: its time and archive attribute, and those of the directories above.
func onlyRecordChanged(t *testing.T, before, after []byte) {
	t.Helper()
	const copyStart, sector = "RAYOSBST\x01\x00", 512
	at := bytes.Index(before, []byte(copyStart))
	if at < 0 || !bytes.HasPrefix(before[at+record.CopyBytes:], []byte(copyStart)) {
		t.Fatal("the disk has no record")
	}
	for _, image := range [][]byte{before, after} {
		clear(image[at : at+record.FileBytes])
		for _, name := range []string{"EFI        ", "RAYOS      ", "BOOT-S~1   "} {
			forgetTimes(image, []byte(name))
		}
	}
	for offset := 0; offset < len(before); offset += sector {
		if old, changed := before[offset:offset+sector], after[offset:offset+sector]; !bytes.Equal(old, changed) {
			t.Errorf("the sector at %d has changed:\n%swas\n%s", offset, hex.Dump(changed), hex.Dump(old))
		}
	}
}

// forgetTimes clears what the directory entries of a name say of its last change (Microsoft FAT specification §6).
func forgetTimes(image, name []byte) {
	const entryBytes, attributes, archive, access, write = 32, 11, 0x20, 18, 22
	for at := 0; ; at += entryBytes {
		next := bytes.Index(image[at:], name)
		if next < 0 {
			return
		}
		if at += next; at%entryBytes != 0 {
			at &^= entryBytes - 1
			continue
		}
		image[at+attributes] &^= archive
		clear(image[at+access : at+access+2])
		clear(image[at+write : at+write+4])
	}
}
