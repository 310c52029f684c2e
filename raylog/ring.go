package raylog

import (
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

	buffer  []byte // of records; what is pending may go round its end
	start   int    // the first pending record
	pending int    // records that are not on the medium
	flying  int    // of these, the first ones that are being written
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
	if last := r.head + uint64(r.flying); last > uint64(r.slots) {
		return last - uint64(r.slots) + 1
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
