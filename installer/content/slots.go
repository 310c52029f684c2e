package content

import (
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt/slots"
)

// copyBytes is how much of an image is in memory at a time.
const copyBytes = 1 << 20

// Slots are kernel slots with their images.
type Slots struct {
	Table slots.Table
	Open  func(slots.Image) io.Reader // the content of an image of the table
}

// write writes images first and the two copies of the table that points to them last.
func (s *Slots) write(w io.WriterAt) error {
	table, err := slots.Encode(s.Table)
	if err != nil {
		return err
	}
	buf := make([]byte, copyBytes)
	for _, slot := range s.Table.Slots {
		for _, image := range []slots.Image{slot.Kernel, slot.Initrd} {
			if err := s.copy(w, image, buf); err != nil {
				return fmt.Errorf("write kernel slot %d: %w", slot.Index, err)
			}
		}
	}
	for _, offset := range []int64{slots.CopyAOffset, slots.CopyBOffset} {
		if _, err := w.WriteAt(table, offset); err != nil {
			return fmt.Errorf("write slot table: %w", err)
		}
	}
	return nil
}

// copy writes one image, which may be absent.
func (s *Slots) copy(w io.WriterAt, image slots.Image, buf []byte) error {
	if image.LengthBytes == 0 {
		return nil
	}
	in := s.Open(image)
	for done := int64(0); done < image.LengthBytes; {
		chunk := buf[:min(image.LengthBytes-done, int64(len(buf)))]
		if _, err := io.ReadFull(in, chunk); err != nil {
			return fmt.Errorf("read its image: %w", err)
		}
		if _, err := w.WriteAt(chunk, image.OffsetBytes+done); err != nil {
			return err
		}
		done += int64(len(chunk))
	}
	return nil
}
