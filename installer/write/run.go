package write

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/table"
)

// Progress says how far the work is. TotalBytes counts every byte of the contents twice:
// it is written and read back.
type Progress struct {
	Step       string
	DoneBytes  int64
	TotalBytes int64
}

// Report says what was done.
type Report struct {
	WrittenBytes int64  `json:"writtenBytes"` // of the contents; all were read back and compared
	SHA256       string `json:"sha256"`       // over the digests of all that was read back, in order
	Discarded    bool   `json:"discarded"`    // the disk was told what it need not keep
	// WriteSeconds is how long writing the contents took until they were durable, without
	// reading them back.
	WriteSeconds float64 `json:"writeSeconds,omitempty"`
}

// ErrDiffers says that the disk does not hold what was written to it.
var ErrDiffers = errors.New("the disk holds something else than was written")

// State says what a disk is left with.
type State string

// The states of a disk that an installation has failed on.
const (
	Untouched State = "nothing was written"
	OldTable  State = "the disk still has its old partition table, but what lay in its partitions is lost; run the installation again"
	Either    State = "the disk has its old partition table or the new one; run the installation again"
	OldOrNew  State = "the disk boots what it booted before or the new version; run the upgrade again"
	Complete  State = "the new installation is complete nevertheless"
)

// FailedError is an error of [Run].
type FailedError struct {
	Step  string
	State State
	Err   error
}

func (e *FailedError) Error() string { return fmt.Sprintf("%s: %v; %s", e.Step, e.Err, e.State) }

// Unwrap returns the cause.
func (e *FailedError) Unwrap() error { return e.Err }

// Run does the job. It stops when ctx ends, but not between the two copies of the table.
// The error is a [FailedError]. progress may be nil.
func Run(ctx context.Context, dev Device, j Job, progress func(Progress)) (Report, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	w := &writer{ctx: ctx, dev: dev, state: Untouched, progress: progress}
	if err := w.run(j); err != nil {
		return Report{}, &FailedError{w.step, w.state, err}
	}
	w.report.SHA256 = hex.EncodeToString(w.digest)
	return w.report, nil
}

// writer does one job.
type writer struct {
	ctx      context.Context
	dev      Device
	job      *prepared
	progress func(Progress)
	step     string
	state    State
	done     int64
	report   Report
	digest   []byte
	heads    [2][]table.Piece // held back: what follows the first sectors, and these
}

// begin starts a step.
func (w *writer) begin(step string) {
	w.step = step
	w.advance(0)
}

func (w *writer) advance(n int) {
	w.done += int64(n)
	p := Progress{Step: w.step, DoneBytes: w.done}
	if w.job != nil {
		p.TotalBytes = 2 * w.job.sumLength
	}
	w.progress(p)
}

