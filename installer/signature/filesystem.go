package signature

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// magic is a signature at a fixed place. A label of length 0 is none.
type magic struct {
	name           string
	offset         int
	bytes          string
	label, labelTo int // where the volume's name lies
}

// magics are looked for in this order: what others are built on comes first, and what is
// easily mistaken last.
var magics = []magic{
	{"LUKS", 0, "LUKS\xba\xbe", 0, 0},
	{"BitLocker", 3, "-FVE-FS-", 0, 0},
	{"LVM", 0x218, "LVM2 001", 0, 0},
	{"LVM", 0x018, "LVM2 001", 0, 0},
	{"LVM", 0x418, "LVM2 001", 0, 0},
	{"LVM", 0x618, "LVM2 001", 0, 0},
	{"Linux RAID", 0, "\xfc\x4e\x2b\xa9", 0x20, 0x40},
	{"Linux RAID", 4096, "\xfc\x4e\x2b\xa9", 4096 + 0x20, 4096 + 0x40},
	{"bcache", 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 0, 0},
	{"btrfs", 0x10040, "_BHRfS_M", 0x1012b, 0x1022b},
	{"XFS", 0, "XFSB", 0x6c, 0x78},
	{"F2FS", 1024, "\x10\x20\xf5\xf2", 0, 0},
	{"NTFS", 3, "NTFS    ", 0, 0},
	{"exFAT", 3, "EXFAT   ", 0, 0},
	{"ReFS", 3, "ReFS\x00\x00\x00\x00", 0, 0},
	{"APFS", 32, "NXSB", 0, 0},
	{"HFS+", 1024, "H+\x00\x04", 0, 0},
	{"HFSX", 1024, "HX\x00\x05", 0, 0},
	{"squashfs", 0, "hsqs", 0, 0},
	{"EROFS", 1024, "\xe2\xe1\xf5\xe0", 0, 0},
	{"swap", 4096 - 10, "SWAPSPACE2", 0x41c, 0x42c},
	{"swap", 65536 - 10, "SWAPSPACE2", 0x41c, 0x42c},
	{"ISO 9660", 0x8001, "CD001", 0x8028, 0x8048},
	{"UDF", 0x8001, "BEA01", 0, 0},
	{"FAT32", 0x52, "FAT32   ", 0x47, 0x52},
	{"FAT16", 0x36, "FAT16   ", 0x2b, 0x36},
	{"FAT12", 0x36, "FAT12   ", 0x2b, 0x36},
}

// superblockBytes reaches behind the last signature and label.
const superblockBytes = 0x10240

// unreadable is the name of a file system that cannot be looked at.
const unreadable = "unreadable"

// fileSystem names what lies at start, with the volume's name where it has one. Both are
// empty where nothing is known.
func fileSystem(r io.ReaderAt, start, size int64) (name, label string) {
	if size <= 0 {
		return "", ""
	}
	b := make([]byte, min(size, superblockBytes))
	n, err := r.ReadAt(b, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return unreadable, ""
	}
	b = b[:n]
	for _, m := range magics {
		if !m.in(b) {
			continue
		}
		if m.labelTo > 0 && len(b) >= m.labelTo {
			label = text(b[m.label:m.labelTo])
		}
		return m.name, label
	}
	return extended(b)
}

func (m magic) in(b []byte) bool {
	if len(b) < m.offset+len(m.bytes) || string(b[m.offset:m.offset+len(m.bytes)]) != m.bytes {
		return false
	}
	// The text in a FAT's boot sector is for people; the sector size and the end are not.
	return !strings.HasPrefix(m.name, "FAT") || len(b) >= 512 && b[510] == 0x55 && b[511] == 0xaa &&
		binary.LittleEndian.Uint16(b[11:])%512 == 0 && binary.LittleEndian.Uint16(b[11:]) != 0
}

// extended tells ext2, ext3 and ext4 from each other by their features.
func extended(b []byte) (name, label string) {
	const super = 1024
	if len(b) < super+136 || b[super+56] != 0x53 || b[super+57] != 0xef {
		return "", ""
	}
	le := binary.LittleEndian
	compatible, incompatible := le.Uint32(b[super+92:]), le.Uint32(b[super+96:])
	const journal, extents, flexible = 0x4, 0x40, 0x200
	switch {
	case incompatible&(extents|flexible) != 0:
		name = "ext4"
	case compatible&journal != 0:
		name = "ext3"
	default:
		name = "ext2"
	}
	return name, text(b[super+120 : super+136])
}

// text reads a name that ends with zeros or spaces. Whether it can be printed is the
// business of whoever shows it.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	s := strings.TrimRight(string(b), " ")
	if s == "NO NAME" {
		return "" // what formatters write into a FAT without a name
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
