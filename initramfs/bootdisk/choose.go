// Package bootdisk finds the disk that the machine was booted from: the one
// whose EFI system partition has the PARTUUID that the boot loader left in an
// EFI variable, and on it the install ID that the RayOS boot manager handed over.
// Both together tell a disk from another installation. A clone, which has the same
// of both, is told by the attempt that the boot manager has just recorded.
//
// [Choose] decides and is pure; [Finder] looks at the disks.
package bootdisk

import (
	"fmt"
	"slices"
	"strings"
)

// Wanted is what the boot loader handed over. Empty fields were not.
type Wanted struct {
	PartUUID  string // LoaderDevicePartUUID: the ESP that the loader was read from
	InstallID string // RayosInstallID: the content of \EFI\rayos\install.id there
}

func (w Wanted) String() string {
	if w.InstallID == "" {
		return "an ESP with PARTUUID " + w.PartUUID
	}
	return "an ESP with PARTUUID " + w.PartUUID + " and install ID " + w.InstallID
}

// Candidate is an EFI system partition with the wanted PARTUUID.
type Candidate struct {
	Disk      string // kernel name of the disk, such as vda
	Partition string // kernel name of the ESP, such as vda1
	Kernel    string // kernel name of the disk's RayOS Kernel partition, such as vda2; "" if it has none
	InstallID string // "" where Problem says why
	Problem   error  // the install ID cannot be read
	Attempted bool   // the boot manager recorded this boot's attempt on it
}

// Choose picks the boot disk. The error says what was looked for and what was
// found instead; no disk is better than a wrong one.
func Choose(w Wanted, candidates []Candidate) (Candidate, error) {
	var fit []Candidate
	var others []string
	for _, c := range candidates {
		switch {
		case w.InstallID == "" || c.Problem == nil && strings.EqualFold(c.InstallID, w.InstallID):
			fit = append(fit, c)
		case c.Problem != nil:
			others = append(others, fmt.Sprintf("%s: %v", c.Partition, c.Problem))
		default:
			others = append(others, fmt.Sprintf("%s: install ID %s", c.Partition, c.InstallID))
		}
	}
	if attempted := slices.DeleteFunc(slices.Clone(fit), func(c Candidate) bool { return !c.Attempted }); len(attempted) == 1 {
		return attempted[0], nil
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		names := make([]string, len(fit))
		for i, c := range fit {
			names[i] = c.Partition
		}
		return Candidate{}, fmt.Errorf("boot disk: %s are clones of each other (%v): none is used; remove all but one and boot again", strings.Join(names, ", "), w)
	case len(others) > 0:
		return Candidate{}, fmt.Errorf("boot disk: looked for %v; the PARTUUID fits, the install ID does not: %s", w, strings.Join(others, "; "))
	}
	return Candidate{}, fmt.Errorf("boot disk: looked for %v; no disk has it", w)
}
