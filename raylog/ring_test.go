package raylog

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestAppendAndReadBack(t *testing.T) {
	const slots = 100
	m := newMemory(slots)
	for n := 1; n <= 3*slots; n++ {
		r := open(t, m, slots, 8)
		if r.Newest() != uint64(n-1) {
			t.Fatalf("before %d the newest is %d", n, r.Newest())
		}
		add(t, r, 1, Info)
		oldest := uint64(max(1, n-slots+1))
		for _, r := range []*Ring{r, open(t, m, slots, 8)} {
			list, tally := all(r, Query{})
			if !slices.Equal(sequences(list), span(oldest, uint64(n))) || tally != (Tally{}) {
				t.Fatalf("after %d: %v, %+v", n, sequences(list), tally)
			}
			want := Record{Entry: entry(n, Info), Sequence: uint64(n), Log: testLog}
			want.Boot = BootID{9}
			if last := list[len(list)-1]; last != want {
				t.Fatalf("%+v, want %+v", last, want)
			}
		}
	}
}

func TestOnlyDurableOnesAreWrittenAtOnce(t *testing.T) {
	m := newMemory(100)
	r := open(t, m, 100, 8)
	for n := 1; n <= 5; n++ {
		if err := r.Append(entry(n, Info)); err != nil || m.writes > 0 {
			t.Fatalf("%v, %d writes", err, m.writes)
		}
	}
	if list, _ := all(r, Query{}); len(list) != 5 {
		t.Errorf("%d records can be read before they are written", len(list))
	}
	if err := r.Append(entry(6, Warn)); err != nil || m.writes != 1 || r.Written() != 6 {
		t.Errorf("a warning: %v, %d writes, %d are written", err, m.writes, r.Written())
	}
	if err := r.Flush(); err != nil || m.writes != 1 {
		t.Errorf("nothing to flush: %v, %d writes", err, m.writes)
	}
	for n := 7; n <= 15; n++ {
		if err := r.Append(entry(n, Info)); err != nil {
			t.Fatal(err)
		}
	}
	if m.writes != 2 || r.Written() != 14 {
		t.Errorf("the buffer was full: %d writes, %d are written", m.writes, r.Written())
	}
}

// TestGroupsAreAnnounced counts the writes of groups of different sizes.
func TestGroupsAreAnnounced(t *testing.T) {
	for _, c := range []struct{ records, writes, streamed int }{
		{1, 1, 1},
		{lookAhead, 1, 1},
		{lookAhead + 1, 2, 2},
		{MaxGroup, 2, 2},
		{MaxGroup + 1, 2, 3},
		{10 * MaxGroup, 11, 11},
	} {
		m := newMemory(1 << 12)
		if add(t, open(t, m, 1<<12, c.records), c.records, Info); m.writes != c.writes {
			t.Errorf("%d records: %d writes, want %d", c.records, m.writes, c.writes)
		}
		m = newMemory(1 << 12)
		if add(t, open(t, m, 1<<12, MaxGroup), c.records, Info); m.writes != c.streamed {
			t.Errorf("%d records in a stream: %d writes, want %d", c.records, m.writes, c.streamed)
		}
	}
}

