package write

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
)

// tear is what every disk writes as a whole or not at all.
const tear = 512

// simDisk is a disk with a volatile cache: what is written becomes durable sector by
// sector, in any order, until it is flushed. The bytes of a sector never change, another
// sector takes its place, so that a copy of a disk costs little.
type simDisk struct {
	durable [][]byte
	cached  [][]byte // nil where the durable sector is the newest
	pending []int    // the cached sectors, in the order in which they were first written
	by      []uint32 // the operation that wrote a cached sector
	applied uint32   // operations
	flushed uint32   // the operation that made the durable sectors what they are
	discard discarding
	ops     []operation

	failAt func(op string, offset, length int64) error // of the medium
}

// operation is what was done to a disk: sectors were written, or it was flushed.
type operation struct {
	flush   bool
	first   int
	sectors [][]byte
}

// discarding is how a disk takes discards.
type discarding int

const (
	cannotDiscard discarding = iota
	discardToZeros
	discardToGarbage
)

// newSimDisk makes a disk of its content.
func newSimDisk(base []byte) *simDisk {
	return over(slices.Collect(slices.Chunk(base, tear)), cannotDiscard)
}

// again is the disk after the power came back.
func (d *simDisk) again() *simDisk {
	return over(slices.Clone(d.durable), d.discard)
}

func over(durable [][]byte, discard discarding) *simDisk {
	return &simDisk{durable: durable, cached: make([][]byte, len(durable)), by: make([]uint32, len(durable)), discard: discard}
}

func (d *simDisk) fails(op string, offset, length int64) error {
	if d.failAt == nil {
		return nil
	}
	return d.failAt(op, offset, length)
}

func (d *simDisk) sector(s int) []byte {
	if data := d.cached[s]; data != nil {
		return data
	}
	return d.durable[s]
}

func (d *simDisk) ReadAt(p []byte, off int64) (int, error) {
	if err := d.fails("read", off, int64(len(p))); err != nil {
		return 0, err
	}
	for n := 0; n < len(p); {
		at := off + int64(n)
		n += copy(p[n:], d.sector(int(at / tear))[at%tear:])
	}
	return len(p), nil
}

// WriteAt writes whole sectors, as all must who write a disk.
func (d *simDisk) WriteAt(p []byte, off int64) (int, error) {
	if err := d.fails("write", off, int64(len(p))); err != nil {
		return 0, err
	}
	first := int(off / tear)
	before := int(off % tear)
	padded := make([]byte, (before+len(p)+tear-1)/tear*tear)
	for i, sector := range slices.Collect(slices.Chunk(padded, tear)) {
		copy(sector, d.sector(first+i))
	}
	copy(padded[before:], p)
	d.do(operation{first: first, sectors: slices.Collect(slices.Chunk(padded, tear))})
	return len(p), nil
}

// What sectors hold that were discarded.
var (
	noSector = make([]byte, tear)
	garbage  = func() (sectors [251][]byte) {
		for i := range sectors {
			sectors[i] = bytes.Repeat([]byte{byte(i), byte(3*i) | 1}, tear/2)
		}
		return sectors
	}()
)

func (d *simDisk) Discard(offset, length int64) (bool, error) {
	if err := d.fails("discard", offset, length); err != nil {
		return false, err
	}
	if d.discard == cannotDiscard {
		return false, fmt.Errorf("discard: %w", errors.ErrUnsupported)
	}
	op := operation{first: int(offset / tear)}
	for i := range int(length / tear) {
		sector := noSector
		if d.discard == discardToGarbage {
			sector = garbage[i%len(garbage)]
		}
		op.sectors = append(op.sectors, sector)
	}
	d.do(op)
	return d.discard == discardToZeros, nil
}

func (d *simDisk) Sync() error {
	if err := d.fails("sync", 0, 0); err != nil {
		return err
	}
	d.do(operation{flush: true})
	return nil
}

func (d *simDisk) do(op operation) {
	d.ops = append(d.ops, op)
	d.apply(op)
}

func (d *simDisk) apply(op operation) {
	d.applied++
	if op.flush && len(d.pending) > 0 {
		d.cut(func(int) bool { return true })
		d.flushed = d.applied
	}
	for i, data := range op.sectors {
		s := op.first + i
		if d.cached[s] == nil {
			d.pending = append(d.pending, s)
		}
		d.cached[s], d.by[s] = data, d.applied
	}
}

// cut ends the power: of the cached sectors those become durable that persist tells.
func (d *simDisk) cut(persist func(n int) bool) {
	for i, s := range d.pending {
		if persist(i) {
			d.durable[s] = d.cached[s]
		}
		d.cached[s] = nil
	}
	d.pending = nil
}

// cutOnto makes a disk that has what is durable on this one what this one is after a cut of
// the power; undo makes it what it was.
func (d *simDisk) cutOnto(after *simDisk, persist func(n int) bool) (undo func()) {
	for i, s := range d.pending {
		if persist(i) {
			after.durable[s] = d.cached[s]
		}
	}
	return func() {
		for _, s := range d.pending {
			after.durable[s] = d.durable[s]
		}
	}
}

var seed = maphash.MakeSeed()

// stateAfter tells states of the disk after a cut from each other, over all operations: by
// what is durable, and which operations have written what became so.
func (d *simDisk) stateAfter(persist func(n int) bool) (hash uint64) {
	b := binary.LittleEndian.AppendUint32(nil, d.flushed)
	for i, s := range d.pending {
		if persist(i) {
			b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(s)), d.by[s])
		}
	}
	return maphash.Bytes(seed, b)
}

// patterns are which of the cached sectors survive a cut: none, all, the first or the last
// ones, one alone, all but one, every other one, and random ones.
func patterns(seed uint64) []func(n int) bool {
	list := []func(n int) bool{
		func(int) bool { return false },
		func(int) bool { return true },
		func(n int) bool { return n%2 == 0 },
		func(n int) bool { return n%2 == 1 },
	}
	for _, at := range []int{0, 1, 2, 7, 15, 31, 32, 33, 500} {
		list = append(list,
			func(n int) bool { return n < at },
			func(n int) bool { return n >= at },
			func(n int) bool { return n == at },
			func(n int) bool { return n != at })
	}
	for i := range uint64(8) {
		list = append(list, func(n int) bool { return mix(seed*1000+i*100+uint64(n))&1 == 0 })
	}
	return list
}

// mix scatters the bits of a number (the finaliser of SplitMix64).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
