package raylog

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// realSlots is the number of places in the area that is set aside for the log.
const realSlots = 128 << 20 / RecordBytes

// calculated is a ring in order, whose records come about when they are read. What
// is in patches lies over it.
type calculated struct {
	memory
	head    uint64
	patches map[int][]byte
}

func (c *calculated) ReadAt(p []byte, off int64) (int, error) {
	for i := 0; i < len(p); i += RecordBytes {
		slot := (int(off) + i) / RecordBytes
		c.reads = append(c.reads, slot)
		b := p[i : i+RecordBytes]
		if patch, ok := c.patches[slot]; ok {
			copy(b, patch)
			continue
		}
		r := Record{Entry: entry(slot, Info), Log: testLog, Sequence: uint64(slot) + 1}
		if c.head > uint64(slot) {
			r.Sequence += (c.head - 1 - uint64(slot)) / realSlots * realSlots
			r.put(b)
			seal(b, 0)
		} else {
			clear(b)
		}
	}
	return len(p), nil
}

// heads are the numbers of newest records that are worth a look.
func heads() []uint64 {
	var list []uint64
	near := []uint64{0, 1, 2, 15, 16, 17, 18, 255, 256, 257, 258}
	for n := 9; n <= 15; n++ {
		near = append(near, 1<<n-1, 1<<n, 1<<n+1)
	}
	for _, n := range near {
		list = append(list, n+1, realSlots-n%realSlots, realSlots+n, 7*realSlots-n, 7*realSlots+n)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		list = append(list, random.Uint64N(realSlots)+1, random.Uint64N(100*realSlots)+1)
	}
	return list
}

func TestOpeningTakesFewReads(t *testing.T) {
	worst := 0
	for _, head := range heads() {
		area := &calculated{head: head}
		r := open(t, area, realSlots, 1)
		if r.Newest() != head {
			t.Fatalf("the newest is %d, want %d", r.Newest(), head)
		}
		if f := r.Found(); f.Reads != len(area.reads) || f.Whole {
			t.Errorf("%+v, and %d reads", f, len(area.reads))
		}
		worst = max(worst, len(area.reads))
	}
	if t.Logf("at most %d reads", worst); worst > 40 {
		t.Errorf("%d reads, at most 40 are wanted", worst)
	}
}

// TestAnEmptyAreaIsAnEmptyLog, whatever lies in it.
func TestAnEmptyAreaIsAnEmptyLog(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for name, fill := range map[string]func(b []byte){
		"zeros":   func([]byte) {},
		"ones":    func(b []byte) { b[0] = 0xff },
		"garbage": func(b []byte) { le.PutUint64(b[random.IntN(100)*8:], random.Uint64()) },
		"a file":  func(b []byte) { copy(b, "RLOG is what this text begins with") },
	} {
		const slots = 1 << 10
		m := newMemory(slots)
		for slot := range slots {
			fill(m.place(slot))
		}
		r := open(t, m, slots, 4)
		if r.Newest() != 0 || name == "zeros" && r.Found().Whole {
			t.Errorf("%s: the newest is %d, %+v", name, r.Newest(), r.Found())
		}
		for n := 1; n <= 40; n++ {
			add(t, r, n, Warn)
			r = open(t, m, slots, 4)
			list, tally := all(r, Query{})
			if len(list) != int(r.Newest()) || len(list) != n*(n+1)/2 || tally != (Tally{}) {
				t.Fatalf("%s: of %d records %d are there, %+v", name, r.Newest(), len(list), tally)
			}
			if r.Found().Whole || r.Found().Reads > 40+2*MaxGroup {
				t.Errorf("%s: %+v", name, r.Found())
			}
		}
	}
}

// TestOlderLogsAreGone: a log with another ID lies there, older or not whole.
func TestOlderLogsAreGone(t *testing.T) {
	const slots = 600
	for _, old := range []int{1, 300, 600, 700, 10_000} {
		m := newMemory(slots)
		add(t, open(t, m, slots, MaxGroup), old, Info)
		other := Options{ID: LogID{7}, Buffer: make([]byte, RecordBytes)}
		for n := 1; n <= 2*slots; n++ {
			r, err := Open(m, slots*RecordBytes, other)
			if err != nil {
				t.Fatal(err)
			}
			if r.Newest() != uint64(n)-1 {
				t.Fatalf("over a log of %d: the newest is %d, want %d", old, r.Newest(), n-1)
			}
			add(t, r, 1, Warn)
			if n%100 != 1 {
				continue
			}
			adopted, err := Open(m, slots*RecordBytes, Options{})
			if err != nil || adopted.ID() != other.ID || adopted.Newest() != uint64(n) {
				t.Errorf("without an ID: log %v up to %d, %v", adopted.ID(), adopted.Newest(), err)
			}
		}
	}
}

func TestNewerVersionsAreLeftAlone(t *testing.T) {
	newer := func(m *memory, slot int) {
		m.place(slot)[offMajor]++
		seal(m.place(slot), 0)
	}
	for name, spoil := range map[string]func(m *memory){
		"the newest": func(m *memory) { newer(m, 499) },
		"all": func(m *memory) {
			for slot := range 600 {
				newer(m, slot)
			}
		},
		"of another log": func(m *memory) {
			copy(m.place(0)[offLog:], "another")
			newer(m, 0)
		},
	} {
		m := newMemory(600)
		add(t, open(t, m, 600, MaxGroup), 1100, Info)
		spoil(m)
		m.writes = 0
		r := open(t, m, 600, 4)
		if !errors.Is(r.ReadOnly(), ErrVersion) || !errors.Is(r.Append(entry(1, Warn)), ErrVersion) || !errors.Is(r.Clear(entry(1, Warn)), ErrVersion) {
			t.Errorf("%s: %v", name, r.ReadOnly())
		}
		if err := r.Flush(); err != nil || m.writes > 0 || r.Newest() != 1100 {
			t.Errorf("%s: %v, %d writes, the newest is %d", name, err, m.writes, r.Newest())
		}
	}
}

