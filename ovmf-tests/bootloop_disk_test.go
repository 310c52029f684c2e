//go:build ovmf

package ovmftests

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

var uncounted = harness.Marker("[RAYOS_BOOTMGR:UNCOUNTED] entry=a")

// TestBootLoopFullESP counts on an ESP without a free byte: the record has its place.
func TestBootLoopFullESP(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "reset"}}, sizeMiB: 48}.disk(t)
	fill(t, disk)
	m := start(t, disk)
	m.Expect(failed("a", 1, "start", "crash"))
	m.Finish(failed("a", 2, "start", "crash"))
	m.Never(uncounted)
}

// fill gives all the free room of the ESP to files.
func fill(t *testing.T, disk qemu.Disk) {
	t.Helper()
	add := func(name string, size int) error {
		return espdisk.Put(t.Context(), disk.Path, name, harness.WriteFile(t, strings.Repeat("x", size)))
	}
	fits := 0
	for size := 64 << 20; size >= 512; size /= 2 {
		if add(fmt.Sprintf("fill-%d", size), size) == nil {
			fits++
		}
	}
	if fits == 0 || add("more", 512) == nil {
		t.Fatal("the ESP is not full")
	}
}

// TestBootLoopReadOnly boots on, and says that nobody counts.
func TestBootLoopReadOnly(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "off"}}}.disk(t)
	disk.ReadOnly = true
	m := start(t, disk)
	m.Expect(uncounted, selected("a"), says("off"))
	m.ExpectOff()
}

// TestBootLoopWithoutVariables has firmware that forgets everything with the power, and a clock that goes back.
func TestBootLoopWithoutVariables(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "hang"}}, goldens: []string{good}}.disk(t)
	for count, clock := range []string{"2026-11-25", "2001-01-01", "1999-01-01"} {
		m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}, Extra: []string{"-rtc", "base=" + clock}}})
		if count > 0 {
			m.Expect(failed("a", count, "start", "crash"))
		}
		m.Expect(selected("a"))
		m.Finish(says("hang"))
	}
	m := start(t, disk)
	m.Expect(failed("a", 3, "start", "stuck"), fallback(1, "no-entry"), blessed)
	m.ExpectOff()
}

// TestBootLoopClones has a disk and its copy side by side. What happens to one is not written on the other.
func TestBootLoopClones(t *testing.T) {
	t.Parallel()
	disk := loop{entries: []loopEntry{{name: "a", options: "reset"}}}.disk(t)
	clone := qemu.Disk{Path: filepath.Join(t.TempDir(), "clone.img")}
	harness.Run(t, "cp", "--sparse=always", disk.Path, clone.Path)
	before := remembered(t, clone).Record
	m := start(t, disk, clone)
	m.Expect(failed("a", 1, "start", "crash"), failed("a", 2, "start", "crash"))
	m.Finish(selected("a"))
	if after := remembered(t, clone).Record; !after.Equal(before) {
		t.Errorf("the clone's record was changed: %+v", after)
	}
	r := remembered(t, disk).Record
	if e := r.Find("a"); e == nil || e.Failures != 2 {
		t.Errorf("remembered: %+v", r)
	}
}

// TestBootLoopNewerRecord leaves a record alone that a later version has written.
func TestBootLoopNewerRecord(t *testing.T) {
	t.Parallel()
	l := loop{entries: []loopEntry{{name: "a", options: "off"}}}
	file := l.recordFile(t)
	for c := range slices.Chunk(file, record.CopyBytes) {
		makeNewer(c)
	}
	l.files = map[string]string{esp.BootStatePath: harness.WriteFile(t, string(file))}
	disk := l.disk(t)
	m := start(t, disk)
	m.Expect(uncounted, says("off"))
	m.ExpectOff()
	if loaded := remembered(t, disk); loaded.Status != record.Newer {
		t.Errorf("the record is %v", loaded.Status)
	}
	stored := filepath.Join(t.TempDir(), "boot-state")
	if err := espdisk.Extract(t.Context(), disk.Path, esp.BootStatePath, stored); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contents(t, stored), file) {
		t.Error("the record was changed")
	}
}

// makeNewer gives a copy of the record a version that is not known yet (docs/on-disk.md).
func makeNewer(c []byte) {
	const offVersion, offChecksum = 8, 12
	binary.LittleEndian.PutUint16(c[offVersion:], 99)
	binary.LittleEndian.PutUint32(c[offChecksum:], 0)
	binary.LittleEndian.PutUint32(c[offChecksum:], crc32.ChecksumIEEE(c))
}

// TestBootLoopStateLost starts a golden snapshot when both copies of the record are damaged.
func TestBootLoopStateLost(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "a", options: "reset"}}, goldens: []string{good},
		files: map[string]string{esp.BootStatePath: harness.WriteFile(t, strings.Repeat("damaged ", record.FileBytes/8))},
	}.disk(t)
	m := start(t, disk)
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:STATE_LOST]"), fallback(1, "state-lost"), blessed)
	m.ExpectOff()
	m.Never(says("reset"))
	if loaded := remembered(t, disk); loaded.Status != record.Good && loaded.Status != record.Degraded {
		t.Errorf("the record is %v afterwards", loaded.Status)
	}
}
