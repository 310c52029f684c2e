package gpt

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
)

// Finding is one defect of a table. Code is stable and meant for programs;
// Text is for people.
type Finding struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Table is a decoded partition table.
type Table struct {
	Geometry
	DiskID     GUID        `json:"diskID"`
	Partitions []Partition `json:"partitions"`
	FromBackup bool        `json:"fromBackup"` // the primary copy is unusable
}

// Find returns the partition of that number.
func (t Table) Find(number int) (Partition, bool) {
	for _, p := range t.Partitions {
		if p.Number == number {
			return p, true
		}
	}
	return Partition{}, false
}

// tableCopy is one of the two copies of the table.
type tableCopy struct {
	name    string // "primary" or "backup"
	header  Header
	entries []entry
	err     error
}

// Read decodes both copies of the table on a disk of diskBytes and reports
// what is wrong with it. The sector size is found by looking for the headers.
// The table comes from the primary copy, or from the backup where the primary
// is unusable. The error is [ErrNoTable] where there is no header at all, or
// says why neither copy can be used.
//
// Partitions which do not lie on the disk, or which do not fit 63-bit byte
// positions, are reported and left out of the table.
func Read(r io.ReaderAt, diskBytes int64) (Table, []Finding, error) {
	sectorSize, err := findSectorSize(r, diskBytes)
	if err != nil {
		return Table{}, nil, err
	}
	d := &decoder{r: r, g: Geometry{DiskBytes: diskBytes, SectorSize: sectorSize}}
	primary := d.readCopy("primary", 1)
	backupLBA := uint64(d.g.Sectors() - 1)
	if primary.err == nil && primary.header.OtherLBA != backupLBA {
		d.report("gpt-backup-misplaced", "the backup header is at LBA %d, the last sector is %d: the disk was made larger or smaller",
			primary.header.OtherLBA, backupLBA)
		backupLBA = primary.header.OtherLBA
	}
	backup := d.readCopy("backup", backupLBA)
	d.checkMBR()
	for _, c := range []tableCopy{primary, backup} {
		if c.err != nil {
			d.report("gpt-"+c.name+"-unusable", "%s table: %v", c.name, c.err)
		}
	}
	use := primary
	if primary.err != nil {
		use = backup
	}
	if use.err != nil {
		return Table{}, d.findings, fmt.Errorf("read partition table: %w (backup: %w)", primary.err, backup.err)
	}
	if primary.err == nil && backup.err == nil {
		d.compare(primary, backup)
	}
	t := Table{Geometry: d.g, DiskID: use.header.DiskID, FromBackup: use.name == "backup"}
	t.Partitions = d.partitions(use)
	return t, d.findings, nil
}

// decoder carries what the steps of Read share.
type decoder struct {
	r        io.ReaderAt
	g        Geometry
	findings []Finding
}

func (d *decoder) report(code, format string, args ...any) {
	d.findings = append(d.findings, Finding{Code: code, Text: fmt.Sprintf(format, args...)})
}

// findSectorSize looks for a header in the second and in the last sector.
func findSectorSize(r io.ReaderAt, diskBytes int64) (int, error) {
	for _, backup := range []bool{false, true} {
		for _, size := range []int64{sector512, sector4096} {
			off := size
			if backup {
				off = diskBytes/size*size - size
			}
			buf := make([]byte, len(signature))
			if off < 0 || off+size > diskBytes {
				continue
			}
			if _, err := r.ReadAt(buf, off); err != nil {
				return 0, fmt.Errorf("read partition table at byte %d: %w", off, err)
			}
			if string(buf) == signature {
				return int(size), nil
			}
		}
	}
	return 0, fmt.Errorf("read partition table: %w at the second or the last sector", ErrNoTable)
}