// TestDamageWhereTheSearchLooks damages each place that was read, again and again
// until only the whole ring tells: nothing but what was damaged may be lost.
func TestDamageWhereTheSearchLooks(t *testing.T) {
	for _, head := range []uint64{realSlots / 3, realSlots, realSlots + 1, 3*realSlots + 1000, 7*realSlots - 10} {
		area := &calculated{head: head, patches: map[int][]byte{}}
		for round, whole := 0, false; round < 10 && !whole; round++ {
			area.reads = nil
			r := open(t, area, realSlots, 1)
			if r.Newest() != head {
				t.Fatalf("with %d places damaged the newest is %d, want %d", len(area.patches), r.Newest(), head)
			}
			t.Logf("head %d, %d places damaged: %+v", head, len(area.patches), r.Found())
			whole = r.Found().Whole
			for _, slot := range area.reads {
				if slot != r.slot(head) {
					area.patches[slot] = slices.Repeat([]byte{byte(slot), 1}, RecordBytes/2)
				}
			}
		}
	}
}

// TestDamagedRegions damages many places in a row, in a ring that has been full and
// in one that has not.
func TestDamagedRegions(t *testing.T) {
	const newest = 20_000
	garbage := slices.Repeat([]byte("garbage!"), RecordBytes/8)
	for _, c := range []struct{ from, to, left int }{
		{0, 1, newest},
		{0, 1000, newest},
		{0, newest - 1, newest},
		{16_384, 16_385, newest},
		{16_000, 17_000, newest},
		{10_000, newest - 1, newest},
		{19_000, newest - 2, newest},
		{newest - 1, newest, newest - 1},
		{newest, newest + 500, newest},
		{newest, realSlots, newest},
		{15_000, 25_000, 15_000},
	} {
		for _, rounds := range []int{0, 3} {
			area := &calculated{head: uint64(rounds*realSlots + newest), patches: map[int][]byte{}}
			for slot := c.from; slot < c.to; slot++ {
				area.patches[slot] = garbage
			}
			r := open(t, area, realSlots, 1)
			if want := uint64(rounds*realSlots + c.left); r.Newest() != want {
				t.Errorf("places %d to %d damaged: the newest is %d, want %d", c.from, c.to-1, r.Newest(), want)
			}
			t.Logf("places %d to %d damaged in round %d: %+v", c.from, c.to-1, rounds, r.Found())
		}
	}
}

// TestOddSizes: rings of all small sizes, with buffers larger and smaller.
func TestOddSizes(t *testing.T) {
	for slots := 1; slots <= 70; slots++ {
		for _, buffer := range []int{1, 5, 300} {
			m := newMemory(slots)
			for n := range 12 {
				r := open(t, m, slots, buffer)
				before := r.Newest()
				add(t, r, 1+n*n, Info)
				r = open(t, m, slots, buffer)
				if list, tally := all(r, Query{}); r.Newest() != before+1+uint64(n*n) ||
					!slices.Equal(sequences(list), span(r.Oldest(), r.Newest())) || tally != (Tally{}) {
					t.Fatalf("%d places, buffer of %d: %v, %+v", slots, buffer, sequences(list), tally)
				}
			}
		}
	}
}

// fuzzSlots is more than is read in whole.
const fuzzSlots = 40

// FuzzOpen opens rings of arbitrary bytes. Each first byte of 64 says what is made
// of the others: bytes, or a record with any sequence number.
func FuzzOpen(f *testing.F) {
	f.Add(make([]byte, 64), uint8(40))
	f.Add(slices.Repeat([]byte{1, 0, 2, 3, 4, 5, 6, 7}, 8*20), uint8(33))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		slots := int(size)%fuzzSlots + 1
		m := newMemory(slots)
		for slot := 0; slot < slots && len(data) >= 64; slot, data = slot+1, data[64:] {
			b := m.place(slot)
			copy(b, data[1:64])
			if data[0]&1 == 0 {
				continue
			}
			copy(b, magic)
			b[offMajor], b[offLevel] = versionMajor, 1
			copy(b[offLog:], testLog[:])
			if data[0]&2 != 0 {
				seq := le.Uint64(b[offSequence:])
				le.PutUint64(b[offSequence:], seq-(seq-1)%uint64(slots)+uint64(slot))
			}
			seal(b, ahead(b))
		}
		r := open(t, m, slots, 4)
		if r.Found().Reads > 3*slots+MaxGroup {
			t.Fatalf("%d places: %+v", slots, r.Found())
		}
		_, _ = all(r, Query{Backward: true})
		if r.Newest() > maxSequence-6 {
			return
		}
		for _, l := range []Level{Warn, Info} {
			add(t, r, 3, l)
		}
		want := span(r.Newest()-uint64(min(6, slots))+1, r.Newest())
		if list, _ := all(r, Query{After: want[0] - 1}); !slices.Equal(sequences(list), want) {
			t.Fatalf("%v, want %v", sequences(list), want)
		}
		if slots > readWhole {
			return // what no log ever looks like is not searched for
		}
		if list, _ := all(open(t, m, slots, 4), Query{After: want[0] - 1}); !slices.Equal(sequences(list), want) {
			t.Fatalf("opened again: %v, want %v", sequences(list), want)
		}
	})
}
