package record

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// memory is a medium that can fail and lie.
type memory struct {
	data     []byte
	writes   int
	readErr  error
	writeErr error
	drops    bool // writes are acknowledged and lost
}

func (m *memory) Read() ([]byte, error) { return append([]byte(nil), m.data...), m.readErr }

func (m *memory) WriteAt(data []byte, offset int64) error {
	m.writes++
	if m.writeErr == nil && !m.drops {
		copy(m.data[offset:], data)
	}
	return m.writeErr
}

func initial(t *testing.T) *memory {
	t.Helper()
	data, err := InitialFile(installID)
	if err != nil {
		t.Fatal(err)
	}
	return &memory{data: data}
}

func TestSaveAlternatesAndReadsBack(t *testing.T) {
	m := initial(t)
	for i := range 5 {
		s, loaded := Open(m, installID)
		if loaded.Status != Good || loaded.Problem != nil || loaded.Record.Disablings != i {
			t.Fatalf("%+v", loaded)
		}
		r := loaded.Record
		if err := s.Save(r); err != nil || m.writes != i {
			t.Fatalf("saved though nothing changed: %v, %d writes", err, m.writes)
		}
		r.Disablings++
		before := string(m.data)
		if err := s.Save(r); err != nil {
			t.Fatal(err)
		}
		at := CopyBytes * (i % 2)
		if before[CopyBytes-at:2*CopyBytes-at] != string(m.data[CopyBytes-at:2*CopyBytes-at]) {
			t.Fatal("the newer copy was overwritten")
		}
	}
}

func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(m *memory)
		id     string
		want   Status
		says   string

		readOnly bool // what is there must not be written over
	}{
		{"copy A", func(m *memory) { m.data[100] ^= 1 }, installID, Degraded, "checksum", false},
		{"copy B", func(m *memory) { m.data[CopyBytes] ^= 1 }, installID, Degraded, "no boot-state record", false},
		{"both", func(m *memory) { m.data[0] ^= 1; m.data[CopyBytes+99] ^= 1 }, installID, Lost, "no copy", false},
		{"short", func(m *memory) { m.data = m.data[:FileBytes-1] }, installID, Lost, "8191 bytes", true},
		{"missing", func(m *memory) { m.readErr = fs.ErrNotExist }, installID, Lost, "not exist", true},
		{"foreign", func(*memory) {}, "another", Foreign, installID, false},
		{"newer", func(m *memory) { m.data[offVersion]++; seal(m.data[:CopyBytes]) }, installID, Newer, "2.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := initial(t)
			c.damage(m)
			s, loaded := Open(m, c.id)
			if loaded.Status != c.want || loaded.Problem == nil || !strings.Contains(loaded.Problem.Error(), c.says) {
				t.Fatalf("%v: %v, want %v", loaded.Status, loaded.Problem, c.want)
			}
			m.readErr = nil
			r := loaded.Record
			r.Disablings = 7
			err := s.Save(r)
			if c.readOnly {
				if err == nil || m.writes > 0 {
					t.Fatalf("%v, %d writes, want none", err, m.writes)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, again := Open(m, c.id); again.Record.Disablings != 7 || c.want == Degraded && again.Status != Good {
				t.Errorf("afterwards %v: %v", again.Status, again.Problem)
			}
		})
	}
}

func TestSaveTellsFailures(t *testing.T) {
	for name, spoil := range map[string]func(m *memory){
		"write protected": func(m *memory) { m.writeErr = errors.New("write protected") },
		"something else":  func(m *memory) { m.drops = true },
	} {
		m := initial(t)
		s, loaded := Open(m, installID)
		spoil(m)
		r := loaded.Record
		r.Disablings++
		if err := s.Save(r); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := Open(m, installID); !again.Record.Equal(loaded.Record) {
			t.Errorf("%s: the stored record is %+v", name, again.Record)
		}
	}
}

func TestSequenceWrapsAround(t *testing.T) {
	m := initial(t)
	last := New(installID)
	last.Sequence = 1<<64 - 1
	b, err := Encode(last)
	if err != nil {
		t.Fatal(err)
	}
	copy(m.data, b[:])
	copy(m.data[CopyBytes:], make([]byte, CopyBytes))
	s, loaded := Open(m, installID)
	r := loaded.Record
	r.Disablings = 1
	if err := s.Save(r); err != nil {
		t.Fatal(err)
	}
	if _, again := Open(m, installID); again.Record.Disablings != 1 {
		t.Errorf("after the highest number: %+v", again.Record)
	}
}
