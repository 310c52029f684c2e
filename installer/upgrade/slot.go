package upgrade

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/slots"
)

// SlotID is the ID of the entry in the kernel slots that an installation makes.
const SlotID = "rayos-slot"

// Partition is the RayOS Kernel partition.
type Partition interface {
	io.ReaderAt
	io.WriterAt
	// Sync makes durable what was written.
	Sync() error
}

// RunSlot has the kernel slot hold what is kept, so that the machine has it even without a
// file system. It is done before [Plan.Run]. The images go into the area of a slot that
// nothing uses; the table then names that one instead. The note, where there is one, says why
// the slot stays as it is.
func (p Plan) RunSlot(v fs.FS, kernels Partition, sizeBytes int64, step func(name string)) (note string, err error) {
	if p.Kept == nil {
		return "", nil
	}
	table, err := slots.Read(kernels)
	if err != nil {
		return fmt.Sprintf("the kernel slots stay as they are: %v", err), nil
	}
	i := slices.IndexFunc(table.Slots, func(s slots.Slot) bool { return s.ID == SlotID })
	if i < 0 {
		return "", nil
	}
	was := table.Slots[i]
	step("keep the old version in a kernel slot")
	if golden.Digest(was.Kernel.SHA256) == p.Kept.Kernel && golden.Digest(was.Initrd.SHA256) == p.Kept.Initrd && was.Options == p.Kept.Options {
		return "", writeTable(kernels, table) // a cut may have left one copy of it
	}
	index := freeSlot(v, table, sizeBytes)
	if index < 0 {
		return fmt.Sprintf("kernel slot %d stays as it is: no other slot is free", was.Index), nil
	}
	now, ok := p.slot(index, was)
	if !ok {
		return fmt.Sprintf("kernel slot %d stays as it is: what is kept has too large a kernel and runtime, or too long a command line", was.Index), nil
	}
	for _, part := range []struct {
		from golden.BootedPart
		to   slots.Image
	}{{p.Kept.kernel, now.Kernel}, {p.Kept.initrd, now.Initrd}} {
		if err := copyImage(v, kernels, part.from, part.to); err != nil {
			return "", fmt.Errorf("write kernel slot %d: %w", index, err)
		}
	}
	if err := kernels.Sync(); err != nil {
		return "", err
	}
	return "", writeTable(kernels, replaced(table, i, now))
}

// replaced is the next table, in which a slot takes the place of another.
func replaced(table slots.Table, i int, now slots.Slot) slots.Table {
	table.Sequence++
	table.Slots = append(slices.Delete(slices.Clone(table.Slots), i, i+1), now)
	slices.SortFunc(table.Slots, func(a, b slots.Slot) int { return cmp.Compare(a.Index, b.Index) })
	return table
}

// slot describes the version to keep in the area of a slot, and whether it fits.
func (p Plan) slot(index int, was slots.Slot) (slots.Slot, bool) {
	k := p.Kept
	s := slots.Slot{
		Index: index, ID: was.ID, Title: fmt.Sprintf("RayOS (kernel slot %d)", index), Options: k.Options,
		Kernel: slots.Image{OffsetBytes: slots.AreaOffset(index), LengthBytes: k.kernel.LengthBytes, SHA256: slots.Digest(k.Kernel)},
	}
	if k.initrd.LengthBytes > 0 {
		end := s.Kernel.OffsetBytes + s.Kernel.LengthBytes
		s.Initrd = slots.Image{
			OffsetBytes: (end + slots.ImageAlign - 1) / slots.ImageAlign * slots.ImageAlign,
			LengthBytes: k.initrd.LengthBytes, SHA256: slots.Digest(k.Initrd),
		}
	}
	return s, slots.Table{Sequence: 1, Slots: []slots.Slot{s}}.Check() == nil
}

// freeSlot is a slot of the partition that neither the table nor a golden snapshot uses, or
// -1.
func freeSlot(v fs.FS, table slots.Table, sizeBytes int64) int {
	used := map[int]bool{}
	for _, s := range table.Slots {
		used[s.Index] = true
	}
	snapshots, _ := golden.List(v)
	for _, s := range snapshots {
		used[s.Kernel.Slot], used[s.Initrd.Slot] = true, true
	}
	for i := range slots.MaxSlots {
		if !used[i] && slots.AreaOffset(i)+slots.ImageBytes <= sizeBytes {
			return i
		}
	}
	return -1
}

// copyImage copies a part into a slot.
func copyImage(v fs.FS, kernels io.WriterAt, from golden.BootedPart, to slots.Image) error {
	if to.LengthBytes == 0 {
		return nil
	}
	r, err := open(v, from)
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(io.NewOffsetWriter(kernels, to.OffsetBytes), struct{ io.Reader }{r}, make([]byte, 1<<20))
	if err == nil && n != to.LengthBytes {
		err = fmt.Errorf("%d bytes, want %d", n, to.LengthBytes)
	}
	return errors.Join(err, r.Close())
}

// writeTable writes both copies of the table, one after the other, the older one first.
// One that is right is left as it is.
func writeTable(kernels Partition, table slots.Table) error {
	b, err := slots.Encode(table)
	if err != nil {
		return err
	}
	copies := slots.ReadCopies(kernels)
	order := []int{0, 1}
	if copies[1].Err != nil || copies[0].Err == nil && copies[1].Table.Sequence < copies[0].Table.Sequence {
		order = []int{1, 0}
	}
	for _, i := range order {
		if copies[i].Err == nil && reflect.DeepEqual(copies[i].Table, table) {
			continue
		}
		if _, err := kernels.WriteAt(b, copies[i].OffsetBytes); err != nil {
			return fmt.Errorf("write slot table: %w", err)
		}
		if err := kernels.Sync(); err != nil {
			return err
		}
	}
	return nil
}
