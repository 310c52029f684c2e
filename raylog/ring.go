package raylog

import (
	"errors"
	"fmt"
	"io"
)

const (
	// MaxGroup is how many records are written at once at most.
	MaxGroup = 256

	// lookAhead is how many records may be written at once without a word about it
	// in a durable record before them.
	lookAhead = 16
)

// Area is the bytes that the ring lies in, from 0 on.
type Area interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when all that was written is on the medium, also by those who
	// used the area before.
	Sync() error
}

// Options are what the ring must be told.
type Options struct {
	ID     LogID  // the log; zero: the one that lies there, whichever it is
	Boot   BootID // the boot of entries that have none
	Level  Level  // entries below are not kept; zero: DefaultLevel
	Buffer []byte // for entries that are not written yet, a multiple of RecordBytes; nil: the ring makes one for MaxGroup
}

// Found is what it took to find the newest record.
type Found struct {
	Reads int  `json:"reads"` // records that were read
	Whole bool `json:"whole"` // the whole ring was read
}

// Ring is the log in an area. Make it with [Open].
type Ring struct {
	area  Area
	slots int // places for a record
	group int // records that are written at once at most

	id    LogID
	bound bool // the ID is known
	boot  BootID
	level Level
	found Found

	head     uint64 // sequence number of the newest record in the area, 0 if there is none
	reach    uint64 // up to which the records on the medium allow to write without a Sync
	epoch    uint32
	settled  bool  // what others wrote is on the medium
	readOnly error // why nothing must be written, nil if it may

	buffer         []byte
	start, pending int // the records in the buffer that are not on the medium
}

// Open finds the newest record in the first sizeBytes of the area, a multiple of
// RecordBytes. It only reads. What is damaged is stepped around; an error means
// that the area cannot be read at all, or that the size is wrong.
//
// Of records of a newer version none is overwritten; see [Ring.ReadOnly].
func Open(area Area, sizeBytes int64, o Options) (*Ring, error) {
	if sizeBytes < RecordBytes || sizeBytes%RecordBytes != 0 || sizeBytes > RecordBytes<<32 {
		return nil, fmt.Errorf("open log: an area of %d bytes, want a multiple of %d", sizeBytes, RecordBytes)
	}
	if o.Buffer == nil {
		o.Buffer = make([]byte, MaxGroup*RecordBytes)
	}
	if len(o.Buffer) < RecordBytes || len(o.Buffer)%RecordBytes != 0 {
		return nil, fmt.Errorf("open log: a buffer of %d bytes, want a multiple of %d", len(o.Buffer), RecordBytes)
	}
	if o.Level == 0 {
		o.Level = DefaultLevel
	}
	slots := int(sizeBytes / RecordBytes)
	r := &Ring{
		area: area, slots: slots, group: min(MaxGroup, slots),
		id: o.ID, bound: o.ID != LogID{}, boot: o.Boot, level: o.Level, buffer: o.Buffer,
	}
	if err := r.find(0); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return r, nil
}

// Found returns what it took to find the newest record.
func (r *Ring) Found() Found { return r.found }

// ReadOnly says why nothing may be appended, nil if it may: with ErrVersion in its
// chain if a newer version has written here.
func (r *Ring) ReadOnly() error { return r.readOnly }

// CapacityBytes is the size of the ring.
func (r *Ring) CapacityBytes() int64 { return int64(r.slots) * RecordBytes }

// Newest is the sequence number of the newest record, also of one that is not
// written yet; 0 if there is none.
func (r *Ring) Newest() uint64 { return r.head + uint64(r.pending) }

// Written is the sequence number of the newest record that was written.
func (r *Ring) Written() uint64 { return r.head }

// Oldest is the sequence number of the oldest place that is not overwritten.
func (r *Ring) Oldest() uint64 {
	if r.head > uint64(r.slots) {
		return r.head - uint64(r.slots) + 1
	}
	return 1
}

// ID returns the log's ID.
func (r *Ring) ID() LogID { return r.id }

// Level is the least level that is kept.
func (r *Ring) Level() Level { return r.level }

// SetLevel sets the least level that is kept, for what is appended from now on.
func (r *Ring) SetLevel(l Level) error {
	if !l.valid() {
		return fmt.Errorf("set log level: there is no %v", l)
	}
	r.level = l
	return nil
}

// slot is the place of a sequence number.
func (r *Ring) slot(seq uint64) int { return int((seq - 1) % uint64(r.slots)) }

