package gpt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"unicode/utf16"
)

// Limits of what the decoder accepts; both bound its memory.
const (
	maxEntryBytes = 4096
	maxArrayBytes = MiB
)

// Errors of the decoder.
var (
	ErrNoTable  = errors.New("no GPT header")
	ErrHeader   = errors.New("unusable GPT header")
	ErrChecksum = errors.New("checksum does not match")
)

const signature = "EFI PART"

// Header is the GPT header (UEFI 2.10 §5.3.2). Positions are LBAs.
type Header struct {
	Revision    uint32 `json:"revision"`
	SelfLBA     uint64 `json:"selfLBA"`
	OtherLBA    uint64 `json:"otherLBA"` // of the other copy's header
	FirstUsable uint64 `json:"firstUsableLBA"`
	LastUsable  uint64 `json:"lastUsableLBA"`
	DiskID      GUID   `json:"diskID"`
	ArrayLBA    uint64 `json:"arrayLBA"`
	EntryCount  uint32 `json:"entryCount"`
	EntryBytes  uint32 `json:"entryBytes"`
	ArrayCRC    uint32 `json:"-"`
}

// DecodeHeader decodes and checks the header in sector, which is one logical
// sector. A sector without the signature gives [ErrNoTable].
func DecodeHeader(sector []byte) (Header, error) {
	if len(sector) < headersBytes || string(sector[:8]) != signature {
		return Header{}, ErrNoTable
	}
	le := binary.LittleEndian
	size := le.Uint32(sector[12:])
	if size < headersBytes || int64(size) > int64(len(sector)) {
		return Header{}, fmt.Errorf("%w: header size %d", ErrHeader, size)
	}
	sum := crc32.NewIEEE()
	sum.Write(sector[:16])
	sum.Write(make([]byte, 4))
	sum.Write(sector[20:size])
	if want := le.Uint32(sector[16:]); sum.Sum32() != want {
		return Header{}, fmt.Errorf("%w: header has %#08x, stored is %#08x", ErrChecksum, sum.Sum32(), want)
	}
	h := Header{
		Revision:    le.Uint32(sector[8:]),
		SelfLBA:     le.Uint64(sector[24:]),
		OtherLBA:    le.Uint64(sector[32:]),
		FirstUsable: le.Uint64(sector[40:]),
		LastUsable:  le.Uint64(sector[48:]),
		DiskID:      GUID(sector[56:72]),
		ArrayLBA:    le.Uint64(sector[72:]),
		EntryCount:  le.Uint32(sector[80:]),
		EntryBytes:  le.Uint32(sector[84:]),
		ArrayCRC:    le.Uint32(sector[88:]),
	}
	return h, h.check()
}

func (h Header) check() error {
	// A power of two of at least 128, so that no entry straddles a sector.
	sane := h.EntryBytes >= entryBytes && h.EntryBytes <= maxEntryBytes && h.EntryBytes&(h.EntryBytes-1) == 0
	switch {
	case h.Revision>>16 != 1:
		return fmt.Errorf("%w: revision %d.%d is not known", ErrHeader, h.Revision>>16, h.Revision&0xffff)
	case !sane || h.EntryCount == 0 || h.arrayBytes() > maxArrayBytes:
		return fmt.Errorf("%w: %d entries of %d bytes", ErrHeader, h.EntryCount, h.EntryBytes)
	case h.FirstUsable > h.LastUsable:
		return fmt.Errorf("%w: first usable LBA %d is behind the last, %d", ErrHeader, h.FirstUsable, h.LastUsable)
	}
	return nil
}

func (h Header) arrayBytes() int64 { return int64(h.EntryCount) * int64(h.EntryBytes) }

// entry is one used entry as stored: positions are LBAs, last is inclusive.
type entry struct {
	number      int
	typ, id     GUID
	first, last uint64
	attributes  uint64
	name        string
}

// decodeArray decodes the used entries of an entry array of h.arrayBytes().
func decodeArray(h Header, array []byte) ([]entry, error) {
	if sum := crc32.ChecksumIEEE(array); sum != h.ArrayCRC {
		return nil, fmt.Errorf("%w: entries have %#08x, stored is %#08x", ErrChecksum, sum, h.ArrayCRC)
	}
	var entries []entry
	le := binary.LittleEndian
	for i := range int(h.EntryCount) {
		b := array[i*int(h.EntryBytes):][:entryBytes]
		e := entry{
			number: i + 1,
			typ:    GUID(b[0:16]), id: GUID(b[16:32]),
			first: le.Uint64(b[32:]), last: le.Uint64(b[40:]),
			attributes: le.Uint64(b[48:]),
			name:       decodeName(b[56:128]),
		}
		if !e.typ.IsZero() {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// decodeName reads UTF-16LE up to the first NUL.
func decodeName(b []byte) string {
	units := make([]uint16, 0, nameUnits)
	for ; len(b) >= 2 && !bytes.Equal(b[:2], []byte{0, 0}); b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	return string(utf16.Decode(units))
}
