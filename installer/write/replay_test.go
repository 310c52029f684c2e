package write

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"testing"
)

// rehearse writes in two steps: overlapping writes, not whole sectors, flushes in between.
func rehearse(t *testing.T, d *simDisk) *Rehearsal {
	t.Helper()
	r := NewRehearsal(d, diskBytes)
	part := r.Section(1<<20, 1<<20)
	r.Begin("first")
	for _, w := range []struct {
		data []byte
		off  int64
	}{{noise(50, 5000), 100}, {noise(51, 512), 512}, {noise(52, 700), 4000}} {
		if _, err := part.WriteAt(w.data, w.off); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(part.Sync(), part.Sync()); err != nil {
		t.Fatal(err)
	}
	r.Begin("second")
	if _, err := r.WriteAt([]byte("end"), diskBytes-3); err != nil {
		t.Fatal(err)
	}
	return r
}

func contentOfDisk(t *testing.T, r interface {
	ReadAt(p []byte, off int64) (int, error)
},
) []byte {
	t.Helper()
	b := make([]byte, diskBytes)
	if _, err := r.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReplay(t *testing.T) {
	base := noise(9, diskBytes)
	d := newSimDisk(bytes.Clone(base))
	r := rehearse(t, d)
	if len(d.ops) > 0 {
		t.Fatal("a rehearsal has written")
	}
	want := bytes.Clone(base)
	copy(want[1<<20+100:], noise(50, 5000))
	copy(want[1<<20+512:], noise(51, 512))
	copy(want[1<<20+4000:], noise(52, 700))
	copy(want[diskBytes-3:], "end")
	if !bytes.Equal(contentOfDisk(t, r), want) {
		t.Error("the rehearsal reads something else than was written")
	}
	report, err := Replay(t.Context(), d, r, nil)
	if err != nil || report.WrittenBytes != r.Bytes() {
		t.Errorf("%+v, %v", report, err)
	}
	d.cut(func(int) bool { return false })
	if !bytes.Equal(contentOfDisk(t, d), want) {
		t.Error("the disk holds something else, or not for good")
	}
	flushes := 0
	for _, op := range d.ops {
		if op.flush {
			flushes++
		}
	}
	if flushes != 2 {
		t.Errorf("%d flushes", flushes)
	}
	steps := r.Steps()
	if len(steps) != 2 || steps[0].Name != "first" || steps[1].Extents[0] != (Extent{diskBytes - 512, 512}) {
		t.Errorf("%+v", steps)
	}
	first := rehearse(t, newSimDisk(bytes.Clone(base))).Fingerprint()
	if rehearse(t, newSimDisk(bytes.Clone(base))).Fingerprint() != first {
		t.Error("the same rehearsal has another fingerprint")
	}
	// Where other bytes were read, or written.
	base[1<<20+5]++
	if rehearse(t, newSimDisk(base)).Fingerprint() == first || r.Fingerprint() == first {
		t.Error("on another disk the rehearsal has the same fingerprint")
	}
	for _, off := range []int64{-1, diskBytes - 2, 1 << 20} {
		if _, err := r.Section(1<<20, 1<<20).WriteAt([]byte("out"), off); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("write at %d: %v", off, err)
		}
	}
}

// TestFailingReplay fails every operation in turn, and says what the disk is left with.
func TestFailingReplay(t *testing.T) {
	for n := 1; ; n++ {
		d := newSimDisk(noise(9, diskBytes))
		r := rehearse(t, d)
		count := 0
		d.failAt = func(string, int64, int64) error {
			if count++; count == n {
				return errMedium
			}
			return nil
		}
		_, err := Replay(t.Context(), d, r, nil)
		if err == nil {
			if n < 9 {
				t.Errorf("only %d operations", n)
			}
			return
		}
		var failed *FailedError
		if !errors.As(err, &failed) || !errors.Is(err, errMedium) || failed.State != OldOrNew {
			t.Errorf("operation %d: %v", n, err)
		}
	}
}

// lying writes something else than it is given.
type lying struct{ *simDisk }

func (l lying) WriteAt(p []byte, off int64) (int, error) {
	other := bytes.Clone(p)
	other[len(p)/2] ^= 1
	return l.simDisk.WriteAt(other, off)
}

func TestReplayReadsBack(t *testing.T) {
	d := newSimDisk(noise(9, diskBytes))
	r := rehearse(t, d)
	if _, err := Replay(t.Context(), lying{d}, r, nil); !errors.Is(err, ErrDiffers) {
		t.Errorf("a disk that lies: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d = newSimDisk(noise(9, diskBytes))
	var failed *FailedError
	if _, err := Replay(ctx, d, r, nil); !errors.As(err, &failed) || failed.State != Untouched || len(d.ops) > 0 {
		t.Errorf("cancelled: %v", err)
	}
}
