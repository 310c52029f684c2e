package raylog

import (
	"bytes"
	"errors"
	"fmt"
)

const (
	// readWhole is the number of places up to which a ring is read in whole.
	readWhole = 32
	// windowRecords is how many records are read in one piece.
	windowRecords = 16
	// besides is how many records are read beside one that cannot be used.
	besides = 2
)

// kind is what lies in a place.
type kind uint8

const (
	foul  kind = iota // no record of this log, or one that is not whole
	blank             // zeros: nothing was ever written
	ours
)

var zeros [RecordBytes]byte

// search looks for the newest record. In a ring that nothing has happened to, the
// sequence numbers rise from place to place up to the newest record, and behind it
// lie the ones of the round before: a binary search finds the step.
//
// Two things are in its way. What cannot be read is not decisive: others beside it
// are asked. And where the power was cut while records were written at once, older
// ones lie between them. The step before these looks like the end, but the record
// there says how far behind it others may lie (see [Ring.write]); once one of them
// is found the search goes on from there.
type search struct {
	ring   *Ring
	window []byte

	best  uint64 // the highest sequence number so far, 0 for none
	ahead uint64 // how far behind it others may lie
	epoch uint32

	found   Found
	problem error // of the first read that failed
}

// find finds the newest record; from is one that was it some time ago, 0 for none.
func (r *Ring) find(from uint64) error {
	s := &search{ring: r, window: make([]byte, min(windowRecords, r.slots)*RecordBytes)}
	if from > 0 {
		s.best = from - 1
		s.peek(r.slot(from))
	}
	if s.best < from { // it is not there any more
		s.best = 0
	}
	s.run()
	if s.best == 0 && s.problem != nil {
		return s.problem
	}
	r.head, r.epoch, r.found = s.best, s.epoch, s.found
	r.reach, r.settled = r.head, false
	return nil
}

func (s *search) run() {
	slots := s.ring.slots
	if slots <= readWhole {
		s.whole()
		return
	}
	if s.best == 0 && !s.first() {
		return
	}
	for s.found.Reads < slots {
		s.bisect()
		switch s.beyond() {
		case atEnd:
			return
		case lost:
			s.whole()
			return
		}
	}
	s.whole()
}

// look judges what was read from a place.
func (s *search) look(slot int, b []byte) kind {
	r := s.ring
	err := whole(b)
	newer := errors.Is(err, ErrVersion)
	if newer && r.readOnly == nil {
		r.readOnly = fmt.Errorf("%w: %d.%d, known is %d.%d; the log is left alone", ErrVersion, b[offMajor], b[offMinor], versionMajor, versionMinor)
	}
	switch {
	case err == nil || newer:
	case bytes.Equal(b, zeros[:]):
		return blank
	default:
		return foul
	}
	seq := sequence(b)
	if seq == 0 || seq > maxSequence || r.slot(seq) != slot || r.bound && logID(b) != r.id {
		return foul
	}
	r.id, r.bound = logID(b), true
	if seq > s.best {
		s.best, s.ahead, s.epoch = seq, max(lookAhead, uint64(ahead(b))), le.Uint32(b[offEpoch:])
	}
	return ours
}

// peek reads one place.
func (s *search) peek(slot int) kind {
	s.found.Reads++
	b := s.window[:RecordBytes]
	if _, err := s.ring.area.ReadAt(b, int64(slot)*RecordBytes); err != nil {
		if s.problem == nil {
			s.problem = fmt.Errorf("read record in place %d: %w", slot, err)
		}
		return foul
	}
	return s.look(slot, b)
}

// piece reads n places from slot on, at most windowRecords and not beyond the last.
func (s *search) piece(slot, n int) (kinds [windowRecords]kind) {
	b := s.window[:n*RecordBytes]
	if _, err := s.ring.area.ReadAt(b, int64(slot)*RecordBytes); err != nil {
		for i := range n {
			kinds[i] = s.peek(slot + i)
		}
		return kinds
	}
	s.found.Reads += n
	for i := range n {
		kinds[i] = s.look(slot+i, b[i*RecordBytes:(i+1)*RecordBytes])
	}
	return kinds
}

// whole reads all places.
func (s *search) whole() {
	s.found.Whole = true
	for slot := 0; slot < s.ring.slots; slot += windowRecords {
		s.piece(slot, min(windowRecords, s.ring.slots-slot))
	}
}

// first looks for any record to begin with, and reports whether there is one.
func (s *search) first() bool {
	clean := true
	for slot := range min(lookAhead, s.ring.slots) {
		switch s.peek(slot) {
		case ours:
			return true
		case foul:
			clean = false
		}
	}
	if s.farther(0, lookAhead) == ours || s.peek(s.ring.slots-1) == ours {
		return true
	}
	if !clean {
		s.whole()
	}
	return false
}

// farther looks at places that are farther and farther behind one, from a distance
// up to the last. It returns ours if there is a higher sequence number, else blank
// if there is one that was never written.
func (s *search) farther(slot, distance int) kind {
	before, seen := s.best, foul
	for ; slot+distance < s.ring.slots; distance *= 2 {
		k := s.peek(slot + distance)
		if s.best > before {
			return ours
		}
		if k == blank {
			seen = blank
		}
	}
	return seen
}

// bisect looks for the last place up to which the sequence numbers rise.
func (s *search) bisect() {
	for low, high := s.ring.slot(s.best), s.ring.slots; high-low > 1; {
		middle, before := low+(high-low)/2, s.best
		for i := range min(1+besides, high-middle) {
			if k := s.peek(middle + i); k == ours || k == blank && !s.full() {
				break
			}
		}
		if s.best > before {
			low = s.ring.slot(s.best)
		} else {
			high = middle
		}
	}
}

// full reports whether each place was written at least once.
func (s *search) full() bool { return s.best >= uint64(s.ring.slots) }

// outcome of looking behind the last record.
type outcome int

const (
	atEnd outcome = iota // it is the newest
	goOn                 // a newer one was found
	lost                 // nothing there can be used
)

// beyond looks at the places behind the best record in which newer ones may lie.
func (s *search) beyond() outcome {
	from, stretch := s.best, true
	most := uint64(min(MaxGroup, s.ring.slots-1))
	limit := min(max(s.ahead, lookAhead), most)
	for n := uint64(1); n <= limit; {
		slot := s.ring.slot(from + n)
		count := min(int(limit-n)+1, windowRecords, s.ring.slots-slot)
		kinds := s.piece(slot, count)
		for _, k := range kinds[:count] {
			switch {
			case k == ours || k == blank && !s.full():
				stretch = false
			default:
				limit = most // what lay there may have allowed more
			}
		}
		n += uint64(count)
	}
	switch {
	case s.best > from:
		return goOn
	case s.full():
		if stretch {
			return lost
		}
		return atEnd
	}
	// In the first round, what lies behind the newest record is as it was before: a
	// stretch that is not blank in an area that is blank tells nothing.
	switch k := s.farther(s.ring.slot(from), MaxGroup); {
	case k == ours:
		return goOn
	case k == blank && stretch:
		return lost
	}
	return atEnd
}
