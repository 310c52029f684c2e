package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rayos/rayboot/gpt"
)

// ErrChanged says that a disk is not any more what it was when the plan was made.
var ErrChanged = errors.New("the disk has changed since the plan was made")

// Plan is what will be done to a disk. It holds for this disk in this state only; [Plan.Check]
// tells. Its JSON names are part of rayimg's interface.
type Plan struct {
	Disk   Disk            `json:"disk"`
	DiskID gpt.GUID        `json:"diskID"` // of the new table
	After  []gpt.Partition `json:"after"`  // with their unique IDs
	Kept   []int           `json:"kept,omitempty"`
	Notes  []string        `json:"notes,omitempty"` // for the user, whatever he answers

	consent Consent
}

// Request says what the user wants.
type Request struct {
	Layout  Layout
	Consent Consent
	NewID   func() gpt.GUID // gives a random GUID at each call
}

// New plans an installation. The error is a [RefusedError], or says what is wrong with the
// layout.
func New(d Disk, req Request) (Plan, error) {
	g := gpt.Geometry{DiskBytes: d.SizeBytes, SectorSize: d.SectorSize}
	if err := d.Refuse(everything, nil); err != nil {
		return Plan{}, err // most of all, a layout does not fit a disk without a medium
	}
	align, told := Alignment(d.OptimalBytes, d.PhysicalSectorSize)
	p := Plan{Disk: d, consent: req.Consent}
	after, err := req.Layout.Place(g, align)
	if err != nil {
		return Plan{}, fmt.Errorf("lay out %s: %w", d.Name, err)
	}
	if err := d.Refuse(req.Consent, after); err != nil {
		return Plan{}, err
	}
	switch {
	case !told:
		p.Notes = append(p.Notes, fmt.Sprintf("the disk tells an optimal I/O size of %d bytes, which cannot be; partitions are aligned to 1 MiB", d.OptimalBytes))
	case req.Layout == nil && align != gpt.AlignBytes:
		p.Notes = append(p.Notes, fmt.Sprintf("the standard layout has fixed places, which are no multiples of the disk's optimal I/O size of %d bytes", d.OptimalBytes))
	}
	p.DiskID = req.NewID()
	for i := range after {
		after[i].ID = req.NewID()
	}
	if p.After = after; req.Consent.KeepGuests {
		p.After, p.Kept = keepGuests(after, d.Content.GUIDTable)
	}
	return p, g.Check(p.After)
}

// Check says whether the plan still holds: now is the disk as it is now. It fails with
// [ErrChanged], or with a [RefusedError] for a disk that somebody has begun to use.
func (p Plan) Check(now Disk) error {
	if change := now.Changed(p.Disk); change != "" {
		return fmt.Errorf("%s: %w: %s; nothing was written, look at it again", p.Disk.Name, ErrChanged, change)
	}
	return now.Refuse(p.consent, p.After)
}

// Keeps reports whether a partition is left as it is.
func (p Plan) Keeps(number int) bool { return slices.Contains(p.Kept, number) }

// Geometry is that of the disk.
func (p Plan) Geometry() gpt.Geometry {
	return gpt.Geometry{DiskBytes: p.Disk.SizeBytes, SectorSize: p.Disk.SectorSize}
}