// readCopy reads the copy whose header is at lba.
func (d *decoder) readCopy(name string, lba uint64) tableCopy {
	c := tableCopy{name: name}
	sector := make([]byte, d.g.SectorSize)
	if c.err = d.readAt(sector, lba); c.err != nil {
		return c
	}
	if c.header, c.err = DecodeHeader(sector); c.err != nil {
		return c
	}
	if len(bytes.Trim(sector[headersBytes:], "\x00")) != 0 {
		d.report("gpt-reserved", "the rest of the %s header's sector is not zero", name)
	}
	if c.header.SelfLBA != lba {
		c.err = fmt.Errorf("%w: it says that it is at LBA %d but is at %d", ErrHeader, c.header.SelfLBA, lba)
		return c
	}
	array := make([]byte, c.header.arrayBytes())
	if c.err = d.readAt(array, c.header.ArrayLBA); c.err != nil {
		return c
	}
	c.entries, c.err = decodeArray(c.header, array)
	return c
}

// readAt fills b from an LBA which may be any value.
func (d *decoder) readAt(b []byte, lba uint64) error {
	size := int64(len(b))
	if lba >= uint64(d.g.Sectors()) || int64(lba)*int64(d.g.SectorSize) > d.g.DiskBytes-size {
		return fmt.Errorf("%w: LBA %d is behind the end of the disk", ErrHeader, lba)
	}
	if _, err := d.r.ReadAt(b, int64(lba)*int64(d.g.SectorSize)); err != nil {
		return fmt.Errorf("read LBA %d: %w", lba, err)
	}
	return nil
}

// compare reports differences between the copies; only the places of the
// header and of its array may differ.
func (d *decoder) compare(primary, backup tableCopy) {
	p, b := primary.header, backup.header
	if b.OtherLBA != p.SelfLBA {
		d.report("gpt-copies-differ", "the backup header points to LBA %d as the primary one", b.OtherLBA)
	}
	b.SelfLBA, b.OtherLBA, b.ArrayLBA = p.SelfLBA, p.OtherLBA, p.ArrayLBA
	if p != b {
		d.report("gpt-copies-differ", "primary and backup header differ")
	}
	if !reflect.DeepEqual(primary.entries, backup.entries) {
		d.report("gpt-copies-differ", "primary and backup entries differ")
	}
}

// partitions turns the entries of c into byte positions and checks them.
func (d *decoder) partitions(c tableCopy) []Partition {
	if last := uint64(d.g.Sectors() - 1); c.header.LastUsable >= last || c.header.FirstUsable < 2 {
		d.report("gpt-usable-range", "usable LBAs %d to %d cover the table itself", c.header.FirstUsable, c.header.LastUsable)
	}
	var parts []Partition
	ids := map[GUID]int{}
	for _, e := range c.entries {
		if e.first > e.last || e.first < c.header.FirstUsable || e.last > c.header.LastUsable {
			d.report("gpt-out-of-bounds", "partition %d (%s) spans LBA %d to %d, usable are %d to %d",
				e.number, e.name, e.first, e.last, c.header.FirstUsable, c.header.LastUsable)
		}
		if first, used := ids[e.id]; used {
			d.report("gpt-duplicate-id", "partitions %d and %d have the same unique GUID %s", first, e.number, e.id)
		} else if e.id.IsZero() {
			d.report("gpt-no-id", "partition %d (%s) has no unique GUID", e.number, e.name)
		}
		ids[e.id] = e.number
		if e.first > e.last || e.last >= uint64(d.g.Sectors()) {
			continue
		}
		s := int64(d.g.SectorSize)
		parts = append(parts, Partition{
			Number: e.number, Name: e.name, Type: e.typ, ID: e.id, Attributes: e.attributes,
			StartBytes: int64(e.first) * s, SizeBytes: int64(e.last-e.first+1) * s,
		})
	}
	eachOverlap(parts, func(a, b Partition) {
		d.report("gpt-overlap", "%s reaches to byte %d, %s starts at %d", a.label(), a.EndBytes(), b.label(), b.StartBytes)
	})
	return parts
}
