package raylog

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPutWhileAWriteIsUnderWay(t *testing.T) {
	m := newMemory(48)
	r := open(t, m, 48, 20)
	add(t, r, 48, Info)
	put := func(l Level, wantDurable bool, want error) {
		t.Helper()
		if durable, err := r.Put(entry(int(r.Newest())+1, l)); durable != wantDurable || !errors.Is(err, want) {
			t.Fatalf("durable %v, %v", durable, err)
		}
	}
	for range 10 {
		put(Info, false, nil)
	}
	w, ok := r.Begin(false)
	if _, again := r.Begin(false); !ok || again || r.Flush() == nil || r.Append(entry(1, Warn)) == nil {
		t.Fatalf("begun %v, and again %v", ok, again)
	}
	for range 8 {
		put(Error, true, nil)
	}
	put(Warn, true, nil) // Append has put one
	put(Fatal, true, ErrFull)
	if list, _ := all(r, Query{}); !slices.Equal(sequences(list), span(11, 68)) {
		t.Errorf("while ten are written: %v", sequences(list))
	}
	if err := w.Do(); err != nil {
		t.Fatal(err)
	}
	if r.End(w, nil); r.Written() != 58 {
		t.Errorf("%d are written", r.Written())
	}
	put(Info, false, nil)
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if list, _ := all(open(t, m, 48, 1), Query{}); !slices.Equal(sequences(list), span(22, 69)) {
		t.Errorf("in the end: %v", sequences(list))
	}
}

// TestWritesGoRoundTheBuffer puts and writes at random, with errors of the medium.
func TestWritesGoRoundTheBuffer(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 5))
		slots := 40 + random.IntN(100)
		m := newMemory(slots)
		r := open(t, m, slots, 1+random.IntN(2*slots))
		var under *Write
		for range 3000 {
			switch random.IntN(4) {
			case 0:
				if w, ok := r.Begin(r.pending > r.group); ok {
					under = &w
				}
			case 1:
				if under == nil {
					break
				}
				if m.writeErr = nil; random.IntN(5) == 0 {
					m.writeErr = errMedium
				}
				r.End(*under, under.Do())
				under = nil
			default:
				for range random.IntN(20) {
					if _, err := r.Put(entry(int(r.Newest())+1, Info)); err != nil && !errors.Is(err, ErrFull) {
						t.Fatal(err)
					}
				}
			}
		}
		if under != nil {
			r.End(*under, errMedium)
		}
		if m.writeErr = nil; r.Flush() != nil {
			t.Fatal("the end cannot be written")
		}
		list, tally := all(open(t, m, slots, 1), Query{})
		if !slices.Equal(sequences(list), span(r.Oldest(), r.Newest())) || tally != (Tally{}) {
			t.Fatalf("seed %d: %v, %+v", seed, sequences(list), tally)
		}
		for _, rec := range list {
			if rec.Message != entry(int(rec.Sequence), Info).Message {
				t.Fatalf("seed %d: record %d says %q", seed, rec.Sequence, rec.Message)
			}
		}
	}
}
