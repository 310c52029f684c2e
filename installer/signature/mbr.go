package signature

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// The classic partition table in the first sector (UEFI 2.10 §5.2.1).
const (
	mbrEntries    = 446
	mbrEntryBytes = 16
	mbrEntryCount = 4
	mbrProtective = 0xee
	maxLogical    = 64 // logical partitions; the chain of their tables is hostile, too
)

type mbrType struct{ name, system string }

// mbrTypes are the types that are likely on a disk that somebody wants to install on.
var mbrTypes = map[byte]mbrType{
	0x01:          {"FAT12", ""},
	0x04:          {"FAT16", ""},
	0x06:          {"FAT16", ""},
	0x07:          {"NTFS or exFAT", ""},
	0x0b:          {"FAT32", ""},
	0x0c:          {"FAT32", ""},
	0x0e:          {"FAT16", ""},
	0x27:          {"Windows recovery", windows},
	0x82:          {"Linux swap", linux},
	0x83:          {"Linux", linux},
	0x8e:          {"Linux LVM", linux},
	0xa5:          {"FreeBSD", "FreeBSD"},
	0xa8:          {"macOS", macOS},
	0xaf:          {"macOS", macOS},
	mbrProtective: {"GPT protective", ""},
	0xef:          {"EFI System", ""},
	0xfd:          {"Linux RAID", linux},
}

// mbrEntry is one used entry of a table.
type mbrEntry struct {
	number         int // counted from 1
	typ            byte
	active         bool
	first, sectors uint32
}

func (e mbrEntry) extended() bool { return e.typ == 0x05 || e.typ == 0x0f || e.typ == 0x85 }

// decodeMBR decodes a sector as a table. A boot sector of a file system ends like one and
// is told by its entries, whose first byte is 0 or 0x80 in a table.
func decodeMBR(sector []byte) (entries []mbrEntry, ok bool) {
	if len(sector) < 512 || sector[510] != 0x55 || sector[511] != 0xaa {
		return nil, false
	}
	for i := range mbrEntryCount {
		b := sector[mbrEntries+i*mbrEntryBytes:][:mbrEntryBytes]
		if b[0] != 0 && b[0] != 0x80 {
			return nil, false
		}
		e := mbrEntry{i + 1, b[4], b[0] != 0, binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])}
		if e.typ != 0 && e.sectors != 0 {
			entries = append(entries, e)
		}
	}
	return entries, true
}

// classic returns the partitions of a classic table that is in force. A protective one is
// not, and neither is what only looks like a table.
func (c *Content) classic(head []byte, diskBytes int64, sectorSize int) []mbrEntry {
	entries, ok := decodeMBR(head)
	protective := slices.ContainsFunc(entries, func(e mbrEntry) bool { return e.typ == mbrProtective })
	if !ok || protective || c.FileSystem != "" && !plausible(entries, diskBytes, sectorSize) {
		return nil
	}
	return entries
}

// addMBR takes in the classic table, if there is one with a partition.
func (c *Content) addMBR(r io.ReaderAt, entries []mbrEntry, diskBytes int64, sectorSize int) {
	if len(entries) == 0 {
		return
	}
	c.Table = MBR
	for _, e := range entries {
		c.addMBREntry(r, e.number, e, 0, diskBytes, sectorSize)
	}
	for _, e := range entries {
		if e.extended() {
			c.addLogical(r, e, diskBytes, sectorSize)
		}
	}
}

// plausible reports whether the entries lie on the disk, which the code of a boot sector
// rarely looks like.
func plausible(entries []mbrEntry, diskBytes int64, sectorSize int) bool {
	for _, e := range entries {
		if e.first == 0 || (int64(e.first)+int64(e.sectors))*int64(sectorSize) > diskBytes {
			return false
		}
	}
	return true
}

// addMBREntry takes in one partition, which begins base sectors behind where its table
// says.
func (c *Content) addMBREntry(r io.ReaderAt, number int, e mbrEntry, base, diskBytes int64, sectorSize int) {
	t, ok := mbrTypes[e.typ]
	if !ok {
		t.name = fmt.Sprintf("type %02x", e.typ)
	}
	if e.extended() {
		t.name = "extended"
	}
	p := Partition{
		Number: number, Type: t.name, system: t.system,
		StartBytes: (base + int64(e.first)) * int64(sectorSize), SizeBytes: int64(e.sectors) * int64(sectorSize),
	}
	if p.SizeBytes > diskBytes-p.StartBytes {
		c.Damage = append(c.Damage, fmt.Sprintf("partition %d reaches behind the end of the disk", number))
	}
	if e.extended() {
		c.Partitions = append(c.Partitions, p)
		return
	}
	c.add(r, p)
	if e.active && c.Partitions[len(c.Partitions)-1].FileSystem == "NTFS" {
		c.addSystem(windows)
	}
}

// addLogical follows the chain of tables in an extended partition. Each has one partition,
// counted from itself, and the next table, counted from the extended partition.
func (c *Content) addLogical(r io.ReaderAt, extended mbrEntry, diskBytes int64, sectorSize int) {
	sector := make([]byte, 512)
	at := int64(extended.first)
	for number := mbrEntryCount + 1; number <= mbrEntryCount+maxLogical; number++ {
		if at*int64(sectorSize) > diskBytes-int64(len(sector)) {
			return
		}
		if _, err := r.ReadAt(sector, at*int64(sectorSize)); err != nil {
			c.Damage = append(c.Damage, fmt.Sprintf("the table of partition %d cannot be read: %v", number, err))
			return
		}
		entries, ok := decodeMBR(sector)
		if !ok {
			return
		}
		next := int64(-1)
		for _, e := range entries {
			if e.extended() {
				next = int64(extended.first) + int64(e.first)
			} else {
				c.addMBREntry(r, number, e, at, diskBytes, sectorSize)
			}
		}
		if next <= at { // a chain goes forward, or it never ends
			return
		}
		at = next
	}
	c.More++
}