func TestLevels(t *testing.T) {
	r, err := Open(newMemory(40), 40*RecordBytes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []Level{Trace, Debug, Info} {
		if err := r.Append(entry(1, l)); err != nil {
			t.Fatal(err)
		}
	}
	if r.Level() != Debug || r.Newest() != 2 {
		t.Errorf("level %v, %d records", r.Level(), r.Newest())
	}
	if err := r.SetLevel(Fatal); err != nil {
		t.Fatal(err)
	}
	if err := r.Append(entry(1, Error)); err != nil || r.Newest() != 2 || r.Written() != 0 {
		t.Errorf("an error below the level: %v, %d records", err, r.Newest())
	}
	for _, l := range []Level{0, Fatal + 1} {
		if r.SetLevel(l) == nil || !errors.Is(r.Append(Entry{Level: l}), ErrInvalid) || !errors.Is(r.Clear(Entry{Level: l}), ErrInvalid) {
			t.Errorf("%v is accepted", l)
		}
	}
}

func TestQueries(t *testing.T) {
	m := newMemory(64)
	r := open(t, m, 64, 4)
	for n := 1; n <= 80; n++ {
		e := entry(n, Level(n%6)+1)
		e.Source, e.Boot = fmt.Sprint("source", n%3), BootID{byte(n % 5)}
		if err := r.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		query Query
		wants func(n int) bool
	}{
		"all":    {Query{}, func(int) bool { return true }},
		"level":  {Query{Level: Error}, func(n int) bool { return Level(n%6)+1 >= Error }},
		"source": {Query{Source: "source2"}, func(n int) bool { return n%3 == 2 }},
		"boot":   {Query{Boot: BootID{4}}, func(n int) bool { return n%5 == 4 }},
		"after":  {Query{After: 70}, func(n int) bool { return n > 70 }},
		"each":   {Query{After: 20, Level: Info, Source: "source1", Boot: BootID{2}}, func(n int) bool { return n > 20 && n%6 >= 2 && n%3 == 1 && n%5 == 2 }},
	} {
		oldest := int(r.Oldest())
		if oldest < 2 || r.Written() == 80 {
			t.Fatalf("oldest %d, written %d", oldest, r.Written())
		}
		var want []uint64
		for n := oldest; n <= 80; n++ {
			if c.wants(n) {
				want = append(want, uint64(n))
			}
		}
		list, _ := all(r, c.query)
		c.query.Backward = true
		back, _ := all(r, c.query)
		slices.Reverse(back)
		if !slices.Equal(sequences(list), want) || !slices.Equal(sequences(back), want) {
			t.Errorf("%s:\n%v\n%v\nwant %v", name, sequences(list), sequences(back), want)
		}
	}
}

// TestReaderFollows: a reader goes on when something was appended, and passes over
// what was overwritten meanwhile.
func TestReaderFollows(t *testing.T) {
	m := newMemory(48)
	r := open(t, m, 48, 4)
	other := open(t, m, 48, 1)
	d, o := r.Reader(Query{}), other.Reader(Query{})
	var seen, others []uint64
	for n := 1; n <= 200; n++ {
		if err := r.Append(entry(n, Info)); err != nil {
			t.Fatal(err)
		}
		if n > 100 && n < 190 {
			continue
		}
		for rec, ok := d.Next(); ok; rec, ok = d.Next() {
			seen = append(seen, rec.Sequence)
		}
		if err := other.Refresh(); err != nil {
			t.Fatal(err)
		}
		for rec, ok := o.Next(); ok; rec, ok = o.Next() {
			others = append(others, rec.Sequence)
		}
	}
	want := slices.Concat(span(1, 100), span(r.Oldest()-8, 200)) // written up to 188 when it was read again
	if !slices.Equal(seen, want) || d.Tally() != (Tally{}) {
		t.Errorf("%v, %+v; want %v", seen, d.Tally(), want)
	}
	if last := others[len(others)-1]; last != r.Written() || o.Tally() != (Tally{}) {
		t.Errorf("another one has read up to %d of %d, %+v", last, r.Written(), o.Tally())
	}
	if err := r.Refresh(); err == nil {
		t.Error("refreshed though there is something to write")
	}
}

func TestClear(t *testing.T) {
	m := newMemory(64)
	r := open(t, m, 64, 4)
	add(t, r, 3, Info)
	if err := r.Clear(Entry{Level: Trace, Message: "cleared"}); err != nil || r.Written() != 4 {
		t.Fatalf("%v, %d are written", err, r.Written())
	}
	for _, r := range []*Ring{r, open(t, m, 64, 4)} {
		list, _ := all(r, Query{})
		if len(list) != 1 || !list[0].Clears || list[0].Message != "cleared" {
			t.Errorf("after it was cleared: %+v", list)
		}
	}
	r = open(t, m, 64, 4)
	add(t, r, 2, Info)
	list, _ := all(r, Query{})
	every, _ := all(r, Query{All: true})
	if !slices.Equal(sequences(list), span(4, 6)) || !slices.Equal(sequences(every), span(1, 6)) {
		t.Errorf("%v of %v", sequences(list), sequences(every))
	}
	if s := r.Stats(); s.Records != 6 || s.Current != 3 {
		t.Errorf("%+v", s)
	}
}

func TestStats(t *testing.T) {
	m := newMemory(64)
	r := open(t, m, 64, 4)
	if s := r.Stats(); s != (Stats{CapacityBytes: 64 * RecordBytes}) {
		t.Errorf("empty: %+v", s)
	}
	add(t, r, 70, Info)
	m.damage(r.slot(10))
	m.badSlots = map[int]bool{r.slot(30): true}
	m.place(r.slot(20))[offMajor]++
	seal(m.place(r.slot(20)), 0)
	old := Record{Entry: Entry{Level: Info}, Log: testLog, Sequence: 40 - 32} // of another place
	copy(m.place(r.slot(40)), encode(t, old))
	boot := entry(71, Info)
	boot.Boot = BootID{1}
	for range 2 {
		if err := r.Append(boot); err != nil {
			t.Fatal(err)
		}
	}
	// 9 to 72 have a place: 7 and 8 are overwritten when 71 and 72 are written.
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	s := r.Stats()
	if !errors.Is(s.Problem, errMedium) {
		t.Errorf("%v", s.Problem)
	}
	s.Problem = nil
	want := Stats{
		CapacityBytes: 64 * RecordBytes, UsedBytes: 63 * RecordBytes, Records: 60, Current: 60, Boots: 2, Oldest: 9, Newest: 72,
		Tally: Tally{Damaged: 2, Missing: 1, Newer: 1},
	}
	if s != want {
		t.Errorf("%+v\nwant\n%+v", s, want)
	}
}

// TestMediumErrors: what could not be written is written later, and what is lost
// is said.
func TestMediumErrors(t *testing.T) {
	m := newMemory(64)
	r := open(t, m, 64, 4)
	m.syncErr = errMedium
	if err := r.Append(entry(1, Warn)); !errors.Is(err, errMedium) || m.writes > 0 {
		t.Errorf("%v, %d writes before what was there is on the medium", err, m.writes)
	}
	m.syncErr, m.writeErr = nil, errMedium
	for n := 2; n <= 4; n++ {
		if err := r.Append(entry(n, Info)); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
	if err := r.Append(entry(5, Info)); !errors.Is(err, errMedium) {
		t.Errorf("the buffer is full: %v", err)
	}
	m.writeErr = nil
	if err := r.Append(entry(5, Info)); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if list, _ := all(open(t, m, 64, 4), Query{}); !slices.Equal(sequences(list), span(1, 5)) || list[4].Message != "message 5" {
		t.Errorf("%v", list)
	}
}

func TestOpenRefuses(t *testing.T) {
	m := newMemory(64)
	for _, size := range []int64{0, -RecordBytes, RecordBytes - 1, RecordBytes + 1, 1 << 50} {
		if _, err := Open(m, size, Options{}); err == nil {
			t.Errorf("an area of %d bytes is accepted", size)
		}
	}
	for _, size := range []int{0, 1, RecordBytes + 1} {
		if _, err := Open(m, RecordBytes, Options{Buffer: make([]byte, size)}); err == nil {
			t.Errorf("a buffer of %d bytes is accepted", size)
		}
	}
	m.badSlots = map[int]bool{}
	for slot := range 64 {
		m.badSlots[slot] = true
	}
	if _, err := Open(m, 64*RecordBytes, Options{}); !errors.Is(err, errMedium) {
		t.Errorf("an area that cannot be read: %v", err)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	const slots = 1 << 10
	for _, l := range []Level{Trace, Info, Warn} {
		m := newMemory(slots)
		r := open(t, m, slots, MaxGroup)
		if err := r.SetLevel(Debug); err != nil {
			t.Fatal(err)
		}
		e := entry(1, l)
		allocations := testing.AllocsPerRun(3*slots, func() {
			if err := r.Append(e); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%v: %v allocations per append", l, allocations)
		}
	}
}
