// Package table encodes a GUID Partition Table into the pieces of which it consists on the
// disk, so that whoever writes them can choose the order and flush in between.
//
// It is pure; package gpt decodes and checks what it has made.
//
// Specification: UEFI 2.10 §5.
package table

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"unicode/utf16"

	"github.com/rayos/rayboot/gpt"
)

// Sizes in bytes.
const (
	headerBytes = 92
	entryBytes  = 128
	entryCount  = 128
	arrayBytes  = entryCount * entryBytes
)

// Piece is a part of the table at its place on the disk, in whole sectors.
type Piece struct {
	Name        string
	OffsetBytes int64
	Data        []byte
}

// EndBytes is the first byte behind the piece.
func (p Piece) EndBytes() int64 { return p.OffsetBytes + int64(len(p.Data)) }

// Table is a partition table in pieces. Array and BackupArray have the same data, Header
// and BackupHeader each point to its own.
type Table struct {
	MBR                       Piece // protective, the whole first sector
	Header, Array             Piece
	BackupArray, BackupHeader Piece
}

// Encode encodes a table. The partitions must pass the geometry's check.
func Encode(g gpt.Geometry, diskID gpt.GUID, parts []gpt.Partition) (Table, error) {
	if err := g.Check(parts); err != nil {
		return Table{}, err
	}
	sector := int64(g.SectorSize)
	array := encodeArray(g, parts)
	last := g.DiskBytes - sector
	backup := last - int64(len(array))
	return Table{
		MBR:          Piece{"protective MBR", 0, encodeMBR(g)},
		Header:       Piece{"primary header", sector, encodeHeader(g, diskID, array, sector, last, 2*sector)},
		Array:        Piece{"primary entries", 2 * sector, array},
		BackupArray:  Piece{"backup entries", backup, array},
		BackupHeader: Piece{"backup header", last, encodeHeader(g, diskID, array, last, sector, backup)},
	}, nil
}

// encodeMBR encodes the protective MBR (UEFI 2.10 §5.2.3). Of a disk with more sectors than
// it can tell it protects all that it can.
func encodeMBR(g gpt.Geometry) []byte {
	b := make([]byte, g.SectorSize)
	e := b[446:]
	e[4] = 0xee
	binary.LittleEndian.PutUint32(e[8:], 1)
	binary.LittleEndian.PutUint32(e[12:], uint32(min(g.Sectors()-1, math.MaxUint32)))
	b[510], b[511] = 0x55, 0xaa
	return b
}

// encodeHeader encodes the header at self (UEFI 2.10 §5.3.2). Places are bytes here.
func encodeHeader(g gpt.Geometry, diskID gpt.GUID, array []byte, self, other, arrayAt int64) []byte {
	le := binary.LittleEndian
	lba := func(offset int64) uint64 { return uint64(offset / int64(g.SectorSize)) }
	b := make([]byte, g.SectorSize)
	copy(b, "EFI PART")
	le.PutUint32(b[8:], 1<<16) // revision 1.0
	le.PutUint32(b[12:], headerBytes)
	le.PutUint64(b[24:], lba(self))
	le.PutUint64(b[32:], lba(other))
	le.PutUint64(b[40:], lba(g.FirstUsable()))
	le.PutUint64(b[48:], lba(g.EndUsable())-1)
	copy(b[56:], diskID[:])
	le.PutUint64(b[72:], lba(arrayAt))
	le.PutUint32(b[80:], entryCount)
	le.PutUint32(b[84:], entryBytes)
	le.PutUint32(b[88:], crc32.ChecksumIEEE(array))
	le.PutUint32(b[16:], crc32.ChecksumIEEE(b[:headerBytes]))
	return b
}

// encodeArray encodes the entries (UEFI 2.10 §5.3.3).
func encodeArray(g gpt.Geometry, parts []gpt.Partition) []byte {
	le := binary.LittleEndian
	sector := int64(g.SectorSize)
	b := make([]byte, arrayBytes)
	for _, p := range parts {
		e := b[(p.Number-1)*entryBytes:][:entryBytes]
		copy(e, p.Type[:])
		copy(e[16:], p.ID[:])
		le.PutUint64(e[32:], uint64(p.StartBytes/sector))
		le.PutUint64(e[40:], uint64(p.EndBytes()/sector-1))
		le.PutUint64(e[48:], p.Attributes)
		for i, unit := range utf16.Encode([]rune(p.Name)) {
			le.PutUint16(e[56+2*i:], unit)
		}
	}
	return b
}
