package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Medium is the file with the two copies.
type Medium interface {
	// Read opens the file anew and reads all of it.
	Read() ([]byte, error)
	// WriteAt writes into the file in place, and returns when the data is on the
	// medium.
	WriteAt(data []byte, offset int64) error
}

// Store keeps the record of one ESP. Make it with [Open].
type Store struct {
	medium   Medium
	stored   Record // the newest copy
	current  int64  // its offset
	empty    bool   // no copy can be used
	readOnly error  // why the file must not be written, nil if it may
}

// Open reads the record. The install ID binds it to its ESP: a record of another
// one is not used. There is always a Store; where the file may not be written,
// Save says so.
func Open(m Medium, installID string) (*Store, Loaded) {
	s := &Store{medium: m, stored: New(installID), empty: true}
	data, err := m.Read()
	if err == nil && len(data) < FileBytes {
		err = fmt.Errorf("%d bytes, want %d", len(data), FileBytes)
	}
	if err != nil {
		// What is there is not known, so it is not known either what may be overwritten.
		s.readOnly = fmt.Errorf("read the boot state: %w", err)
		return s, Loaded{Record: s.stored, Status: Lost, Problem: s.readOnly}
	}
	var problems [2]error
	for i := range problems {
		offset := int64(i * CopyBytes)
		r, err := Decode(data[offset : offset+CopyBytes])
		problems[i] = err
		if errors.Is(err, ErrVersion) {
			s.readOnly = err
		}
		if err == nil && (s.empty || newer(r.Sequence, s.stored.Sequence)) {
			s.stored, s.current, s.empty = r, offset, false
		}
	}
	return s, s.loaded(problems, installID)
}

// newer compares sequence numbers, which may wrap around.
func newer(a, b uint64) bool { return int64(a-b) > 0 }

// loaded judges what was found.
func (s *Store) loaded(problems [2]error, installID string) Loaded {
	fresh := New(installID)
	problem := errors.Join(problems[:]...)
	switch {
	case s.readOnly != nil:
		s.stored, s.empty = fresh, true
		return Loaded{Record: fresh, Status: Newer, Problem: fmt.Errorf("%w; it is left alone and nothing is counted", s.readOnly)}
	case s.empty:
		return Loaded{Record: fresh, Status: Lost, Problem: fmt.Errorf("no copy of it can be used: %w; %w", problems[0], problems[1])}
	case s.stored.InstallID != installID:
		foreign := s.stored.InstallID
		fresh.Sequence = s.stored.Sequence
		s.stored, s.empty = fresh, true
		return Loaded{Record: fresh, Status: Foreign, Problem: fmt.Errorf("it is of the installation %q, this one is %q", foreign, installID)}
	case problem != nil:
		return Loaded{Record: s.stored.Clone(), Status: Degraded, Problem: fmt.Errorf("one of its copies cannot be used: %w; the other is", problem)}
	}
	return Loaded{Record: s.stored.Clone()}
}

// Save makes r durable, in the place of the older or damaged copy, and reads it
// back. It writes nothing if that is what is stored. After an error the copy that
// was current still is.
func (s *Store) Save(r Record) error {
	if s.readOnly != nil {
		return fmt.Errorf("save the boot state: %w", s.readOnly)
	}
	if !s.empty && r.Equal(s.stored) {
		return nil
	}
	r.Sequence = s.stored.Sequence + 1
	b, err := Encode(r)
	if err != nil {
		return fmt.Errorf("save the boot state: %w", err)
	}
	offset := CopyBytes - s.current
	if err := s.medium.WriteAt(b[:], offset); err != nil {
		return fmt.Errorf("save the boot state: %w", err)
	}
	data, err := s.medium.Read()
	if err == nil && (len(data) < FileBytes || !bytes.Equal(data[offset:offset+CopyBytes], b[:])) {
		err = errors.New("the medium holds something else than was written")
	}
	if err != nil {
		return fmt.Errorf("read the saved boot state back: %w", err)
	}
	s.stored, s.current, s.empty = r.Clone(), offset, false
	return nil
}

// InitialFile returns the content of the file for an installation that has never
// booted.
func InitialFile(installID string) ([]byte, error) {
	r := New(installID)
	var file []byte
	for r.Sequence = 1; r.Sequence <= 2; r.Sequence++ {
		b, err := Encode(r)
		if err != nil {
			return nil, err
		}
		file = slices.Concat(file, b[:])
	}
	return file, nil
}
