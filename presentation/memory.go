package presentation

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// MaxRegions is the number of regions that a guest's memory may have.
const MaxRegions = 512

// ErrOutside is in the chain of the errors about guest memory that is not there.
var ErrOutside = errors.New("outside of the guest's memory")

// Region is one piece of a guest's memory as this process sees it.
type Region struct {
	Addr  uint64 // guest-physical address of the first byte
	Bytes []byte
}

// Range is a piece of guest memory, as a guest names it.
type Range struct {
	Addr uint64 // guest-physical
	Size uint64 // bytes
}

// Memory is the memory map of a guest. The zero value has no memory.
type Memory struct {
	regions []Region // by address, not overlapping
}

// NewMemory makes a memory map. Regions may come in any order; they must not
// overlap, be empty or reach over the end of the address space.
func NewMemory(regions []Region) (Memory, error) {
	if len(regions) > MaxRegions {
		return Memory{}, fmt.Errorf("map guest memory: %d regions, at most %d are taken", len(regions), MaxRegions)
	}
	sorted := slices.Clone(regions)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Addr < sorted[j].Addr })
	for i, r := range sorted {
		last := r.Addr + uint64(len(r.Bytes)) - 1
		if len(r.Bytes) == 0 || last < r.Addr {
			return Memory{}, fmt.Errorf("map guest memory: region of %d bytes at %#x is empty or reaches over the end", len(r.Bytes), r.Addr)
		}
		if i+1 < len(sorted) && last >= sorted[i+1].Addr {
			return Memory{}, fmt.Errorf("map guest memory: regions at %#x and %#x overlap", r.Addr, sorted[i+1].Addr)
		}
	}
	return Memory{sorted}, nil
}

// Regions returns the regions by address.
func (m Memory) Regions() []Region { return slices.Clone(m.regions) }

// Bytes returns the memory of r, which must lie within one region.
func (m Memory) Bytes(r Range) ([]byte, error) {
	b, err := m.head(r)
	if err != nil {
		return nil, err
	}
	if uint64(len(b)) < r.Size {
		return nil, fmt.Errorf("%d bytes at %#x: %w", r.Size, r.Addr, ErrOutside)
	}
	return b, nil
}

// Append adds the pieces of memory that r consists of to pieces. A range may
// reach over several regions if they follow each other without a gap.
func (m Memory) Append(pieces [][]byte, r Range) ([][]byte, error) {
	if r.Size == 0 || r.Addr+r.Size-1 < r.Addr {
		return pieces, fmt.Errorf("%d bytes at %#x: %w", r.Size, r.Addr, ErrOutside)
	}
	for r.Size > 0 {
		b, err := m.head(r)
		if err != nil {
			return pieces, err
		}
		pieces = append(pieces, b)
		// At the last byte of the address space the sum becomes 0, and the size too.
		r = Range{r.Addr + uint64(len(b)), r.Size - uint64(len(b))}
	}
	return pieces, nil
}

// head returns as much of r as one region has, at least one byte if r has any.
func (m Memory) head(r Range) ([]byte, error) {
	i := sort.Search(len(m.regions), func(i int) bool { return m.regions[i].Addr > r.Addr }) - 1
	if i < 0 || r.Addr-m.regions[i].Addr >= uint64(len(m.regions[i].Bytes)) {
		return nil, fmt.Errorf("%d bytes at %#x: %w", r.Size, r.Addr, ErrOutside)
	}
	b := m.regions[i].Bytes[r.Addr-m.regions[i].Addr:]
	if uint64(len(b)) > r.Size {
		b = b[:r.Size]
	}
	return b[:len(b):len(b)], nil
}