// Append keeps an entry, if its level is high enough. At DurableLevel and above it
// is on the medium when Append returns, with all before it; others are written by
// the next Flush, or when the buffer is full. What is too long is cut. It allocates
// nothing.
//
// After an error of the medium what is in the buffer stays there and the next
// Flush tries again; where the buffer is full the entry is lost.
func (r *Ring) Append(e Entry) error {
	if !e.Level.valid() {
		return fmt.Errorf("append to log: %w: there is no %v", ErrInvalid, e.Level)
	}
	if e.Level < r.level {
		return nil
	}
	return r.add(Record{Entry: e, Epoch: r.epoch}, e.Level >= DurableLevel)
}

// Clear begins a new epoch with an entry of any level: what is older is only read
// when it is asked for. It is on the medium when Clear returns.
func (r *Ring) Clear(e Entry) error {
	if !e.Level.valid() {
		return fmt.Errorf("clear log: %w: there is no %v", ErrInvalid, e.Level)
	}
	return r.add(Record{Entry: e, Epoch: r.epoch + 1, Clears: true}, true)
}

func (r *Ring) add(rec Record, durable bool) error {
	if err := r.makeRoom(); err != nil {
		return fmt.Errorf("append to log: %w; the entry is lost", err)
	}
	if rec.Boot == (BootID{}) {
		rec.Boot = r.boot
	}
	rec.Log, rec.Sequence = r.id, r.Newest()+1
	rec.fit()
	rec.put(r.buffered(r.pending))
	r.epoch = rec.Epoch
	r.pending++
	if durable {
		return r.flush(false)
	}
	return nil
}

// buffered is the n-th record in the buffer that is not on the medium.
func (r *Ring) buffered(n int) []byte {
	at := (r.start + n) * RecordBytes
	return r.buffer[at : at+RecordBytes]
}

// makeRoom sees to it that the buffer has room for one more record.
func (r *Ring) makeRoom() error {
	if r.readOnly != nil {
		return r.readOnly
	}
	if r.Newest() >= maxSequence {
		return errors.New("no sequence number is left")
	}
	if (r.start+r.pending)*RecordBytes < len(r.buffer) {
		return nil
	}
	if err := r.flush(true); err != nil && r.start == 0 {
		return err
	}
	copy(r.buffer, r.buffer[r.start*RecordBytes:(r.start+r.pending)*RecordBytes])
	r.start = 0
	return nil
}

// Flush writes what is in the buffer, and returns when it is on the medium.
func (r *Ring) Flush() error { return r.flush(false) }

// flush writes what is in the buffer. With more, further records will follow at
// once.
func (r *Ring) flush(more bool) error {
	if r.pending == 0 {
		return nil
	}
	if !r.settled {
		if err := r.area.Sync(); err != nil {
			return fmt.Errorf("write log: %w; %d records are in memory only", err, r.pending)
		}
		r.settled = true
	}
	for r.pending > 0 {
		n := min(r.pending, r.group, max(lookAhead, int(r.reach-r.head)))
		follow := r.pending - n
		if more {
			follow = r.group
		}
		if err := r.write(n, min(follow, r.group)); err != nil {
			return fmt.Errorf("write log: %w; %d records are in memory only", err, r.pending)
		}
	}
	return nil
}

// write writes the first n records of the buffer, and says in the last of them how
// many may follow.
//
// The rule that whoever opens the ring relies on: as long as it is not sure that
// record s is on the medium, nothing behind s + max(lookAhead, its ahead) is
// written. The last durable record has allowed this write, and each record in it
// allows those behind it.
func (r *Ring) write(n, follow int) error {
	for i := range n {
		seal(r.buffered(i), uint16(n-1-i))
	}
	seal(r.buffered(n-1), uint16(follow))
	slot := r.slot(r.head + 1)
	records := r.buffer[r.start*RecordBytes : (r.start+n)*RecordBytes]
	first := min(n, r.slots-slot) * RecordBytes // up to the end of the ring
	if _, err := r.area.WriteAt(records[:first], int64(slot)*RecordBytes); err != nil {
		return err
	}
	if first < len(records) {
		if _, err := r.area.WriteAt(records[first:], 0); err != nil {
			return err
		}
	}
	if err := r.area.Sync(); err != nil {
		return err
	}
	r.head += uint64(n)
	r.reach = r.head + uint64(follow)
	r.start, r.pending = r.start+n, r.pending-n
	if r.pending == 0 {
		r.start = 0
	}
	return nil
}
