package slots

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Layout of a copy; see docs/on-disk.md. All numbers are little-endian.
const (
	magic        = "RAYSLOTS"
	versionMajor = 1 // a change that older readers cannot ignore
	versionMinor = 0 // a change that they can

	offMajor    = 8
	offMinor    = 10
	offCRC      = 12
	offSequence = 16
	offSlots    = 4096
	slotBytes   = 2048

	// Within a slot.
	offID      = 0
	offTitle   = offID + MaxID
	offKernel  = offTitle + MaxTitle
	imageBytes = 48 // offset, length, SHA-256
	offInitrd  = offKernel + imageBytes
	offOptions = 1024
)

// Encode returns the CopyBytes bytes of one copy.
func Encode(t Table) ([]byte, error) {
	if err := t.Check(); err != nil {
		return nil, fmt.Errorf("encode slot table: %w", err)
	}
	b := make([]byte, CopyBytes)
	le := binary.LittleEndian
	copy(b, magic)
	le.PutUint16(b[offMajor:], versionMajor)
	le.PutUint16(b[offMinor:], versionMinor)
	le.PutUint64(b[offSequence:], t.Sequence)
	for _, s := range t.Slots {
		r := b[offSlots+s.Index*slotBytes:][:slotBytes]
		copy(r[offID:], s.ID)
		copy(r[offTitle:], s.Title)
		copy(r[offOptions:], s.Options)
		putImage(r[offKernel:], s.Kernel)
		putImage(r[offInitrd:], s.Initrd)
	}
	le.PutUint32(b[offCRC:], checksum(b))
	return b, nil
}

func putImage(b []byte, m Image) {
	binary.LittleEndian.PutUint64(b, uint64(m.OffsetBytes))
	binary.LittleEndian.PutUint64(b[8:], uint64(m.LengthBytes))
	copy(b[16:], m.SHA256[:])
}

// checksum is the CRC-32 (IEEE 802.3) of the whole copy, with the four bytes
// of the checksum itself taken as zero.
func checksum(b []byte) uint32 {
	sum := crc32.ChecksumIEEE(b[:offCRC])
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, 4))
	return crc32.Update(sum, crc32.IEEETable, b[offCRC+4:CopyBytes])
}

// Decode decodes one copy and checks it completely. It fails with
// [ErrNoTable] where there is no magic, [ErrVersion] where a newer program wrote the
// table (which must then not be overwritten), [ErrChecksum] and [ErrInvalid].
func Decode(b []byte) (Table, error) {
	if len(b) != CopyBytes || string(b[:len(magic)]) != magic {
		return Table{}, ErrNoTable
	}
	le := binary.LittleEndian
	if stored, sum := le.Uint32(b[offCRC:]), checksum(b); stored != sum {
		return Table{}, fmt.Errorf("%w: table has %#08x, stored is %#08x", ErrChecksum, sum, stored)
	}
	if major := le.Uint16(b[offMajor:]); major > versionMajor {
		return Table{}, fmt.Errorf("%w: %d.%d, known is %d", ErrVersion, major, le.Uint16(b[offMinor:]), versionMajor)
	}
	if le.Uint16(b[offMajor:]) == 0 {
		return Table{}, fmt.Errorf("%w: version 0.%d never existed", ErrInvalid, le.Uint16(b[offMinor:]))
	}
	t := Table{Sequence: le.Uint64(b[offSequence:])}
	for i := range MaxSlots {
		s, used, err := decodeSlot(i, b[offSlots+i*slotBytes:][:slotBytes])
		if err != nil {
			return Table{}, fmt.Errorf("%w: slot %d: %w", ErrInvalid, i, err)
		}
		if used {
			t.Slots = append(t.Slots, s)
		}
	}
	return t, t.Check()
}

// decodeSlot decodes one record; a record without an ID is unused.
func decodeSlot(index int, r []byte) (s Slot, used bool, err error) {
	if r[offID] == 0 {
		return Slot{}, false, nil
	}
	s = Slot{Index: index, Kernel: image(r[offKernel:]), Initrd: image(r[offInitrd:])}
	var errs [3]error
	s.ID, errs[0] = text(r[offID:][:MaxID])
	s.Title, errs[1] = text(r[offTitle:][:MaxTitle])
	s.Options, errs[2] = text(r[offOptions:][:MaxOptions])
	return s, true, errors.Join(errs[:]...)
}

func image(b []byte) Image {
	m := Image{
		OffsetBytes: int64(binary.LittleEndian.Uint64(b)),
		LengthBytes: int64(binary.LittleEndian.Uint64(b[8:])),
	}
	copy(m.SHA256[:], b[16:])
	return m
}

// text reads a NUL-padded string.
func text(b []byte) (string, error) {
	s := strings.TrimRight(string(b), "\x00")
	if strings.Contains(s, "\x00") {
		return "", fmt.Errorf("text %q has bytes behind its end", s)
	}
	return s, nil
}

// Copy is one of the two stored copies, or why it cannot be used.
type Copy struct {
	OffsetBytes int64
	Table       Table
	Err         error
}

// ReadCopies reads both copies from the kernel partition r.
func ReadCopies(r io.ReaderAt) [2]Copy {
	copies := [2]Copy{{OffsetBytes: CopyAOffset}, {OffsetBytes: CopyBOffset}}
	for i := range copies {
		c := &copies[i]
		b := make([]byte, CopyBytes)
		if n, err := r.ReadAt(b, c.OffsetBytes); n < len(b) {
			c.Err = fmt.Errorf("read slot table at byte %d: %w", c.OffsetBytes, err)
			continue
		}
		if c.Table, c.Err = Decode(b); c.Err != nil {
			c.Err = fmt.Errorf("slot table at byte %d: %w", c.OffsetBytes, c.Err)
		}
	}
	return copies
}

// Read returns the newest intact table of the kernel partition r. Where a
// copy was written by a newer version, nothing is returned but [ErrVersion]:
// the other copy is out of date. Without any table the error is [ErrNoTable].
func Read(r io.ReaderAt) (Table, error) {
	copies := ReadCopies(r)
	a, b := copies[0], copies[1]
	switch {
	case errors.Is(a.Err, ErrVersion):
		return Table{}, a.Err
	case errors.Is(b.Err, ErrVersion):
		return Table{}, b.Err
	case a.Err != nil && b.Err != nil:
		return Table{}, fmt.Errorf("read slot table: %w", errors.Join(a.Err, b.Err))
	case a.Err != nil || (b.Err == nil && b.Table.Sequence > a.Table.Sequence):
		return b.Table, nil
	}
	return a.Table, nil
}
