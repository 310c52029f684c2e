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

// TestOneDamagedPlaceIsCheap: unless it is near the newest record.
func TestOneDamagedPlaceIsCheap(t *testing.T) {
	const head = 3*realSlots + 20_000
	clean := &calculated{head: head}
	near := open(t, clean, realSlots, 1).slot(head)
	for _, slot := range clean.reads {
		if slot > near-MaxGroup && slot <= near+MaxGroup {
			continue
		}
		area := &calculated{head: head, patches: map[int][]byte{slot: make([]byte, RecordBytes)}}
		if r := open(t, area, realSlots, 1); r.Newest() != head || r.Found().Reads > 40 {
			t.Errorf("place %d damaged: the newest is %d, %+v", slot, r.Newest(), r.Found())
		}
	}
}

// TestDamagedRegions damages many places in a row, in a ring that has been full and
// in one that has not.
func TestDamagedRegions(t *testing.T) {
	const newest = 20_000
	garbage, blank := slices.Repeat([]byte("garbage!"), RecordBytes/8), make([]byte, RecordBytes)
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
			for _, content := range [][]byte{garbage, blank} {
				if rounds == 0 && content[0] == 0 && (c.to == newest-1 || c.to == newest-2) {
					continue // as if it had ended there
				}
				area := &calculated{head: uint64(rounds*realSlots + newest), patches: map[int][]byte{}}
				for slot := c.from; slot < c.to; slot++ {
					area.patches[slot] = content
				}
				r := open(t, area, realSlots, 1)
				if want := uint64(rounds*realSlots + c.left); r.Newest() != want {
					t.Errorf("places %d to %d damaged: the newest is %d, want %d", c.from, c.to-1, r.Newest(), want)
				}
				t.Logf("places %d to %d damaged in round %d: %+v", c.from, c.to-1, rounds, r.Found())
			}
		}
	}
}

// TestHolesBehindADamagedRecord: the power was cut while a group was written, and
// the record that told of it is not whole.
func TestHolesBehindADamagedRecord(t *testing.T) {
	const slots, before, group = 600, 700, 200
	for damaged := range 40 {
		m := newMemory(slots)
		add(t, open(t, m, slots, MaxGroup), before, Info)
		older := slices.Clone(m.data)
		r := open(t, m, slots, MaxGroup)
		add(t, r, group, Info)
		hole := r.slot(before + lookAhead + 1)
		copy(m.data[hole*RecordBytes:(hole+group-lookAhead-1)*RecordBytes], older[hole*RecordBytes:])
		m.damage(r.slot(before + uint64(damaged)))
		if again := open(t, m, slots, 1); again.Newest() != before+group {
			t.Errorf("record %d damaged: the newest is %d, want %d", before+damaged, again.Newest(), before+group)
		}
	}
}

// TestStrayRecords: a record counts in its own place only.
func TestStrayRecords(t *testing.T) {
	for slots := readWhole; slots < 3*readWhole; slots += readWhole {
		m := newMemory(slots)
		r := open(t, m, slots, 8)
		add(t, r, slots*5/2, Info)
		m.damage(r.slot(r.Newest())) // it is only in the wrong place
		stray := Record{Entry: entry(0, Info), Log: testLog, Sequence: r.Newest() + 1}
		before := slices.Clone(m.data)
		for slot := range slots {
			copy(m.data, before)
			copy(m.place(slot), encode(t, stray))
			if again := open(t, m, slots, 8); again.Newest() > r.Newest() != (slot == r.slot(stray.Sequence)) {
				t.Fatalf("a stray record in place %d: the newest is %d", slot, again.Newest())
			}
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
