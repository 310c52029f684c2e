package raylog

import (
	"errors"
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

// TestRefreshAfterDamage: what was the newest record is not there any more. And who
// writes after a refresh sees to it first that the others' records are durable.
func TestRefreshAfterDamage(t *testing.T) {
	m := newMemory(48)
	r := open(t, m, 48, 8)
	add(t, r, 60, Info)
	for n := uint64(58); n <= 60; n++ {
		m.damage(r.slot(n))
	}
	if err := r.Refresh(); err != nil || r.Newest() != 57 {
		t.Fatalf("%v, the newest is %d", err, r.Newest())
	}
	m.syncs = 0
	if add(t, r, 1, Warn); m.syncs != 2 {
		t.Errorf("%d times synchronised, want once before the write and once after it", m.syncs)
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

// TestHalfWrittenGroups: what could be written of a group is not written again, and
// the rest makes room in the buffer.
func TestHalfWrittenGroups(t *testing.T) {
	const buffer = 3 * lookAhead
	m := newMemory(100)
	r := open(t, m, 100, buffer)
	for n := 1; n <= buffer; n++ {
		if err := r.Append(entry(n, Info)); err != nil {
			t.Fatal(err)
		}
	}
	m.failAfter = 1
	if err := r.Flush(); !errors.Is(err, errMedium) || r.Written() != lookAhead {
		t.Errorf("%v, %d are written", err, r.Written())
	}
	for n := buffer + 1; n <= buffer+lookAhead; n++ {
		if err := r.Append(entry(n, Info)); err != nil {
			t.Fatal(err)
		}
	}
	m.writeErr = nil
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	list, _ := all(open(t, m, 100, 1), Query{})
	for i, rec := range list {
		if rec.Entry.Message != entry(i+1, Info).Message {
			t.Errorf("record %d says %q", rec.Sequence, rec.Message)
		}
	}
	if len(list) != buffer+lookAhead {
		t.Errorf("%d records", len(list))
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
