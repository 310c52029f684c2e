package plan

import (
	"cmp"
	"slices"
)

// MaxDisks is how many disks are listed; of the others the names are told.
const MaxDisks = 16

// Preferred returns the disks in the order in which they are offered as targets: USB disks
// first, then other disks that may be written with the user's consent, then those that must
// not be written. Disks of the same rank keep their order.
func Preferred(disks []Disk) []Disk {
	list := slices.Clone(disks)
	slices.SortStableFunc(list, func(a, b Disk) int { return cmp.Compare(a.rank(), b.rank()) })
	return list
}

func (d Disk) rank() int {
	switch {
	case len(d.Refusals(everything, nil)) > 0:
		return 3
	case d.Transport.external():
		return 0
	case d.Transport.internal():
		return 1
	}
	return 2
}
