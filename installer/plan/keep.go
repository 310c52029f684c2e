package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/signature"
)

// ours reports whether a partition belongs to RayOS itself. Whatever is another one's
// belongs to a guest.
func ours(p gpt.Partition) bool {
	return p.Type == gpt.TypeESP || p.Type == gpt.TypeRayOSKernel || p.Type == gpt.TypeRayOSSystem
}

// foreign says why RayOS cannot be installed anew beside what lies on the disk, empty where
// it can: the table must be whole, and its partitions of RayOS must be where the new ones
// will be.
func foreign(c signature.Content, after []gpt.Partition) string {
	switch {
	case c.Table != signature.GPT:
		return "there is no GPT on it"
	case len(c.Damage) > 0:
		return "its partition table is damaged: " + c.Damage[0]
	}
	known := 0
	for _, want := range after {
		if !ours(want) {
			continue
		}
		have, ok := c.GUIDTable.Find(want.Number)
		switch {
		case !ok:
			return fmt.Sprintf("it has no partition %d (%s)", want.Number, want.Name)
		case have.Type != want.Type || have.StartBytes != want.StartBytes || have.SizeBytes != want.SizeBytes:
			return fmt.Sprintf("its partition %d (%s) is not the %s of RayOS", have.Number, have.Name, want.Name)
		}
		known++
	}
	for _, have := range c.GUIDTable.Partitions {
		if ours(have) {
			known--
		}
	}
	if known != 0 {
		return "it has more partitions of RayOS's types than the layout"
	}
	return ""
}

// keepGuests replaces all partitions but those of RayOS by those that are on the disk.
func keepGuests(after []gpt.Partition, now gpt.Table) (parts []gpt.Partition, kept []int) {
	for _, p := range after {
		if ours(p) {
			parts = append(parts, p)
		}
	}
	for _, p := range now.Partitions {
		if !ours(p) {
			parts = append(parts, p)
			kept = append(kept, p.Number)
		}
	}
	slices.SortFunc(parts, func(a, b gpt.Partition) int { return cmp.Compare(a.Number, b.Number) })
	return parts, kept
}
