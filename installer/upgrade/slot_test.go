package upgrade

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/rayos/rayboot/esp/cuttest"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/slots"
)

// zeros is an empty partition, large enough for two slots.
type zeros struct{}

func (zeros) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > slots.AreaOffset(2) {
		return 0, io.EOF
	}
	clear(p)
	return len(p), nil
}

// slotOf holds the release in slot 0, as an installation makes it.
func slotOf(t *testing.T, r release) *cuttest.Disk {
	t.Helper()
	d := cuttest.New(zeros{})
	kernel := slots.Image{OffsetBytes: slots.AreaOffset(0), LengthBytes: int64(len(r.kernel)), SHA256: slots.Digest(golden.Sum(r.kernel))}
	b, err := slots.Encode(slots.Table{Sequence: 1, Slots: []slots.Slot{{ID: SlotID, Title: "RayOS", Options: "quiet", Kernel: kernel}}})
	if err != nil {
		t.Fatal(err)
	}
	for off, data := range map[int64][]byte{kernel.OffsetBytes: r.kernel, slots.CopyAOffset: b, slots.CopyBOffset: b} {
		if _, err := d.WriteAt(data, off); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// slotHolds says which release is whole in the slot of the table.
func slotHolds(d io.ReaderAt, releases ...release) string {
	table, err := slots.Read(d)
	if err != nil || len(table.Slots) != 1 {
		return fmt.Sprintf("%+v, %v", table, err)
	}
	for _, r := range releases {
		got := make([]byte, table.Slots[0].Kernel.LengthBytes)
		if _, err := d.ReadAt(got, table.Slots[0].Kernel.OffsetBytes); err == nil && bytes.Equal(got, r.kernel) && golden.Digest(table.Slots[0].Kernel.SHA256) == golden.Sum(got) {
			return fmt.Sprintf("%s in slot %d", r.name, table.Slots[0].Index)
		}
	}
	return "neither"
}

// sweepSlot cuts the power at every operation of the change of a slot from a to b.
func sweepSlot(t *testing.T, unordered bool) (problem string) {
	a, b := newRelease(1), newRelease(2)
	v, err := fat32.Open(newESP(t, installed(t, b)), espBytes)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(v, newRelease(3).request())
	if err != nil {
		t.Fatal(err)
	}
	base := slotOf(t, a)
	run := func(d *cuttest.Disk) {
		t.Helper()
		var kernels Partition = d
		if unordered {
			kernels = cuttest.Unordered{Disk: d}
		}
		if note, err := p.RunSlot(v, kernels, slots.AreaOffset(2), func(string) {}); note != "" || err != nil {
			t.Fatal(note, err)
		}
	}
	disk := cuttest.New(base)
	run(disk)
	const before, after = "6.1.1 in slot 0", "6.1.2 in slot 1"
	seen := map[string]int{}
	disk.Cuts(func(op, pattern int, cut *cuttest.Disk) bool {
		got := slotHolds(cut, a, b)
		seen[got]++
		if got != before && got != after {
			problem = fmt.Sprintf("cut before operation %d, pattern %d: %s", op, pattern, got)
			return false
		}
		run(cut)
		copies := slots.ReadCopies(cut)
		if got := slotHolds(cut, a, b); got != after || copies[0].Err != nil || copies[1].Err != nil || copies[0].Table.Sequence != copies[1].Table.Sequence {
			problem = fmt.Sprintf("cut before operation %d, pattern %d, and again: %s, %v, %v", op, pattern, got, copies[0].Err, copies[1].Err)
		}
		return problem == ""
	})
	if problem == "" && (seen[before] == 0 || seen[after] == 0) {
		t.Errorf("the sweep has seen only %v", seen)
	}
	return problem
}

func TestSlotSurvivesPowerCuts(t *testing.T) {
	if problem := sweepSlot(t, false); problem != "" {
		t.Error(problem)
	}
	if problem := sweepSlot(t, true); problem == "" {
		t.Error("without flushes, the sweep sees nothing")
	}
}

// TestSlotStays has slots that cannot be changed, or need not be.
func TestSlotStays(t *testing.T) {
	a := newRelease(1)
	m := newESP(t, installed(t, a))
	v, err := fat32.Open(m, espBytes)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(v, newRelease(2).request())
	if err != nil {
		t.Fatal(err)
	}
	empty := cuttest.New(zeros{})
	if note, err := p.RunSlot(v, empty, slots.AreaOffset(16), func(string) {}); err != nil || note == "" || empty.Operations() != 0 {
		t.Errorf("no table: %q, %v", note, err)
	}
	var full slots.Table
	full.Sequence = 1
	for i := range slots.MaxSlots {
		id := SlotID
		if i > 0 {
			id = fmt.Sprint("other", i)
		}
		full.Slots = append(full.Slots, slots.Slot{Index: i, ID: id, Kernel: slots.Image{OffsetBytes: slots.AreaOffset(i), LengthBytes: 1}})
	}
	b, err := slots.Encode(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{slots.CopyAOffset, slots.CopyBOffset} {
		if _, err := empty.WriteAt(b, off); err != nil {
			t.Fatal(err)
		}
	}
	before := empty.Operations()
	if note, err := p.RunSlot(v, slotOf(t, newRelease(5)), slots.AreaOffset(1), func(string) {}); err != nil || note == "" {
		t.Errorf("a small partition: %q, %v", note, err)
	}
	if note, err := p.RunSlot(v, empty, slots.AreaOffset(16), func(string) {}); err != nil || note == "" || empty.Operations() != before {
		t.Errorf("no free slot: %q, %v", note, err)
	}
}
