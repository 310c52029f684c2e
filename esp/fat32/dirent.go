package fat32

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf16"
)

// Directory entries (FAT §6 and §7).
const (
	direntBytes   = 32
	unitsPerEntry = 13 // UTF-16 units in one long entry

	attrReadOnly  = 0x01
	attrHidden    = 0x02
	attrSystem    = 0x04
	attrVolume    = 0x08
	attrDirectory = 0x10
	attrArchive   = 0x20
	attrLong      = attrReadOnly | attrHidden | attrSystem | attrVolume

	lastLong    = 0x40 // marks the first stored, last in order, long entry
	entryFree   = 0xe5
	entryEnd    = 0x00
	entryKanjiE = 0x05 // stands for a first byte of 0xe5
)

// longOffsets are the places of the 13 UTF-16 units within a long entry.
var longOffsets = [unitsPerEntry]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30}

// encodeDirectory returns the content of a directory: whole clusters, the rest zero.
func (v *volume) encodeDirectory(n *node) []byte {
	var b []byte
	if n.parent == nil {
		b = v.appendShort(b, v.label, attrVolume, 0, 0)
	} else {
		up := n.parent.first
		if n.parent.parent == nil {
			up = 0 // the root is written as cluster 0 (FAT §6.5)
		}
		b = v.appendShort(b, pack(".", ""), attrDirectory, n.first, 0)
		b = v.appendShort(b, pack("..", ""), attrDirectory, up, 0)
	}
	names := n.shortNames()
	for _, c := range n.children {
		short, needsLong := names.assign(c.name)
		if needsLong {
			b = appendLong(b, c.name, short)
		}
		attr, size := byte(attrArchive), uint32(c.file.Size)
		if c.dir {
			attr, size = attrDirectory, 0
		}
		b = v.appendShort(b, short, attr, c.first, size)
	}
	return append(b, make([]byte, n.clusters*v.clusterBytes()-int64(len(b)))...)
}

func (n *node) shortNames() *shortNames {
	long := make([]string, len(n.children))
	for i, c := range n.children {
		long[i] = c.name
	}
	return newShortNames(long)
}

// countEntries is how many entries encodeDirectory will make.
func (n *node) countEntries() (int, error) {
	names := n.shortNames()
	count := 2 // "." and ".."; the root has its label
	for _, c := range n.children {
		count++
		if _, needsLong := names.assign(c.name); needsLong {
			count += int(ceilDiv(int64(len(utf16.Encode([]rune(c.name)))), unitsPerEntry))
		}
	}
	if count*direntBytes > maxDirBytes {
		return 0, fmt.Errorf("directory %q has too many files: %d entries, FAT allows %d", n.name, count, maxDirBytes/direntBytes)
	}
	return count, nil
}

func (v *volume) appendShort(b []byte, name shortName, attr byte, first, size uint32) []byte {
	var e [direntBytes]byte
	le := binary.LittleEndian
	copy(e[:], name[:])
	e[11] = attr
	date, clock := dosTime(v.modified)
	for _, off := range []int{14, 22} { // created, written
		le.PutUint16(e[off:], clock)
		le.PutUint16(e[off+2:], date)
	}
	le.PutUint16(e[18:], date) // last access
	le.PutUint16(e[20:], uint16(first>>16))
	le.PutUint16(e[26:], uint16(first))
	le.PutUint32(e[28:], size)
	return append(b, e[:]...)
}

// appendLong appends the long entries of a name, in their stored order: the
// end of the name first.
func appendLong(b []byte, name string, short shortName) []byte {
	units := utf16.Encode([]rune(name))
	count := int(ceilDiv(int64(len(units)), unitsPerEntry))
	if len(units)%unitsPerEntry != 0 {
		units = append(units, 0)
	}
	for len(units) < count*unitsPerEntry {
		units = append(units, 0xffff)
	}
	for i := count; i >= 1; i-- {
		var e [direntBytes]byte
		e[0] = byte(i)
		if i == count {
			e[0] |= lastLong
		}
		e[11] = attrLong
		e[13] = short.checksum()
		for j, off := range longOffsets {
			binary.LittleEndian.PutUint16(e[off:], units[(i-1)*unitsPerEntry+j])
		}
		b = append(b, e[:]...)
	}
	return b
}

// dosTime encodes the wall clock of t, which has a resolution of two seconds
// (FAT §6.3).
func dosTime(t time.Time) (date, clock uint16) {
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	return date, clock
}
