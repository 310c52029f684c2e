// Package cuttest is for tests: a disk with a volatile cache on which the power is cut at
// every operation, with many sets of sectors that became durable.
package cuttest

import (
	"io"
	"maps"
	"slices"
)

// SectorBytes is what every disk writes as a whole or not at all.
const SectorBytes = 512

// Disk is a disk whose writes become durable sector by sector, in any order, until it is
// flushed. It lies over a disk that it does not change.
type Disk struct {
	base    io.ReaderAt
	durable map[int64][]byte // sectors that differ from the base
	cached  map[int64][]byte
	pending []int64 // the cached ones, in the order in which they were first written
	ops     []operation
}

// operation is a write of sectors, or a flush.
type operation struct {
	flush   bool
	first   int64
	sectors [][]byte
}

// New lays a disk over another one.
func New(base io.ReaderAt) *Disk {
	return &Disk{base: base, durable: map[int64][]byte{}, cached: map[int64][]byte{}}
}

// Operations is how many writes and flushes there were.
func (d *Disk) Operations() int { return len(d.ops) }

// ReadAt implements [io.ReaderAt].
func (d *Disk) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		at := off + int64(n)
		into := at % SectorBytes
		want := min(len(p)-n, int(SectorBytes-into))
		if b := d.sector(at / SectorBytes); b != nil {
			n += copy(p[n:n+want], b[into:])
			continue
		}
		for n+want < len(p) && d.sector((off+int64(n+want))/SectorBytes) == nil {
			want += min(len(p)-n-want, SectorBytes)
		}
		got := 0
		got, err = d.base.ReadAt(p[n:n+want], at)
		if n += got; got == want {
			err = nil
		}
	}
	return n, err
}

// sector is what a sector holds, nil if that is what the base has.
func (d *Disk) sector(s int64) []byte {
	if b := d.cached[s]; b != nil {
		return b
	}
	return d.durable[s]
}

// WriteAt implements [io.WriterAt].
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	first, into := off/SectorBytes, off%SectorBytes
	whole := make([]byte, (into+int64(len(p))+SectorBytes-1)/SectorBytes*SectorBytes)
	if int(into)+len(p) < len(whole) || into > 0 {
		if _, err := d.ReadAt(whole, first*SectorBytes); err != nil {
			return 0, err
		}
	}
	copy(whole[into:], p)
	d.do(operation{first: first, sectors: slices.Collect(slices.Chunk(whole, SectorBytes))})
	return len(p), nil
}

// Sync flushes the cache.
func (d *Disk) Sync() error {
	d.do(operation{flush: true})
	return nil
}

func (d *Disk) do(op operation) {
	d.ops = append(d.ops, op)
	d.apply(op)
}

func (d *Disk) apply(op operation) {
	if op.flush {
		maps.Copy(d.durable, d.cached)
		clear(d.cached)
		d.pending = nil
	}
	for i, b := range op.sectors {
		s := op.first + int64(i)
		if d.cached[s] == nil {
			d.pending = append(d.pending, s)
		}
		d.cached[s] = b
	}
}

// Cuts does again what was done to the disk, and calls check before each operation, and
// after the last, with the disk as it is after the power was cut there: once for each of
// many sets of sectors that became durable. It ends when check returns false.
func (d *Disk) Cuts(check func(operation, pattern int, after *Disk) bool) {
	again := New(d.base)
	for n := 0; n <= len(d.ops); n++ {
		for i, persist := range patterns(uint64(n), len(again.pending)) {
			after := &Disk{base: d.base, durable: maps.Clone(again.durable), cached: map[int64][]byte{}}
			for k, s := range again.pending {
				if persist(k) {
					after.durable[s] = again.cached[s]
				}
			}
			if !check(n, i, after) {
				return
			}
		}
		if n < len(d.ops) {
			again.apply(d.ops[n])
		}
	}
}

// patterns are which of the cached sectors survive a cut: none, all, the first ones, the
// last ones, one alone, all but one, every other one, and random ones.
func patterns(seed uint64, pending int) []func(n int) bool {
	list := []func(n int) bool{func(int) bool { return false }}
	if pending == 0 {
		return list
	}
	list = append(list, func(int) bool { return true })
	if pending == 1 {
		return list
	}
	list = append(list, func(n int) bool { return n%2 == 0 }, func(n int) bool { return n%2 == 1 })
	for _, at := range []int{0, 1, 2, pending / 2, pending - 1} {
		list = append(list,
			func(n int) bool { return n < at },
			func(n int) bool { return n >= at },
			func(n int) bool { return n == at },
			func(n int) bool { return n != at })
	}
	for i := range uint64(4) {
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

// Unordered hides the flushes of a disk from whoever writes it: a control for tests, which
// must see that something goes wrong then.
type Unordered struct{ *Disk }

// Sync does nothing.
func (Unordered) Sync() error { return nil }
