package raylog

import (
	"bytes"
	"errors"
	"fmt"
)

// Query says which records are wanted; the zero Query wants all since the log was
// last cleared, the oldest first.
type Query struct {
	Level    Level  // at least; zero: any
	Source   string // empty: any
	Boot     BootID // zero: any
	After    uint64 // higher sequence numbers only
	All      bool   // also what was there before the log was cleared
	Backward bool   // the newest first
}

func (q *Query) wants(r *Record, epoch uint32) bool {
	return r.Level >= q.Level && (q.Source == "" || r.Source == q.Source) &&
		(q.Boot == BootID{} || r.Boot == q.Boot) && (q.All || r.Epoch == epoch)
}

// Tally counts what a [Reader] has passed over.
type Tally struct {
	Damaged int   `json:"damaged"` // places whose bytes are no whole record
	Missing int   `json:"missing"` // places of records that never reached the medium
	Newer   int   `json:"newer"`   // records of a newer version
	Problem error `json:"-"`       // of the first read that failed
}

// Reader reads records of a ring, also those that are not written yet. The ring
// may change meanwhile.
type Reader struct {
	ring  *Ring
	query Query
	next  uint64 // the sequence number that is due
	tally Tally

	window []byte // of records in the area
	first  uint64 // the sequence number of the first of them
	count  int
}

// Reader returns a reader of the records that the query wants.
func (r *Ring) Reader(q Query) *Reader {
	d := &Reader{ring: r, query: q, next: q.After + 1}
	if q.Backward {
		d.next = r.Newest()
	}
	return d
}

// Next returns the next record, and false where there is none. Reading forward,
// it has one again when something was appended.
func (d *Reader) Next() (Record, bool) {
	for d.advance() {
		rec, ok := d.read(d.next)
		if d.query.Backward {
			d.next--
		} else {
			d.next++
		}
		if ok && d.query.wants(&rec, d.ring.epoch) {
			return rec, true
		}
	}
	return Record{}, false
}

// Tally returns what was passed over so far.
func (d *Reader) Tally() Tally { return d.tally }

// advance reports whether there is a place to read, and passes over those that
// are overwritten.
func (d *Reader) advance() bool {
	oldest := d.ring.Oldest()
	if d.query.Backward {
		return d.next > d.query.After && d.next >= oldest
	}
	d.next = max(d.next, oldest)
	return d.next <= d.ring.Newest()
}

// read returns the record with a sequence number, if it is there.
func (d *Reader) read(seq uint64) (Record, bool) {
	if seq > d.ring.head {
		return get(d.ring.buffered(int(seq - d.ring.head - 1))), true
	}
	b, err := d.bytes(seq)
	if err != nil {
		d.tally.Damaged++
		if d.tally.Problem == nil {
			d.tally.Problem = fmt.Errorf("read log record %d: %w", seq, err)
		}
		return Record{}, false
	}
	rec, err := Decode(b)
	switch {
	case errors.Is(err, ErrVersion):
		d.tally.Newer++
	case err == nil && rec.Log == d.ring.id && rec.Sequence >= seq:
		return rec, rec.Sequence == seq // a higher one: it was overwritten meanwhile
	case err == nil || bytes.Equal(b, zeros[:]):
		d.tally.Missing++
	default:
		d.tally.Damaged++
	}
	return Record{}, false
}

// bytes returns what lies in the place of a sequence number.
func (d *Reader) bytes(seq uint64) ([]byte, error) {
	if seq < d.first || seq >= d.first+uint64(d.count) {
		if err := d.load(seq); err != nil {
			return nil, err
		}
	}
	at := int(seq-d.first) * RecordBytes
	return d.window[at : at+RecordBytes], nil
}

// load reads the record and some that will be due after it; where that fails, the
// record alone.
func (d *Reader) load(seq uint64) error {
	if d.window == nil {
		d.window = make([]byte, windowRecords*RecordBytes)
	}
	r := d.ring
	first, count := seq, min(windowRecords, r.slots-r.slot(seq), int(r.head-seq)+1)
	if d.query.Backward {
		count = min(windowRecords, r.slot(seq)+1, int(seq-r.Oldest())+1)
		first = seq - uint64(count) + 1
	}
	d.count = 0
	_, err := r.area.ReadAt(d.window[:count*RecordBytes], int64(r.slot(first))*RecordBytes)
	if err != nil && count > 1 {
		first, count = seq, 1
		_, err = r.area.ReadAt(d.window[:RecordBytes], int64(r.slot(first))*RecordBytes)
	}
	if err != nil {
		return err
	}
	d.first, d.count = first, count
	return nil
}

// Refresh finds the newest record again, in a ring that somebody else writes to.
// It must have nothing to write itself.
func (r *Ring) Refresh() error {
	if r.pending > 0 {
		return errors.New("refresh log: there are records to write")
	}
	if err := r.find(r.head); err != nil {
		return fmt.Errorf("refresh log: %w", err)
	}
	return nil
}
