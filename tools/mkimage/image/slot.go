package image

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/installer/content"
)

// ErrSlotSpace says that kernel and initrd do not fit into a kernel slot.
var ErrSlotSpace = errors.New("kernel slot is too small")

// slots are slot 0, which holds the same kernel as the ESP.
func (s *System) slots() (*content.Slots, error) {
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
		return nil, fmt.Errorf("%w: kernel and initrd have %d MiB, a slot has %d MiB; take a smaller kernel or fewer modules",
			ErrSlotSpace, need>>20, slots.ImageBytes>>20)
	}
	t := slots.Table{Sequence: 1, Slots: []slots.Slot{slot}}
	open := func(image slots.Image) io.Reader {
		if image == slot.Initrd {
			return bytes.NewReader(s.Initrd)
		}
		return bytes.NewReader(s.Kernel)
	}
	return &content.Slots{Table: t, Open: open}, t.Check()
}