func (w *writer) run(j Job) (err error) {
	w.begin("plan what is written")
	if w.job, err = j.prepare(w.ctx); err != nil {
		return err
	}
	w.state = OldTable
	if err := w.erase(); err != nil {
		return err
	}
	if err := w.contents(); err != nil {
		return err
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.begin("write the partition table")
	for _, group := range w.heads {
		if err := w.pieces(group); err != nil {
			return err
		}
	}
	w.state = Either // where there was no table, the first copy is one already
	for _, group := range w.job.copies() {
		if err := w.pieces(group); err != nil {
			return err
		}
	}
	w.state = Complete
	w.begin("erase what is left between the partitions")
	for _, gap := range w.job.gaps {
		if err := w.zero(gap); err != nil {
			return err
		}
	}
	return w.dev.Sync()
}

// erase makes what lay in the partitions unrecognisable, and gives it back to the disk where
// it takes it.
func (w *writer) erase() error {
	w.begin("erase the partitions")
	for _, p := range w.job.erase {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		zeros, err := w.dev.Discard(p.StartBytes, p.SizeBytes)
		if err != nil && !unsupported(err) {
			return fmt.Errorf("discard %s: %w", label(p), err)
		}
		w.report.Discarded = w.report.Discarded || err == nil
		if zeros && err == nil {
			continue
		}
		if err := w.eraseEnds(p); err != nil {
			return err
		}
	}
	return w.dev.Sync()
}

// eraseEnds overwrites where file systems have their descriptions.
func (w *writer) eraseEnds(p gpt.Partition) error {
	if p.SizeBytes <= 2*eraseBytes {
		return w.zero(Extent{p.StartBytes, p.SizeBytes})
	}
	return errors.Join(w.zero(Extent{p.StartBytes, eraseBytes}), w.zero(Extent{p.EndBytes() - eraseBytes, eraseBytes}))
}

// zero overwrites a range with zeros.
func (w *writer) zero(e Extent) error {
	zeros := make([]byte, min(e.LengthBytes, chunkBytes))
	for at := e.OffsetBytes; at < e.EndBytes(); at += int64(len(zeros)) {
		if _, err := w.dev.WriteAt(zeros[:min(int64(len(zeros)), e.EndBytes()-at)], at); err != nil {
			return fmt.Errorf("erase at byte %d of the disk: %w", at, err)
		}
	}
	return nil
}

// contents writes the contents, but for their heads, and reads them back.
func (w *writer) contents() error {
	start := time.Now()
	for i, c := range w.job.Contents {
		w.begin("write " + c.Name)
		r := &recorder{ctx: w.ctx, dev: w.dev, part: w.partition(c.Number), head: make([]byte, headBytes), written: w.advance}
		if err := c.Write(r); err != nil {
			return err
		}
		if r.done != length(w.job.contents[i]) {
			return fmt.Errorf("%d bytes, %d were planned", r.done, length(w.job.contents[i]))
		}
		w.report.WrittenBytes += r.done
		if r.headUsed {
			sector := w.job.Geometry.SectorSize
			if sector < headBytes {
				w.heads[0] = append(w.heads[0], table.Piece{Name: "start of " + label(r.part), OffsetBytes: r.part.StartBytes + int64(sector), Data: r.head[sector:]})
			}
			w.heads[1] = append(w.heads[1], table.Piece{Name: "first sector of " + label(r.part), OffsetBytes: r.part.StartBytes, Data: r.head[:sector]})
		}
	}
	w.begin("flush")
	if err := w.dev.Sync(); err != nil {
		return err
	}
	w.report.WriteSeconds = time.Since(start).Seconds()
	for i, chunks := range w.job.contents {
		w.begin("read back " + w.job.Contents[i].Name)
		if err := w.readBack(chunks, w.partition(w.job.Contents[i].Number).StartBytes+headBytes); err != nil {
			return err
		}
	}
	return nil
}

// length is how many bytes chunks have.
func length(chunks []chunk) (n int64) {
	for _, c := range chunks {
		n += c.LengthBytes
	}
	return n
}

func (w *writer) partition(number int) gpt.Partition {
	for _, p := range w.job.erase {
		if p.Number == number {
			return p
		}
	}
	return gpt.Partition{} // prepare has found it
}

// readBack compares what the disk holds from a byte on with what was written. What lies
// before it is not there yet and is compared when it is written.
func (w *writer) readBack(chunks []chunk, from int64) error {
	buf := make([]byte, chunkBytes)
	for _, c := range chunks {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if c.OffsetBytes >= from {
			b := buf[:c.LengthBytes]
			if _, err := w.dev.ReadAt(b, c.OffsetBytes); err != nil {
				return fmt.Errorf("read byte %d of the disk: %w", c.OffsetBytes, err)
			}
			if sha256.Sum256(b) != c.sum {
				return fmt.Errorf("%w, in the %d bytes from byte %d on; it is failing", ErrDiffers, c.LengthBytes, c.OffsetBytes)
			}
		}
		sum := sha256.Sum256(append(w.digest, c.sum[:]...))
		w.digest = sum[:]
		w.advance(int(c.LengthBytes))
	}
	return nil
}

// pieces writes a group of pieces, makes them durable and reads them back.
func (w *writer) pieces(group []table.Piece) error {
	for _, p := range group {
		if _, err := w.dev.WriteAt(p.Data, p.OffsetBytes); err != nil {
			return fmt.Errorf("write %s: %w", p.Name, err)
		}
	}
	if err := w.dev.Sync(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	for _, p := range group {
		got := make([]byte, len(p.Data))
		if _, err := w.dev.ReadAt(got, p.OffsetBytes); err != nil {
			return fmt.Errorf("read back %s: %w", p.Name, err)
		}
		if string(got) != string(p.Data) {
			return fmt.Errorf("read back %s: %w; it is failing", p.Name, ErrDiffers)
		}
	}
	return nil
}
