package write

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// sectorBytes is the unit in which a rehearsal keeps what was written.
const sectorBytes = 512

// Rehearsal is a disk on which changes are tried out: it reads as if they had been made, and
// remembers them in order, with the flushes between them, for [Replay]. Whoever changes a
// disk in many small writes that depend on each other can so show all of them first.
type Rehearsal struct {
	base    io.ReaderAt
	size    int64
	sectors map[int64][]byte // that differ from the base
	step    string
	ops     []rehearsed
	read    hash.Hash // of all that was read from the base
}

// rehearsed is a write, or a flush where data is nil.
type rehearsed struct {
	step   string
	offset int64
	data   []byte
}

// NewRehearsal begins on a disk of size bytes, which is only read.
func NewRehearsal(base io.ReaderAt, size int64) *Rehearsal {
	return &Rehearsal{base: base, size: size, sectors: map[int64][]byte{}, read: sha256.New()}
}

// Begin names the step that the next writes belong to.
func (r *Rehearsal) Begin(step string) { r.step = step }

// ReadAt implements [io.ReaderAt].
func (r *Rehearsal) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.base.ReadAt(p, off)
	r.read.Write(p[:n])
	for s := off / sectorBytes; s*sectorBytes < off+int64(n); s++ {
		b, ok := r.sectors[s]
		if !ok {
			continue
		}
		if at := s*sectorBytes - off; at < 0 {
			copy(p[:n], b[-at:])
		} else {
			copy(p[at:n], b)
		}
	}
	return n, err
}

// WriteAt implements [io.WriterAt].
func (r *Rehearsal) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off > r.size-int64(len(p)) {
		return 0, fmt.Errorf("write %d bytes at byte %d of the disk: %w", len(p), off, fs.ErrInvalid)
	}
	first := off / sectorBytes
	whole := make([]byte, (off+int64(len(p))+sectorBytes-1)/sectorBytes*sectorBytes-first*sectorBytes)
	if len(whole) != len(p) {
		if _, err := r.ReadAt(whole, first*sectorBytes); err != nil {
			return 0, err
		}
	}
	copy(whole[off-first*sectorBytes:], p)
	r.ops = append(r.ops, rehearsed{r.step, first * sectorBytes, whole})
	for i := int64(0); i*sectorBytes < int64(len(whole)); i++ {
		r.sectors[first+i] = whole[i*sectorBytes:][:sectorBytes]
	}
	return len(p), nil
}

// Sync remembers a flush.
func (r *Rehearsal) Sync() error {
	if n := len(r.ops); n > 0 && r.ops[n-1].data != nil {
		r.ops = append(r.ops, rehearsed{step: r.step})
	}
	return nil
}

// Section is a part of the disk, such as a partition.
func (r *Rehearsal) Section(start, size int64) *RehearsalSection {
	return &RehearsalSection{io.NewSectionReader(r, start, size), r, start}
}

// RehearsalSection is a part of the disk of a rehearsal.
type RehearsalSection struct {
	*io.SectionReader
	r     *Rehearsal
	start int64
}

// WriteAt implements [io.WriterAt].
func (s *RehearsalSection) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off > s.Size()-int64(len(p)) {
		return 0, fmt.Errorf("write %d bytes at byte %d of the partition: %w", len(p), off, fs.ErrInvalid)
	}
	return s.r.WriteAt(p, s.start+off)
}

// Sync remembers a flush.
func (s *RehearsalSection) Sync() error { return s.r.Sync() }

// Steps are the writes, as they are shown to people.
func (r *Rehearsal) Steps() []Step {
	var steps []Step
	for _, op := range r.ops {
		if op.data == nil {
			continue
		}
		if n := len(steps); n == 0 || steps[n-1].Name != op.step {
			steps = append(steps, Step{Name: op.step})
		}
		last := &steps[len(steps)-1]
		e := Extent{op.offset, int64(len(op.data))}
		if n := len(last.Extents); n > 0 && last.Extents[n-1].EndBytes() == e.OffsetBytes {
			last.Extents[n-1].LengthBytes += e.LengthBytes
		} else {
			last.Extents = append(last.Extents, e)
		}
	}
	return steps
}

// Bytes is how much is written.
func (r *Rehearsal) Bytes() (n int64) {
	for _, op := range r.ops {
		n += int64(len(op.data))
	}
	return n
}

// Fingerprint tells whether two rehearsals have read the same, and do the same.
func (r *Rehearsal) Fingerprint() [sha256.Size]byte {
	h := sha256.New()
	h.Write(r.read.Sum(nil))
	for _, op := range r.ops {
		var head [16]byte
		binary.LittleEndian.PutUint64(head[:], uint64(op.offset))
		binary.LittleEndian.PutUint64(head[8:], uint64(len(op.data)))
		h.Write(head[:])
		h.Write(op.data)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
