package write

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Replay does to a disk what was rehearsed, with the same flushes; what is between two of
// them is read back and compared. It stops when ctx ends, between two flushes. The error is
// a [FailedError]. progress may be nil.
func Replay(ctx context.Context, dev Device, r *Rehearsal, progress func(Progress)) (Report, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	p := &replay{dev: dev, progress: progress, step: "write", state: Untouched, total: 2 * r.Bytes()}
	for ops := r.ops; len(ops) > 0; {
		n := 0
		for n < len(ops) && ops[n].data != nil {
			n++
		}
		err := ctx.Err()
		if err == nil {
			err = p.group(ops[:n])
		}
		if err != nil {
			return Report{}, &FailedError{p.step, p.state, err}
		}
		ops = ops[min(n+1, len(ops)):]
	}
	return Report{WrittenBytes: p.written, SHA256: hex.EncodeToString(p.digest[:])}, nil
}

// replay is the work of one call of Replay.
type replay struct {
	dev      Device
	progress func(Progress)
	step     string
	state    State
	done     int64
	total    int64
	written  int64
	digest   [sha256.Size]byte
}

// group writes what may become durable in any order.
func (p *replay) group(ops []rehearsed) error {
	for _, op := range ops {
		p.step, p.state = op.step, OldOrNew
		if _, err := p.dev.WriteAt(op.data, op.offset); err != nil {
			return fmt.Errorf("write %d bytes at byte %d of the disk: %w", len(op.data), op.offset, err)
		}
		p.advance(len(op.data))
	}
	if err := p.dev.Sync(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	for i, op := range ops {
		if err := p.readBack(op, ops[i+1:]); err != nil {
			return err
		}
		p.written += int64(len(op.data))
		p.digest = sha256.Sum256(append(p.digest[:], op.data...))
		p.advance(len(op.data))
	}
	return nil
}

// readBack compares what the disk holds with what was written, unless something was written
// over it.
func (p *replay) readBack(op rehearsed, later []rehearsed) error {
	for _, l := range later {
		if l.offset < op.offset+int64(len(op.data)) && op.offset < l.offset+int64(len(l.data)) {
			return nil
		}
	}
	got := make([]byte, len(op.data))
	if _, err := p.dev.ReadAt(got, op.offset); err != nil {
		return fmt.Errorf("read byte %d of the disk: %w", op.offset, err)
	}
	if !bytes.Equal(got, op.data) {
		return fmt.Errorf("%w, in the %d bytes from byte %d on; it is failing", ErrDiffers, len(got), op.offset)
	}
	return nil
}

func (p *replay) advance(n int) {
	p.done += int64(n)
	p.progress(Progress{Step: p.step, DoneBytes: p.done, TotalBytes: p.total})
}
