package image

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/content"
)

// ErrTooSmall says that the disk is smaller than what RayOS accepts.
var ErrTooSmall = errors.New("disk is too small")

// Spec says what an image holds.
type Spec struct {
	SizeBytes  int64  // of the disk
	SectorSize int    // logical sector size in bytes: 512 or 4096
	Seed       string // source of all identifiers; "" makes random ones
	// Modified is the time stamp of all files; its wall clock is stored.
	Modified time.Time

	BootManager []byte // PE image, becomes BOOTX64.EFI
	// System is what RayOS itself boots; nil makes an image that has only
	// the boot manager, loader.conf, Entries and Payload.
	System *System
	// Installer adds an entry that installs RayOS from this disk onto another one, and makes it
	// the default. It needs System.
	Installer bool
	Entries   []fat32.File // further BLS Type #1 entries; Path is the file name
	// Payload are further files of the ESP, by their paths there. They
	// replace files of the same path.
	Payload []fat32.File
	// ESPOnly makes a disk with an ESP that fills it and no other partition;
	// there is no kernel slot then, and no least size but the ESP's own.
	ESPOnly bool
	// Partitions, if set, take the place of the standard layout, with one ESP and at most
	// one RayOS Kernel partition. Those without an ID get one.
	Partitions []gpt.Partition
	// Areas are what the partitions of guests hold, each with a partition of its type.
	Areas []content.Area
	// GoldenKey, if set, makes the boot manager accept only golden snapshots that
	// are signed with it, and System the first of them.
	GoldenKey *GoldenKey
}

// System is the RayOS kernel with what belongs to it.
type System struct {
	Release     string // kernel release, part of file names
	Kernel      []byte // EFI kernel image
	Initrd      []byte // may be empty
	Options     string // command line
	SafeOptions string // command line of the safe mode
}

// layout returns the partitions of the disk, checked, with their IDs.
func (s Spec) layout(ids identity) ([]gpt.Partition, error) {
	g := gpt.Geometry{DiskBytes: s.SizeBytes, SectorSize: s.SectorSize}
	parts := gpt.Layout()
	switch {
	case s.Partitions != nil:
		parts = slices.Clone(s.Partitions)
		if !slices.ContainsFunc(parts, isESP) {
			return nil, errors.New("lay out partitions: there is no EFI System Partition")
		}
	case s.ESPOnly:
		parts = parts[:1]
		parts[0].SizeBytes = (s.SizeBytes - 2*gpt.AlignBytes) / gpt.AlignBytes * gpt.AlignBytes
	case s.SizeBytes < gpt.MinDiskBytes:
		return nil, fmt.Errorf("%w: %d bytes; RayOS needs %d (80 GB), and the image is sparse, so it takes only the space of its content",
			ErrTooSmall, s.SizeBytes, int64(gpt.MinDiskBytes))
	}
	if err := g.Check(parts); err != nil {
		return nil, fmt.Errorf("lay out partitions: %w", err)
	}
	for i := range parts {
		if parts[i].ID.IsZero() {
			parts[i].ID = ids.guid(fmt.Sprintf("partition %d", parts[i].Number))
		}
	}
	return parts, nil
}

// checkAreas finds areas that no partition takes.
func (s Spec) checkAreas(parts []gpt.Partition) error {
	for _, a := range s.Areas {
		i := slices.IndexFunc(parts, func(p gpt.Partition) bool { return p.Type == a.Type })
		if i < 0 {
			return fmt.Errorf("%s: the disk has no partition of the type %s for it", a.Name, gpt.TypeName(a.Type))
		}
		if err := a.Check(parts[i]); err != nil {
			return err
		}
	}
	return nil
}
