package image

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt/slots"
)

// ErrSlotSpace says that kernel and initrd do not fit into a kernel slot.
var ErrSlotSpace = errors.New("kernel slot is too small")

// slotTable describes slot 0, which holds the same kernel as the ESP.
func (s *System) slotTable() (slots.Table, error) {
	kernel := slots.Image{
		OffsetBytes: slots.AreaOffset(0),
		LengthBytes: int64(len(s.Kernel)),
		SHA256:      sha256.Sum256(s.Kernel),
	}
	slot := slots.Slot{Index: 0, ID: slotEntryID, Title: "RayOS (kernel slot 0)", Options: s.Options, Kernel: kernel}
	if len(s.Initrd) > 0 {
		end := kernel.OffsetBytes + kernel.LengthBytes
		slot.Initrd = slots.Image{
			OffsetBytes: (end + slots.ImageAlign - 1) / slots.ImageAlign * slots.ImageAlign,
			LengthBytes: int64(len(s.Initrd)),
			SHA256:      sha256.Sum256(s.Initrd),
		}
	}
	if need := int64(len(s.Kernel)+len(s.Initrd)) + slots.ImageAlign; need > slots.ImageBytes {
		return slots.Table{}, fmt.Errorf("%w: kernel and initrd have %d MiB, a slot has %d MiB; take a smaller kernel or fewer modules",
			ErrSlotSpace, need>>20, slots.ImageBytes>>20)
	}
	t := slots.Table{Sequence: 1, Slots: []slots.Slot{slot}}
	return t, t.Check()
}

// writeSlots writes images first and the two copies of the table that points to
// them last.
func (s *System) writeSlots(w io.WriterAt, t slots.Table) error {
	table, err := slots.Encode(t)
	if err != nil {
		return err
	}
	slot := t.Slots[0]
	for _, part := range []struct {
		what    string
		offset  int64
		content []byte
	}{
		{"kernel", slot.Kernel.OffsetBytes, s.Kernel},
		{"initrd", slot.Initrd.OffsetBytes, s.Initrd},
		{"table, copy A", slots.CopyAOffset, table},
		{"table, copy B", slots.CopyBOffset, table},
	} {
		if _, err := w.WriteAt(part.content, part.offset); err != nil {
			return fmt.Errorf("write slot %s: %w", part.what, err)
		}
	}
	return nil
}
