package write

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
	"github.com/rayos/rayboot/installer/table"
)

// Device is a disk that is written.
type Device interface {
	io.ReaderAt
	io.WriterAt
	// Sync makes durable what was written; what is read then comes from the medium.
	Sync() error
	// Discard tells the disk that a range is not needed any more. It reports whether the
	// range now reads as zeros, and fails with [errors.ErrUnsupported] where the disk
	// cannot.
	Discard(offset, length int64) (zeros bool, err error)
}

// Content fills one partition.
type Content struct {
	Number int    // of the partition
	Name   string // for people
	// Write writes the content, at offsets within the partition, in any order but no byte
	// twice. It may be called more than once and must write the same each time.
	Write func(w io.WriterAt) error
}

// Job is all that is to be written.
type Job struct {
	Geometry   gpt.Geometry
	DiskID     gpt.GUID
	Partitions []gpt.Partition
	Kept       []int // numbers of partitions that are left as they are
	Contents   []Content
	// BackupLast says that the old table is only known from its backup copy, which is then
	// written last, in place of the primary one.
	BackupLast bool
}

// NewJob makes a job of a plan.
func NewJob(p plan.Plan, contents []Content) Job {
	old := p.Disk.Content
	return Job{
		Geometry: p.Geometry(), DiskID: p.DiskID, Partitions: p.After, Kept: p.Kept, Contents: contents,
		BackupLast: old.Table == signature.GPT && old.GUIDTable.FromBackup,
	}
}

// Extent is a range of the disk.
type Extent struct {
	OffsetBytes int64 `json:"offsetBytes"`
	LengthBytes int64 `json:"lengthBytes"`
}

// EndBytes is the first byte behind the extent.
func (e Extent) EndBytes() int64 { return e.OffsetBytes + e.LengthBytes }

// Step is a part of the work, as it is shown to people.
type Step struct {
	Name    string   `json:"name"`
	Extents []Extent `json:"extents"` // that are written, or discarded where the disk can
}

// prepared is a job that was checked: all that can go wrong before a disk is written has
// gone well.
type prepared struct {
	Job
	table     table.Table
	erase     []gpt.Partition // those that are not kept
	gaps      []Extent        // what is left between the table and the partitions
	contents  [][]chunk       // what each content writes, by place
	heads     []Extent        // what of that is held back
	sumLength int64           // of all contents
}

// Steps lists all that [Run] writes, in order. It runs the contents, but writes nothing.
func (j Job) Steps(ctx context.Context) ([]Step, error) {
	p, err := j.prepare(ctx)
	if err != nil {
		return nil, err
	}
	var steps []Step
	add := func(name string, extents ...Extent) { steps = append(steps, Step{name, extents}) }
	for _, part := range p.erase {
		add("erase "+label(part), Extent{part.StartBytes, part.SizeBytes})
	}
	for i, c := range p.Contents {
		add("write "+c.Name, merge(p.contents[i])...)
	}
	if len(p.heads) > 0 {
		add("write the first bytes of the partitions", p.heads...)
	}
	for _, group := range p.copies() {
		for _, piece := range group {
			add("write "+piece.Name, Extent{piece.OffsetBytes, int64(len(piece.Data))})
		}
	}
	if len(p.gaps) > 0 {
		add("erase what is left between the partitions", p.gaps...)
	}
	return steps, nil
}

// prepare checks a job and finds out what it will write.
func (j Job) prepare(ctx context.Context) (*prepared, error) {
	t, err := table.Encode(j.Geometry, j.DiskID, j.Partitions)
	if err != nil {
		return nil, fmt.Errorf("encode partition table: %w", err)
	}
	p := &prepared{Job: j, table: t, gaps: gaps(j.Geometry, j.Partitions)}
	for _, part := range j.Partitions {
		if !slices.Contains(j.Kept, part.Number) {
			p.erase = append(p.erase, part)
		}
	}
	seen := map[int]bool{}
	for _, c := range j.Contents {
		i := slices.IndexFunc(p.erase, func(p gpt.Partition) bool { return p.Number == c.Number })
		if i < 0 || seen[c.Number] {
			return nil, fmt.Errorf("plan %s: partition %d does not take a content", c.Name, c.Number)
		}
		seen[c.Number] = true
		if err := p.measure(ctx, c, p.erase[i]); err != nil {
			return nil, fmt.Errorf("plan %s: %w", c.Name, err)
		}
	}
	return p, nil
}

// measure finds out what a content writes.
func (p *prepared) measure(ctx context.Context, c Content, part gpt.Partition) error {
	r := &recorder{ctx: ctx, part: part, head: make([]byte, headBytes)}
	if err := c.Write(r); err != nil {
		return err
	}
	slices.SortFunc(r.chunks, func(a, b chunk) int { return cmp.Compare(a.OffsetBytes, b.OffsetBytes) })
	for i := range r.chunks[min(1, len(r.chunks)):] {
		if r.chunks[i].EndBytes() > r.chunks[i+1].OffsetBytes {
			return fmt.Errorf("byte %d of the disk is written twice", r.chunks[i+1].OffsetBytes)
		}
	}
	p.contents = append(p.contents, r.chunks)
	p.sumLength += r.done
	if r.headUsed {
		p.heads = append(p.heads, Extent{part.StartBytes, int64(len(r.head))})
	}
	return nil
}

// copies returns the pieces of the table in the order in which they are written: the first
// copy, and then the one that decides. Between groups the disk is flushed. The primary
// header comes before its entries: on a disk with a table for sectors of another size,
// whose header lies among them, it says from then on which size is the right one.
func (p *prepared) copies() [][]table.Piece {
	backup := [][]table.Piece{{p.table.BackupArray, p.table.BackupHeader}}
	primary := [][]table.Piece{{p.table.Header}, {p.table.Array}, {p.table.MBR}}
	if p.BackupLast {
		return append(primary, backup...)
	}
	return append(backup, primary...)
}

// gaps are the ranges right behind the primary table and right before the backup one that
// belong to no partition. Old systems have boot loaders, and RAIDs their descriptions, there.
func gaps(g gpt.Geometry, parts []gpt.Partition) []Extent {
	front := Extent{g.FirstUsable(), eraseBytes}
	back := Extent{g.EndUsable() - eraseBytes, eraseBytes}
	for _, p := range parts {
		if p.StartBytes < front.EndBytes() {
			front.LengthBytes = max(0, p.StartBytes-front.OffsetBytes)
		}
		if p.EndBytes() > back.OffsetBytes {
			back.OffsetBytes = min(g.EndUsable(), p.EndBytes())
			back.LengthBytes = g.EndUsable() - back.OffsetBytes
		}
	}
	return slices.DeleteFunc([]Extent{front, back}, func(e Extent) bool { return e.LengthBytes == 0 })
}

// merge joins extents that follow each other.
func merge(chunks []chunk) []Extent {
	var list []Extent
	for _, c := range chunks {
		if n := len(list); n > 0 && list[n-1].EndBytes() == c.OffsetBytes {
			list[n-1].LengthBytes += c.LengthBytes
		} else {
			list = append(list, c.Extent)
		}
	}
	return list
}

func label(p gpt.Partition) string { return fmt.Sprintf("partition %d (%s)", p.Number, p.Name) }

// unsupported reports whether the disk cannot do it, as opposed to has failed.
func unsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
