package fat32

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of the reader.
var (
	ErrNotFAT32 = errors.New("not a FAT32 volume")
	ErrCorrupt  = errors.New("corrupt FAT32 volume")
)

// FS is an opened volume. It implements [fs.FS], [fs.ReadDirFS] and
// [fs.StatFS]; names are compared without regard to case. Its files are also
// [io.ReaderAt] and [io.Seeker].
//
// Nothing on a hostile volume makes it panic, loop, or use more memory than
// a few MiB. But directories may be linked so that the tree looks endless:
// who walks one must bound his steps.
type FS struct {
	geometry
	r    io.ReaderAt
	boot bootFields
}

// bootFields are the fields of the boot sector that are not geometry.
type bootFields struct {
	root      uint32 // first cluster of the root directory
	activeFAT int64
	mirrored  bool // all FATs are kept equal
	info      int64
	backup    int64 // sector of the backup boot sector, 0 where there is none
	hidden    uint32
	serial    uint32
	label     string
}

// Open reads the boot sector of the volume that r holds in its first sizeBytes
// bytes. It fails with [ErrNotFAT32] or [ErrCorrupt].
func Open(r io.ReaderAt, sizeBytes int64) (*FS, error) {
	b := make([]byte, 512)
	if n, err := r.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("read boot sector: %w", err)
	}
	f := &FS{r: r}
	if err := f.decodeBoot(b); err != nil {
		return nil, fmt.Errorf("read boot sector: %w", err)
	}
	if have, need := sizeBytes/f.sectorBytes, f.totalSectors; need > have {
		return nil, fmt.Errorf("read boot sector: %w: the volume has %d sectors, its partition %d", ErrCorrupt, need, have)
	}
	return f, nil
}

// decodeBoot decodes the boot sector (FAT §3.1 to §3.3).
func (f *FS) decodeBoot(b []byte) error {
	le := binary.LittleEndian
	sector, cluster := int64(le.Uint16(b[11:])), int64(b[13])
	switch {
	case b[510] != 0x55 || b[511] != 0xaa:
		return fmt.Errorf("%w: no signature 55 AA", ErrNotFAT32)
	case sector < 512 || sector > 4096 || sector&(sector-1) != 0:
		return fmt.Errorf("%w: %d bytes per sector", ErrNotFAT32, sector)
	case cluster == 0 || cluster&(cluster-1) != 0 || cluster*sector > 64<<10:
		return fmt.Errorf("%w: %d sectors per cluster", ErrNotFAT32, cluster)
	case le.Uint16(b[17:]) != 0 || le.Uint16(b[22:]) != 0 || le.Uint16(b[42:]) != 0:
		return fmt.Errorf("%w: FAT12 or FAT16, or a later version", ErrNotFAT32)
	}
	f.geometry = geometry{
		sectorBytes: sector, clusterSectors: cluster,
		totalSectors: int64(le.Uint32(b[32:])),
		reserved:     int64(le.Uint16(b[14:])),
		fats:         int64(b[16]),
		fatSectors:   int64(le.Uint32(b[36:])),
	}
	flags := le.Uint16(b[40:])
	f.boot = bootFields{
		root:     le.Uint32(b[44:]),
		mirrored: flags&0x80 == 0,
		info:     int64(le.Uint16(b[48:])),
		backup:   int64(le.Uint16(b[50:])),
		hidden:   le.Uint32(b[28:]),
		serial:   le.Uint32(b[67:]),
		label:    strings.TrimRight(oemText(b[71:82]), " "),
	}
	if !f.boot.mirrored {
		f.boot.activeFAT = int64(flags & 0x0f)
	}
	return f.checkBoot()
}

func (f *FS) checkBoot() error {
	front := f.reserved + f.fats*f.fatSectors
	f.clusters = (f.totalSectors - front) / f.clusterSectors
	switch {
	case f.reserved == 0 || f.fats < 1 || f.fats > 2 || f.fatSectors == 0 || f.boot.activeFAT >= f.fats:
		return fmt.Errorf("%w: %d reserved sectors, %d FATs of %d sectors, number %d is active",
			ErrCorrupt, f.reserved, f.fats, f.fatSectors, f.boot.activeFAT)
	case front >= f.totalSectors || f.clusters < 1 || f.clusters > maxClusters:
		return fmt.Errorf("%w: %d sectors leave no sensible room for data", ErrCorrupt, f.totalSectors)
	case (f.clusters+rootCluster)*entryBytes > f.fatSectors*f.sectorBytes:
		return fmt.Errorf("%w: the FAT is too short for %d clusters", ErrCorrupt, f.clusters)
	case !f.inRange(f.boot.root):
		return fmt.Errorf("%w: the root directory is at cluster %d", ErrCorrupt, f.boot.root)
	}
	return nil
}

// Info describes a volume.
type Info struct {
	Label         string `json:"label"`
	Serial        uint32 `json:"serial"`
	SizeBytes     int64  `json:"sizeBytes"`
	SectorSize    int64  `json:"sectorSize"`
	ClusterBytes  int64  `json:"clusterBytes"`
	Clusters      int64  `json:"clusters"`
	HiddenSectors uint32 `json:"hiddenSectors"`
}

// Info returns what the boot sector says.
func (f *FS) Info() Info {
	return Info{
		Label: f.boot.label, Serial: f.boot.serial, SizeBytes: f.totalSectors * f.sectorBytes, SectorSize: f.sectorBytes,
		ClusterBytes: f.clusterBytes(), Clusters: f.clusters, HiddenSectors: f.boot.hidden,
	}
}
