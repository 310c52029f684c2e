package raylog

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

var testLog = LogID{1, 2, 3}

// memory is an area that counts, and fails where it is told to.
type memory struct {
	data   []byte
	reads  []int // the places that were read, one by one
	writes int
	syncs  int

	writeErr, syncErr error
	failAfter         int          // writes until writeErr is a medium error; 0 for never
	badSlots          map[int]bool // that cannot be read
}

func newMemory(slots int) *memory { return &memory{data: make([]byte, slots*RecordBytes)} }

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	for slot := int(off / RecordBytes); slot*RecordBytes < int(off)+len(p); slot++ {
		m.reads = append(m.reads, slot)
		if m.badSlots[slot] {
			return 0, fmt.Errorf("place %d: %w", slot, errMedium)
		}
	}
	if n := copy(p, m.data[off:]); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}

var errMedium = errors.New("medium error")

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.writes++
	if m.writeErr != nil {
		return 0, m.writeErr
	}
	if off%RecordBytes != 0 || len(p)%RecordBytes != 0 || int(off)+len(p) > len(m.data) {
		return 0, fmt.Errorf("a write of %d bytes at %d", len(p), off)
	}
	if m.failAfter--; m.failAfter == 0 {
		m.writeErr = errMedium
	}
	return copy(m.data[off:], p), nil
}

func (m *memory) Sync() error {
	m.syncs++
	return m.syncErr
}

// place is the bytes of a place.
func (m *memory) place(slot int) []byte {
	return m.data[slot*RecordBytes : (slot+1)*RecordBytes]
}

// damage makes a place one that nobody ever wrote so.
func (m *memory) damage(slot int) {
	for i := range m.place(slot) {
		m.place(slot)[i] = byte(i + slot)
	}
}

// open opens the ring in an area; the buffer holds a number of records.
func open(t testing.TB, area Area, slots, buffer int) *Ring {
	t.Helper()
	r, err := Open(area, int64(slots)*RecordBytes, Options{ID: testLog, Boot: BootID{9}, Level: Trace, Buffer: make([]byte, buffer*RecordBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entry is one that says its number.
func entry(n int, l Level) Entry {
	return Entry{Level: l, Uptime: time.Duration(n) * time.Millisecond, Source: "test", Message: fmt.Sprint("message ", n)}
}

// add appends n records of a level, and flushes.
func add(t testing.TB, r *Ring, n int, l Level) {
	t.Helper()
	for range n {
		if err := r.Append(entry(int(r.Newest())+1, l)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
}

// all reads the records that a query wants, and the tally.
func all(r *Ring, q Query) (list []Record, tally Tally) {
	d := r.Reader(q)
	for rec, ok := d.Next(); ok; rec, ok = d.Next() {
		list = append(list, rec)
	}
	return list, d.Tally()
}

func sequences(list []Record) (numbers []uint64) {
	for _, rec := range list {
		numbers = append(numbers, rec.Sequence)
	}
	return numbers
}

// span is the numbers from first to last.
func span(first, last uint64) (numbers []uint64) {
	for n := first; n <= last; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}
