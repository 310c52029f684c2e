package fat32

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// dirent is a decoded directory entry: a short one with its long name.
type dirent struct {
	name     string // the long name where there is a valid one
	short    shortName
	attr     byte
	first    uint32
	size     int64
	modified time.Time
	isLabel  bool
	at       int64   // where the short one lies on the volume, in bytes; 0: that of the root, which has none
	longAt   []int64 // where those of the long name lie
}

func (d dirent) isDir() bool { return d.attr&attrDirectory != 0 }
func (d dirent) isDot() bool { return d.short == pack(".", "") || d.short == pack("..", "") }

// readDirectory decodes the directory at a cluster. It reports entries that
// make no sense to odd, if that is set, and otherwise passes over them.
func (f *FS) readDirectory(first uint32, odd func(code, text string)) ([]dirent, error) {
	var clusters []uint32
	_, err := f.chain(first, maxDirBytes/f.clusterBytes(), func(n uint32) error {
		clusters = append(clusters, n)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	d := dirDecoder{odd: odd}
	b := make([]byte, f.clusterBytes())
	for _, n := range clusters {
		if got, err := f.r.ReadAt(b, f.clusterOffset(n)); got < len(b) {
			return nil, fmt.Errorf("read directory at cluster %d: %w", n, err)
		}
		for i := 0; i < len(b) && !d.ended; i += direntBytes {
			d.next(b[i:i+direntBytes], f.clusterOffset(n)+int64(i))
		}
		if d.ended {
			break
		}
	}
	return d.entries, nil
}

// dirDecoder decodes the entries of a directory one after the other.
type dirDecoder struct {
	entries []dirent
	ended   bool
	odd     func(code, text string)

	// The long entries seen in front of the next short one.
	long     []uint16 // collected from the end of the name
	longAt   []int64  // where they lie
	expected byte     // ordinal of the next long entry, 0: none is expected
	sum      byte
}

func (d *dirDecoder) report(code, format string, args ...any) {
	if d.odd != nil {
		d.odd(code, fmt.Sprintf(format, args...))
	}
}

// next decodes the entry that lies at a byte of the volume.
func (d *dirDecoder) next(e []byte, at int64) {
	switch {
	case e[0] == entryEnd:
		d.orphan()
		d.ended = true
	case e[0] == entryFree:
		d.orphan()
	case e[11]&0x3f == attrLong:
		d.nextLong(e, at)
	default:
		d.nextShort(e, at)
	}
}

// orphan drops long entries that no short one follows.
func (d *dirDecoder) orphan() {
	if d.long != nil {
		d.report(codeOrphan, "a long name belongs to no file")
	}
	d.long, d.longAt, d.expected = nil, nil, 0
}

func (d *dirDecoder) nextLong(e []byte, at int64) {
	ordinal := e[0] &^ lastLong
	if e[0]&lastLong != 0 {
		d.orphan()
		if ordinal == 0 || int(ordinal) > (maxNameUnits+unitsPerEntry-1)/unitsPerEntry {
			d.report(codeName, "a long name has %d parts", ordinal)
			return
		}
		d.expected, d.sum = ordinal, e[13]
	}
	if ordinal == 0 || ordinal != d.expected || e[13] != d.sum {
		d.orphan()
		return
	}
	units := make([]uint16, 0, int(ordinal)*unitsPerEntry)
	for _, off := range longOffsets {
		units = append(units, binary.LittleEndian.Uint16(e[off:]))
	}
	d.long, d.longAt = append(units, d.long...), append(d.longAt, at)
	d.expected--
}

func (d *dirDecoder) nextShort(e []byte, at int64) {
	le := binary.LittleEndian
	entry := dirent{
		short:    shortName(e[:11]),
		attr:     e[11],
		first:    uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:])),
		size:     int64(le.Uint32(e[28:])),
		modified: fromDOSTime(le.Uint16(e[24:]), le.Uint16(e[22:])),
		isLabel:  e[11]&attrVolume != 0,
		at:       at,
	}
	entry.name = displayName(entry.short, e[12])
	complete := d.long != nil && d.expected == 0 && d.sum == entry.short.checksum()
	if complete {
		if name, ok := longName(d.long); ok {
			entry.name, entry.longAt = name, d.longAt
			d.long = nil
		}
	}
	d.orphan()
	if !entry.isLabel && !entry.isDot() && !validName(entry.name) {
		d.report(codeName, "a file has the unusable name %q", entry.name)
		return
	}
	d.entries = append(d.entries, entry)
}

// longName decodes the units of a long name: up to NUL, filled with 0xffff.
func longName(units []uint16) (string, bool) {
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	name := string(utf16.Decode(units))
	return name, len(units) <= maxNameUnits && validName(name)
}

// validName says whether a stored name can be an element of an io/fs path.
func validName(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "/\x00") && utf8.ValidString(name)
}

// displayName forms the name of an 8.3 entry. flags may ask for lower case in the
// name (0x08) and in the extension (0x10), as Windows NT stores it.
func displayName(n shortName, flags byte) string {
	if n[0] == entryKanjiE {
		n[0] = 0xe5
	}
	base, ext := strings.TrimRight(oemText(n[:8]), " "), strings.TrimRight(oemText(n[8:]), " ")
	if flags&0x08 != 0 {
		base = strings.ToLower(base)
	}
	if flags&0x10 != 0 {
		ext = strings.ToLower(ext)
	}
	if ext == "" {
		return base
	}
	return base + "." + ext
}

// oemText decodes ASCII; what else a code page has becomes U+FFFD.
func oemText(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return utf8.RuneError
		}
		return r
	}, string(b))
}

// fromDOSTime decodes a time stamp; an impossible one gives the nearest that
// package time makes of it.
func fromDOSTime(date, clock uint16) time.Time {
	return time.Date(1980+int(date>>9), time.Month(date>>5&0x0f), int(date&0x1f),
		int(clock>>11), int(clock>>5&0x3f), int(clock&0x1f)*2, 0, time.UTC)
}

// lookup finds the entry of a path. Directories that contain themselves end
// the search.
func (f *FS) lookup(path string) (dirent, error) {
	at := dirent{name: ".", attr: attrDirectory, first: f.boot.root, modified: fromDOSTime(0x21, 0)}
	if path == "." {
		return at, nil
	}
	seen := map[uint32]bool{}
	for name := range strings.SplitSeq(path, "/") {
		if !at.isDir() {
			return dirent{}, fs.ErrNotExist
		}
		if seen[at.first] || len(seen) >= maxDepth {
			return dirent{}, fmt.Errorf("%w: directories contain each other", ErrCorrupt)
		}
		seen[at.first] = true
		entries, err := f.list(at)
		if err != nil {
			return dirent{}, err
		}
		next, ok := find(entries, name)
		if !ok {
			return dirent{}, fs.ErrNotExist
		}
		at = next
	}
	return at, nil
}

// list returns the files and directories in a directory.
func (f *FS) list(dir dirent) ([]dirent, error) {
	entries, err := f.readDirectory(dir.first, nil)
	if err != nil {
		return nil, err
	}
	var files []dirent
	for _, e := range entries {
		if !e.isLabel && !e.isDot() {
			files = append(files, e)
		}
	}
	return files, nil
}

// find looks for a long name, then for an 8.3 name.
func find(entries []dirent, name string) (dirent, bool) {
	for _, e := range entries {
		if fold(e.name) == fold(name) {
			return e, true
		}
	}
	for _, e := range entries {
		if e.short.String() == fold(name) {
			return e, true
		}
	}
	return dirent{}, false
}
