// Package virtqueue is the device's side of a split virtqueue (virtio 1.2 §2.7),
// with indirect descriptors and event index. The other side is a guest that may
// be hostile: what it writes is read once, and bounded.
package virtqueue

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/guestmem"
)

// Limits of a queue.
const (
	MaxSize  = 1024 // descriptors of the ring
	MaxChain = 1024 // descriptors of one chain
)

// ErrRing is in the chain of the errors about rings that break the rules. The
// queue is of no use until the driver resets it.
var ErrRing = errors.New("broken virtqueue")

// Descriptor flags (virtio 1.2 §2.7.5), and the driver's wish not to be told.
const (
	descNext     = 1
	descWrite    = 2
	descIndirect = 4
	noInterrupt  = 1
	descBytes    = 16
)

// Queue is one virtqueue.
type Queue struct {
	mem      presentation.Memory
	size     int
	desc     []byte
	avail    []byte
	used     []byte
	eventIdx bool

	next     uint16 // the next entry of the available ring to be taken
	done     uint16 // the next entry of the used ring to be filled
	signaled uint16 // done, when it was last asked whether to signal
}

// Bytes returns how long the three parts of a queue of a size are.
func Bytes(size int) (desc, avail, used uint64) {
	n := uint64(size)
	return descBytes * n, 6 + 2*n, 6 + 8*n
}

// Valid reports whether a queue may have this size.
func Valid(size int) bool { return size > 0 && size <= MaxSize && size&(size-1) == 0 }

// New makes a queue of the three parts, which must be as long as [Bytes] says and
// are shared with the guest. next is the index in the available ring to go on at.
func New(mem presentation.Memory, size int, desc, avail, used []byte, next uint16, eventIdx bool) (*Queue, error) {
	d, a, u := uint64(0), uint64(0), uint64(0)
	if Valid(size) {
		d, a, u = Bytes(size)
	}
	if d == 0 || uint64(len(desc)) != d || uint64(len(avail)) != a || uint64(len(used)) != u {
		return nil, fmt.Errorf("%w: %d descriptors in %d, %d and %d bytes", ErrRing, size, len(desc), len(avail), len(used))
	}
	q := &Queue{mem: mem, size: size, desc: desc, avail: avail, used: used, eventIdx: eventIdx, next: next}
	q.done = guestmem.Load16(used, 2)
	q.signaled = q.done
	return q, nil
}

// Position returns the index in the available ring to go on at.
func (q *Queue) Position() uint16 { return q.next }

// Chain is what a driver has given the device in one go.
type Chain struct {
	Head uint16
	Out  [][]byte // to be read by the device
	In   [][]byte // to be written
	n    int
}

// Next takes the next chain. ok is false if there is none now. The memory of c is
// used again. An error is about the ring, and final.
func (q *Queue) Next(c *Chain) (ok bool, err error) {
	waiting := guestmem.Load16(q.avail, 2) - q.next
	if waiting == 0 {
		return false, nil
	}
	if int(waiting) > q.size {
		return false, fmt.Errorf("%w: %d chains are available in a ring of %d", ErrRing, waiting, q.size)
	}
	head := guestmem.Load16(q.avail, 4+2*(int(q.next)&(q.size-1)))
	q.next++
	c.Head, c.Out, c.In, c.n = head, c.Out[:0], c.In[:0], 0
	return true, q.walk(c, q.desc, head, false)
}

// walk follows the chain from a descriptor of a table.
func (q *Queue) walk(c *Chain, table []byte, at uint16, indirect bool) error {
	for {
		if int(at) >= len(table)/descBytes {
			return fmt.Errorf("%w: descriptor %d of %d", ErrRing, at, len(table)/descBytes)
		}
		if c.n++; c.n > MaxChain {
			return fmt.Errorf("%w: a chain of more than %d descriptors", ErrRing, MaxChain)
		}
		var d [descBytes]byte // read once, as the guest may write to it
		copy(d[:], table[int(at)*descBytes:])
		r := presentation.Range{Addr: binary.LittleEndian.Uint64(d[0:]), Size: uint64(binary.LittleEndian.Uint32(d[8:]))}
		flags := binary.LittleEndian.Uint16(d[12:])
		if flags&descIndirect != 0 {
			return q.indirect(c, r, flags, indirect)
		}
		if err := q.add(c, r, flags&descWrite != 0); err != nil {
			return err
		}
		if flags&descNext == 0 {
			return nil
		}
		at = binary.LittleEndian.Uint16(d[14:])
	}
}

func (q *Queue) indirect(c *Chain, r presentation.Range, flags uint16, nested bool) error {
	if nested || flags&descNext != 0 || r.Size == 0 || r.Size%descBytes != 0 || r.Size > 65536*descBytes {
		return fmt.Errorf("%w: an indirect table of %d bytes with flags %#x, in another one: %v", ErrRing, r.Size, flags, nested)
	}
	table, err := q.mem.Bytes(r)
	if err != nil {
		return fmt.Errorf("%w: indirect table: %w", ErrRing, err)
	}
	return q.walk(c, table, 0, true)
}

func (q *Queue) add(c *Chain, r presentation.Range, write bool) (err error) {
	switch {
	case r.Size == 0:
		return nil
	case write:
		c.In, err = q.mem.Append(c.In, r)
	case len(c.In) > 0:
		return fmt.Errorf("%w: a descriptor to be read behind one to be written", ErrRing)
	default:
		c.Out, err = q.mem.Append(c.Out, r)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRing, err)
	}
	return nil
}

// Done gives a chain back to the driver, with the bytes that were written to it.
func (q *Queue) Done(head uint16, written uint32) {
	entry := q.used[4+8*(int(q.done)&(q.size-1)):]
	binary.LittleEndian.PutUint32(entry, uint32(head))
	binary.LittleEndian.PutUint32(entry[4:], written)
	q.done++
	guestmem.Store16(q.used, 2, q.done)
}

// Signal reports whether the driver wants to be told about the chains that were
// given back since the last call.
func (q *Queue) Signal() bool {
	old := q.signaled
	q.signaled = q.done
	switch {
	case old == q.done:
		return false
	case !q.eventIdx:
		return guestmem.Load16(q.avail, 0)&noInterrupt == 0
	}
	event := guestmem.Load16(q.avail, 4+2*q.size)
	return q.done-event-1 < q.done-old
}

// Rest asks the driver to kick at the next chain. It reports whether there is one
// already, for which no kick will come.
func (q *Queue) Rest() (more bool) {
	if q.eventIdx {
		guestmem.Store16(q.used, 4+8*q.size, q.next)
	}
	return guestmem.Load16(q.avail, 2) != q.next
}
