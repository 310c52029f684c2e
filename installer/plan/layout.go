package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// MaxPartitions is how many partitions a layout may have.
const MaxPartitions = 8

// maxAlignment bounds the alignment that a disk asks for: some USB bridges tell nonsense.
const maxAlignment = 64 * gpt.MiB

// kernelBytes is the least size of a RayOS Kernel partition: the tables, the log, and one
// slot.
const kernelBytes = slots.ImageOffset + slots.ImageBytes

// Errors of layouts, beside those of package gpt.
var (
	ErrLayout   = errors.New("unusable layout")
	ErrTooSmall = errors.New("disk is too small")
)

// Wish is one partition of a layout.
type Wish struct {
	Name       string
	Type       gpt.GUID
	StartBytes int64 // a multiple of the alignment; 0: behind the one before
	SizeBytes  int64 // made a multiple of 1 MiB; 0: all that is left, for the last one only
}

// Layout is a list of partitions in the order of their numbers and places. A nil one is
// the standard layout, [gpt.Layout].
type Layout []Wish

// Alignment is the unit of places on a disk with this optimal I/O size: 1 MiB, or the
// least multiple of both. Sizes that no disk really has are ignored, which ok tells.
func Alignment(optimalBytes int64, physicalSectorSize int) (bytes int64, ok bool) {
	if optimalBytes <= 0 {
		return gpt.AlignBytes, optimalBytes == 0
	}
	a, b := int64(gpt.AlignBytes), optimalBytes
	for b != 0 {
		a, b = b, a%b
	}
	whole := physicalSectorSize <= 0 || optimalBytes%int64(physicalSectorSize) == 0
	if !whole || optimalBytes > maxAlignment || optimalBytes/a > maxAlignment/gpt.AlignBytes {
		return gpt.AlignBytes, false
	}
	return optimalBytes / a * gpt.AlignBytes, true
}

// Place computes where the partitions lie on a disk of this geometry, without IDs. The
// standard layout has fixed places and needs [gpt.MinDiskBytes].
func (l Layout) Place(g gpt.Geometry, alignBytes int64) ([]gpt.Partition, error) {
	if l == nil {
		if g.DiskBytes < gpt.MinDiskBytes {
			return nil, fmt.Errorf("%w: %d bytes; the standard layout needs %d (80 GB)", ErrTooSmall, g.DiskBytes, int64(gpt.MinDiskBytes))
		}
		parts := gpt.Layout()
		return parts, g.Check(parts)
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	var parts []gpt.Partition
	for i, w := range l {
		p, err := w.place(g, alignBytes, parts, i == len(l)-1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, errors.Join(g.Check(parts), checkKernel(parts))
}

// check finds what is wrong with a layout on any disk.
func (l Layout) check() error {
	if len(l) < 1 || len(l) > MaxPartitions {
		return fmt.Errorf("%w: %d partitions; 1 to %d are possible", ErrLayout, len(l), MaxPartitions)
	}
	count := map[gpt.GUID]int{}
	for i, w := range l {
		count[w.Type]++
		switch {
		case w.Name == "" || strings.ContainsFunc(w.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
			return fmt.Errorf("%w: partition %d has no name that can be printed", ErrLayout, i+1)
		case w.Type.IsZero():
			return fmt.Errorf("%w: partition %d (%s) has no type", ErrLayout, i+1, w.Name)
		case slices.ContainsFunc(l[:i], func(o Wish) bool { return strings.EqualFold(o.Name, w.Name) }):
			return fmt.Errorf("%w: two partitions have the name %s", ErrLayout, w.Name)
		}
	}
	if n := count[gpt.TypeESP]; n != 1 {
		return fmt.Errorf("%w: it has %d EFI System Partitions, not one", ErrLayout, n)
	}
	if count[gpt.TypeRayOSKernel] > 1 || count[gpt.TypeRayOSSystem] > 1 {
		return fmt.Errorf("%w: it has two partitions of the same RayOS type", ErrLayout)
	}
	return nil
}

// place puts one partition behind those that have their places.
func (w Wish) place(g gpt.Geometry, alignBytes int64, before []gpt.Partition, last bool) (gpt.Partition, error) {
	p := gpt.Partition{Number: len(before) + 1, Name: w.Name, Type: w.Type, StartBytes: w.StartBytes, SizeBytes: roundUp(w.SizeBytes, gpt.MiB)}
	free, behind := g.FirstUsable(), "the partition table"
	if n := len(before); n > 0 {
		free, behind = before[n-1].EndBytes(), label(before[n-1])
	}
	if p.StartBytes == 0 {
		p.StartBytes = roundUp(free, alignBytes)
	}
	room := g.EndUsable() - p.StartBytes
	if w.SizeBytes == 0 && last {
		p.SizeBytes = room / gpt.MiB * gpt.MiB
	}
	switch {
	case w.StartBytes < 0 || w.SizeBytes < 0 || w.SizeBytes == 0 && !last:
		return p, fmt.Errorf("%w: %s has no size; only the last partition takes what is left", ErrLayout, label(p))
	case w.SizeBytes > 0 && w.SizeBytes < gpt.MiB:
		return p, fmt.Errorf("%w: %s has %d bytes; the least is 1 MiB", ErrLayout, label(p), w.SizeBytes)
	case p.StartBytes < free:
		return p, fmt.Errorf("%w: %s reaches to byte %d, %s starts at %d", gpt.ErrOverlap, behind, free, label(p), p.StartBytes)
	case p.StartBytes%alignBytes != 0:
		return p, fmt.Errorf("%w: %s starts at byte %d, which is no multiple of %d", gpt.ErrAlignment, label(p), p.StartBytes, alignBytes)
	case p.SizeBytes < gpt.MiB || p.SizeBytes > room:
		return p, fmt.Errorf("%w: %s, behind %s, starts at byte %d and has %d bytes; partitions may reach to byte %d",
			gpt.ErrOutOfBounds, label(p), behind, p.StartBytes, max(p.SizeBytes, gpt.MiB), g.EndUsable())
	}
	return p, nil
}

// checkKernel finds a kernel partition without room for a slot.
func checkKernel(parts []gpt.Partition) error {
	for _, p := range parts {
		if p.Type == gpt.TypeRayOSKernel && p.SizeBytes < kernelBytes {
			return fmt.Errorf("%w: %s has %d MiB; a kernel slot and the log need %d MiB", ErrLayout, label(p), p.SizeBytes>>20, int64(kernelBytes)>>20)
		}
	}
	return nil
}

func label(p gpt.Partition) string { return fmt.Sprintf("partition %d (%s)", p.Number, p.Name) }

// roundUp saturates instead of wrapping around.
func roundUp(n, unit int64) int64 {
	if n > 1<<62 {
		return 1 << 62
	}
	return (n + unit - 1) / unit * unit
}
