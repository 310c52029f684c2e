package gpt

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
)

// Errors that [Geometry.Check] wraps.
var (
	ErrDiskSize    = errors.New("unusable disk size")
	ErrSectorSize  = errors.New("unusable sector size")
	ErrOverlap     = errors.New("partitions overlap")
	ErrOutOfBounds = errors.New("partition is out of bounds")
	ErrAlignment   = errors.New("partition is not aligned")
	ErrEntry       = errors.New("unusable partition entry")
)

// Sizes of the entry array that every table of ours has (UEFI 2.10 §5.3.1
// asks for at least 16 KiB).
const (
	entryBytes   = 128
	entryCount   = 128
	nameUnits    = 36
	arrayBytes   = entryBytes * entryCount
	sector512    = 512
	sector4096   = 4096
	headersBytes = 92 // defined part of the header
)

// Geometry is what a partition table must fit into.
type Geometry struct {
	DiskBytes  int64 `json:"diskBytes"`
	SectorSize int   `json:"sectorSize"` // logical sector size in bytes: 512 or 4096
}

// FirstUsable is the first byte that a partition may occupy: behind the
// protective MBR, the header and the entry array.
func (g Geometry) FirstUsable() int64 {
	return 2*int64(g.SectorSize) + roundUp(arrayBytes, int64(g.SectorSize))
}

// EndUsable is the first byte behind the last one that a partition may
// occupy: the backup entry array begins there.
func (g Geometry) EndUsable() int64 {
	s := int64(g.SectorSize)
	return g.DiskBytes/s*s - s - roundUp(arrayBytes, s)
}

// Sectors is the number of logical sectors of the disk.
func (g Geometry) Sectors() int64 { return g.DiskBytes / int64(g.SectorSize) }

func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// Check says whether a table with these partitions may be written to a disk
// of this geometry. All defects are reported, joined, each wrapping one of
// this package's errors. The order of parts does not matter.
func (g Geometry) Check(parts []Partition) error {
	if g.SectorSize != sector512 && g.SectorSize != sector4096 {
		return fmt.Errorf("%w: %d bytes; disks have 512 or 4096", ErrSectorSize, g.SectorSize)
	}
	if g.EndUsable() <= g.FirstUsable() || g.DiskBytes%int64(g.SectorSize) != 0 {
		return fmt.Errorf("%w: %d bytes is too small or no multiple of %d-byte sectors",
			ErrDiskSize, g.DiskBytes, g.SectorSize)
	}
	var errs []error
	for _, p := range parts {
		errs = append(errs, g.checkPartition(p))
	}
	errs = append(errs, checkNumbers(parts), checkOverlap(parts))
	return errors.Join(errs...)
}

func (g Geometry) checkPartition(p Partition) error {
	switch {
	case p.Number < 1 || p.Number > entryCount:
		return fmt.Errorf("%w: number %d is not in 1..%d", ErrEntry, p.Number, entryCount)
	case p.Type.IsZero():
		return fmt.Errorf("%w: %s has no type", ErrEntry, p.label())
	case len(utf16.Encode([]rune(p.Name))) > nameUnits:
		return fmt.Errorf("%w: name %q is longer than %d UTF-16 units", ErrEntry, p.Name, nameUnits)
	case p.SizeBytes <= 0 || p.StartBytes < g.FirstUsable() || p.SizeBytes > g.EndUsable()-p.StartBytes:
		return fmt.Errorf("%w: %s spans bytes %d to %d, the disk can hold partitions from %d to %d",
			ErrOutOfBounds, p.label(), p.StartBytes, p.EndBytes(), g.FirstUsable(), g.EndUsable())
	case p.StartBytes%AlignBytes != 0 || p.SizeBytes%int64(g.SectorSize) != 0:
		return fmt.Errorf("%w: %s starts at byte %d, not at a multiple of 1 MiB, or ends within a sector",
			ErrAlignment, p.label(), p.StartBytes)
	}
	return nil
}

func (p Partition) label() string { return fmt.Sprintf("partition %d (%s)", p.Number, p.Name) }

func checkNumbers(parts []Partition) error {
	seen := map[int]bool{}
	for _, p := range parts {
		if seen[p.Number] {
			return fmt.Errorf("%w: number %d is used twice", ErrEntry, p.Number)
		}
		seen[p.Number] = true
	}
	return nil
}

func checkOverlap(parts []Partition) error {
	var errs []error
	eachOverlap(parts, func(a, b Partition) {
		errs = append(errs, fmt.Errorf("%w: %s reaches to byte %d, %s starts at %d",
			ErrOverlap, a.label(), a.EndBytes(), b.label(), b.StartBytes))
	})
	return errors.Join(errs...)
}

// eachOverlap calls report for every partition that starts before one that
// lies in front of it has ended.
func eachOverlap(parts []Partition, report func(before, p Partition)) {
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.StartBytes, b.StartBytes), cmp.Compare(a.Number, b.Number))
	})
	var furthest Partition // of those before p, the one that reaches furthest
	for _, p := range sorted {
		if furthest.EndBytes() > p.StartBytes {
			report(furthest, p)
		}
		if p.EndBytes() > furthest.EndBytes() {
			furthest = p
		}
	}
}
