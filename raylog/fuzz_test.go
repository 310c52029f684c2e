package raylog

import (
	"slices"
	"testing"
)

// fuzzSlots is more than is read in whole.
const fuzzSlots = 40

// arbitrary is an area of arbitrary bytes. The first of each 64 bytes says what is
// made of the others: just bytes, or a record with any sequence number, or one in
// its place.
func arbitrary(data []byte, slots int) *memory {
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
			seq := sequence(b)
			le.PutUint64(b[offSequence:], seq-(seq-1)%uint64(slots)+uint64(slot))
		}
		seal(b, ahead(b))
	}
	return m
}

func FuzzOpen(f *testing.F) {
	f.Add(make([]byte, 64), uint8(39))
	f.Add(slices.Repeat([]byte{3, 0, 2, 3, 4, 5, 6, 7}, 8*20), uint8(32))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		slots := int(size)%fuzzSlots + 1
		m := arbitrary(data, slots)
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
