package raylog

import (
	"io"
	"maps"
	"slices"
)

const sector = 512

// disk has a volatile cache: what is written becomes durable sector by sector, in
// any order, until it is flushed.
type disk struct {
	durable []byte
	cache   map[int64][]byte
	order   []int64 // of the sectors in the cache, as they were first written

	ops     int
	cutAt   int                  // operation before which the power is cut; 0 for never
	persist func(n, of int) bool // which of the cached sectors made it then
	reset   bool                 // the machine is reset instead, with the rest of them in the cache
	dead    bool                 // nothing is written any more
}

// newDisk returns a disk with room for a ring and one record more.
func newDisk(slots int) *disk {
	return &disk{durable: make([]byte, (slots+1)*RecordBytes), cache: map[int64][]byte{}}
}

// slots is the number of places of the ring.
func (d *disk) slots() int { return len(d.durable)/RecordBytes - 1 }

// again is the disk after the power came back, or after a reset.
func (d *disk) again(reset bool) *disk {
	c := &disk{durable: slices.Clone(d.durable), cache: map[int64][]byte{}}
	if reset {
		c.cache, c.order = maps.Clone(d.cache), slices.Clone(d.order)
	}
	return c
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	if n := copy(p, d.durable[off:]); n < len(p) {
		return n, io.EOF
	}
	for at := int64(0); at < int64(len(p)); at += sector {
		copy(p[at:], d.cache[(off+at)/sector])
	}
	return len(p), nil
}

// WriteAt is the operation that may be cut in the middle: then some of its sectors
// are written.
func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	if d.dead {
		return len(p), nil
	}
	for at := int64(0); at < int64(len(p)); at += sector {
		s := (off + at) / sector
		if _, ok := d.cache[s]; !ok {
			d.order = append(d.order, s)
		}
		d.cache[s] = slices.Clone(p[at : at+sector])
	}
	d.step()
	return len(p), nil
}

func (d *disk) Sync() error {
	if d.step(); !d.dead {
		d.write(func(int, int) bool { return true })
	}
	return nil
}

// step counts an operation, and cuts the power if it is its turn.
func (d *disk) step() {
	d.ops++
	if d.ops == d.cutAt {
		d.dead = true
		d.write(d.persist)
		if !d.reset {
			d.cache, d.order = map[int64][]byte{}, nil
		}
	}
}

// write makes sectors in the cache durable.
func (d *disk) write(persist func(n, of int) bool) {
	of := len(d.order)
	var left []int64
	for n, s := range d.order {
		if !persist(n, of) {
			left = append(left, s)
			continue
		}
		copy(d.durable[s*sector:], d.cache[s])
		delete(d.cache, s)
	}
	d.order = left
}
