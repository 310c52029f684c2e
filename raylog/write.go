package raylog

import (
	"errors"
	"fmt"
)

// ErrFull is the error of Put if the buffer has no room.
var ErrFull = errors.New("the buffer of the log is full")

var (
	errNoSequence = errors.New("no sequence number is left")
	errUnderWay   = errors.New("a write is under way")
)

// Append keeps an entry, if its level is high enough. At DurableLevel and above it
// is on the medium when Append returns, with all before it; others are written by
// the next Flush, or when the buffer is full. What is too long is cut. It allocates
// nothing.
//
// After an error of the medium what is in the buffer stays there and the next
// Flush tries again; where the buffer is full the entry is lost.
func (r *Ring) Append(e Entry) error {
	durable, err := r.Put(e)
	if errors.Is(err, ErrFull) {
		if err = r.flush(true); err == nil {
			durable, err = r.Put(e)
		}
	}
	if err != nil {
		return fmt.Errorf("append to log: %w; the entry is lost", err)
	}
	if durable {
		return r.Flush()
	}
	return nil
}

// Put keeps an entry in the buffer, if its level is high enough. It reports whether
// the entry must be on the medium before its author goes on, which the caller sees
// to. It may be called between Begin and End.
func (r *Ring) Put(e Entry) (durable bool, err error) {
	if !e.Level.valid() {
		return false, fmt.Errorf("%w: there is no %v", ErrInvalid, e.Level)
	}
	if e.Level < r.level {
		return false, nil
	}
	return e.Level >= DurableLevel, r.put(Record{Entry: e, Epoch: r.epoch})
}

// Clear begins a new epoch with an entry of any level: what is older is only read
// when it is asked for. It is on the medium when Clear returns.
func (r *Ring) Clear(e Entry) error {
	if !e.Level.valid() {
		return fmt.Errorf("clear log: %w: there is no %v", ErrInvalid, e.Level)
	}
	if err := r.Flush(); err != nil {
		return fmt.Errorf("clear log: %w", err)
	}
	if err := r.put(Record{Entry: e, Epoch: r.epoch + 1, Clears: true}); err != nil {
		return fmt.Errorf("clear log: %w", err)
	}
	return r.Flush()
}

// put writes a record into the buffer.
func (r *Ring) put(rec Record) error {
	switch {
	case r.readOnly != nil:
		return r.readOnly
	case r.Newest() >= maxSequence:
		return errNoSequence
	case r.pending*RecordBytes == len(r.buffer):
		return ErrFull
	}
	if rec.Boot == (BootID{}) {
		rec.Boot = r.boot
	}
	rec.Log, rec.Sequence = r.id, r.Newest()+1
	rec.fit()
	b := r.buffered(r.pending)
	rec.put(b)
	seal(b, 0)
	r.epoch = rec.Epoch
	r.pending++
	return nil
}

// buffered is the n-th pending record.
func (r *Ring) buffered(n int) []byte {
	at := (r.start + n) * RecordBytes % len(r.buffer)
	return r.buffer[at : at+RecordBytes]
}

// Flush writes what is in the buffer, and returns when it is on the medium.
func (r *Ring) Flush() error { return r.flush(false) }

func (r *Ring) flush(more bool) error {
	if r.flying > 0 {
		return errUnderWay
	}
	for {
		w, ok := r.Begin(more)
		if !ok {
			return nil
		}
		err := w.Do()
		if r.End(w, err); err != nil {
			return fmt.Errorf("write log: %w; %d records are in memory only", err, r.pending)
		}
	}
}

// Write is a group of records on its way to the medium. Begin makes it.
type Write struct {
	area   Area
	settle bool   // what was written before must become durable first
	data   []byte // the records
	at     int64  // the place of the first one, in bytes
	size   int64  // of the ring, where it begins anew
	follow int    // how many records the last one allows behind it
}

// Begin takes the next records that may be written at once, which End gives back.
// It returns false if there are none, or a write is under way. With more it is sure
// that further records will follow at once, and the write allows them: whoever says
// so without need makes the log slow to open.
//
// The rule that whoever opens the ring relies on: as long as it is not sure that
// record s is on the medium, nothing behind s + max(lookAhead, its ahead) is
// written. The last durable record has allowed this write, and each record in it
// allows those behind it.
func (r *Ring) Begin(more bool) (Write, bool) {
	toEnd := len(r.buffer)/RecordBytes - r.start // of the buffer
	n := min(r.pending, r.group, toEnd, max(lookAhead, int(r.reach-r.head)))
	if n <= 0 || r.flying > 0 {
		return Write{}, false
	}
	follow := min(r.pending-n, r.group)
	if more {
		follow = r.group
	}
	for i := range n - 1 {
		reseal(r.buffered(i), uint16(n-1-i))
	}
	reseal(r.buffered(n-1), uint16(follow))
	r.flying = n
	return Write{
		area: r.area, settle: !r.settled, data: r.buffer[r.start*RecordBytes : (r.start+n)*RecordBytes],
		at: int64(r.slot(r.head+1)) * RecordBytes, size: r.CapacityBytes(), follow: follow,
	}, true
}

// Do writes the records, and returns when they are on the medium. It uses nothing
// of the ring but its area and its buffer: entries may be put meanwhile.
func (w *Write) Do() error {
	if w.settle {
		if err := w.area.Sync(); err != nil {
			return err
		}
	}
	first := min(int64(len(w.data)), w.size-w.at) // up to the end of the ring
	if _, err := w.area.WriteAt(w.data[:first], w.at); err != nil {
		return err
	}
	if first < int64(len(w.data)) {
		if _, err := w.area.WriteAt(w.data[first:], 0); err != nil {
			return err
		}
	}
	return w.area.Sync()
}

// End says how a write went. After an error its records are the next to be written
// again.
func (r *Ring) End(w Write, err error) {
	n := r.flying
	r.flying = 0
	if err != nil {
		return
	}
	r.settled = true
	r.head += uint64(n)
	r.reach = r.head + uint64(w.follow)
	r.start, r.pending = (r.start+n)%(len(r.buffer)/RecordBytes), r.pending-n
	if r.pending == 0 {
		r.start = 0
	}
}
