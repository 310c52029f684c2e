package write

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
)

// unordered hides flushes from a disk.
type unordered struct{ *simDisk }

func (unordered) Sync() error { return nil }

// naive are installations as one might write them at first.
var naive = map[string]run{
	"without flushes": func(d Device, j Job) error {
		return errors.Join(proper(unordered{d.(*simDisk)}, j), d.Sync())
	},
	"table first": func(d Device, j Job) error {
		p, err := j.prepare(context.Background())
		if err != nil {
			return err
		}
		w := &writer{ctx: context.Background(), dev: d, job: p, progress: func(Progress) {}}
		for _, group := range p.copies() {
			if err := w.pieces(group); err != nil {
				return err
			}
		}
		return errors.Join(w.erase(), w.contents(), w.pieces(slices.Concat(w.heads[0], w.heads[1])))
	},
	"primary copy before the backup": func(d Device, j Job) error {
		j.BackupLast = !j.BackupLast
		return proper(d, j)
	},
	"both copies at once": func(d Device, j Job) error {
		p, err := j.prepare(context.Background())
		if err != nil {
			return err
		}
		w := &writer{ctx: context.Background(), dev: d, job: p, progress: func(Progress) {}}
		if err := errors.Join(w.erase(), w.contents(), w.pieces(slices.Concat(w.heads[0], w.heads[1]))); err != nil {
			return err
		}
		return w.pieces(slices.Concat(p.copies()...))
	},
	"heads with the content": func(d Device, j Job) error {
		p, err := j.prepare(context.Background())
		if err != nil {
			return err
		}
		w := &writer{ctx: context.Background(), dev: d, job: p, progress: func(Progress) {}}
		if err := w.erase(); err != nil {
			return err
		}
		for _, c := range j.Contents {
			start := io.NewOffsetWriter(d, w.partition(c.Number).StartBytes)
			if err := c.Write(start); err != nil {
				return err
			}
		}
		for _, group := range p.copies() {
			if err := w.pieces(group); err != nil {
				return err
			}
		}
		return nil
	},
}

// TestNaiveInstallationsFail shows that the sweep sees what it is there for.
func TestNaiveInstallationsFail(t *testing.T) {
	for name, install := range naive {
		found := ""
		for _, old := range []string{"GPT", "the same layout", "GPT, primary damaged"} {
			d := newSimDisk(oldDisks()[old])
			d.discard = discardToZeros
			if found = sweep(d, newJob(), install); found != "" {
				t.Logf("%s: %s: %s", name, old, found)
				break
			}
		}
		if found == "" {
			t.Errorf("%s: the sweep sees nothing", name)
		}
	}
}
