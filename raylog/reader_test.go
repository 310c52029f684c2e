package raylog

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

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

// TestReaderIsOvertaken: what was overwritten by another ring is not taken for what
// was there.
func TestReaderIsOvertaken(t *testing.T) {
	m := newMemory(48)
	r := open(t, m, 48, 8)
	add(t, r, 60, Info)
	late := open(t, m, 48, 8)
	add(t, r, 20, Info)
	list, tally := all(late, Query{})
	if !slices.Equal(sequences(list), span(80-48+1, 60)) || tally != (Tally{}) {
		t.Errorf("%v, %+v", sequences(list), tally)
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
