package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

var errMedium = errors.New("input/output error")

// truthful says whether the state that a failure tells is the one that the disk is in.
func truthful(d *simDisk, before seen, state State, j Job) string {
	now := see(d)
	old, complete := now.equal(before), now.id == j.DiskID && slices.Equal(now.parts, j.Partitions) && whole(d, j) == ""
	switch state {
	case Untouched:
		if len(d.ops) > 0 {
			return "the disk was written"
		}
	case OldTable:
		if !old {
			return fmt.Sprintf("the table is %+v", now)
		}
	case Either:
		if !old && !complete {
			return fmt.Sprintf("the table is %+v", now)
		}
	case Complete:
		if !complete {
			return "it is not complete: " + whole(d, j)
		}
	default:
		return "no state"
	}
	return ""
}

// TestEveryFailure fails every operation, one after the other, and looks whether the error
// tells the truth about what is left.
func TestEveryFailure(t *testing.T) {
	for name, base := range oldDisks() {
		states := map[State]int{}
		for n := 1; ; n++ {
			d := newSimDisk(base)
			d.discard = discardToGarbage
			before, count := see(d), 0
			j := newJob().onto(d)
			d.failAt = func(string, int64, int64) error {
				if count++; count == n {
					return errMedium
				}
				return nil
			}
			_, err := Run(t.Context(), d, j, nil)
			if d.failAt = nil; err == nil {
				break
			}
			var failed *FailedError
			if !errors.As(err, &failed) || !errors.Is(err, errMedium) || failed.Step == "" {
				t.Fatalf("%s, operation %d: %v", name, n, err)
			}
			states[failed.State]++
			if problem := truthful(d, before, failed.State, j); problem != "" {
				t.Errorf("%s, operation %d: %v; but %s", name, n, err, problem)
			}
		}
		if states[OldTable] == 0 || states[Either] == 0 || states[Complete] == 0 {
			t.Errorf("%s: %v", name, states)
		}
	}
}

// TestLyingDisk loses one write after the other, though it says that it is done.
func TestLyingDisk(t *testing.T) {
	whole := newSimDisk(oldDisks()["blank"])
	if err := proper(whole, newJob()); err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for n, op := range whole.ops {
		d := &liar{simDisk: newSimDisk(oldDisks()["blank"]), lose: n}
		_, err := Run(t.Context(), d, newJob(), nil)
		if same := op.flush || equalSectors(d.simDisk, whole); same != (err == nil) {
			t.Errorf("operation %d of %d: %v", n, len(whole.ops), err)
		}
		if errors.Is(err, ErrDiffers) {
			noticed++
		}
	}
	if noticed == 0 {
		t.Error("nothing was noticed")
	}
}

type liar struct {
	*simDisk
	lose int
}

func (l *liar) WriteAt(p []byte, off int64) (int, error) {
	if len(l.ops) == l.lose {
		l.do(operation{})
		return len(p), nil
	}
	return l.simDisk.WriteAt(p, off)
}

func equalSectors(a, b *simDisk) bool {
	for s := range a.durable {
		if !bytes.Equal(a.sector(s), b.sector(s)) {
			return false
		}
	}
	return true
}

// TestCancel ends the context at every call of progress.
func TestCancel(t *testing.T) {
	for n := 1; ; n++ {
		d := newSimDisk(oldDisks()["GPT"])
		before := see(d)
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err := Run(ctx, d, newJob(), func(Progress) {
			if calls++; calls == n {
				cancel()
			}
		})
		cancel()
		if calls < n {
			break
		}
		if err == nil {
			if problem := truthful(d, before, Complete, newJob()); problem != "" {
				t.Errorf("call %d: %s", n, problem)
			}
			continue
		}
		var failed *FailedError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || failed.State == Either || truthful(d, before, failed.State, newJob()) != "" {
			t.Errorf("call %d: %v", n, err)
		}
	}
}

func TestProgressAndReport(t *testing.T) {
	var last Progress
	var steps []string
	report, err := Run(t.Context(), newSimDisk(oldDisks()["MBR"]), newJob(), func(p Progress) {
		if p.DoneBytes < last.DoneBytes || p.TotalBytes > 0 && p.DoneBytes > p.TotalBytes {
			t.Errorf("%+v behind %+v", p, last)
		}
		if p.Step != last.Step {
			steps = append(steps, p.Step)
		}
		last = p
	})
	want := int64(512 + 3000 + 60_000 + 512 + 20_000 + 512 + 5000)
	if err != nil || report.WrittenBytes != want || len(report.SHA256) != 64 || report.Discarded || last.DoneBytes != 2*want || last.TotalBytes != 2*want {
		t.Errorf("%+v, %v, %+v", report, err, last)
	}
	if got := strings.Join(steps, ", "); got != "plan what is written, erase the partitions, write content 1, write content 2, flush, read back content 1, read back content 2, "+
		"write the partition table, erase what is left between the partitions" {
		t.Error(got)
	}
}

// TestStepsAreAllThatIsWritten compares the list with what a disk gets.
func TestStepsAreAllThatIsWritten(t *testing.T) {
	for _, kept := range [][]int{nil, {3, 4}} {
		j := newJob()
		j.Kept = kept
		steps, err := j.Steps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told := make([]bool, diskBytes/tear)
		for _, s := range steps {
			for _, e := range s.Extents {
				for at := e.OffsetBytes / tear; at*tear < e.EndBytes(); at++ {
					told[at] = true
				}
			}
		}
		d := newSimDisk(make([]byte, diskBytes))
		d.discard = discardToZeros
		if err := proper(d, j); err != nil {
			t.Fatal(err)
		}
		touched := make([]bool, diskBytes/tear)
		for _, op := range d.ops {
			for i := range op.sectors {
				touched[op.first+i] = true
			}
		}
		if !slices.Equal(told, touched) {
			t.Errorf("kept %v: what is told is not what is written", kept)
		}
	}
}

func TestGapsAreErased(t *testing.T) {
	d := newSimDisk(noise(77, diskBytes))
	if err := proper(d, newJob()); err != nil {
		t.Fatal(err)
	}
	for _, e := range []Extent{{34 * 512, gpt.MiB - 34*512}, {7 * gpt.MiB, gpt.MiB - 33*512}} {
		b := make([]byte, e.LengthBytes)
		if _, err := d.ReadAt(b, e.OffsetBytes); err != nil || len(bytes.Trim(b, "\x00")) > 0 {
			t.Errorf("%+v is not erased", e)
		}
	}
	if b := make([]byte, gpt.MiB); true {
		_, _ = d.ReadAt(b, systemAt*gpt.MiB)
		if len(bytes.Trim(b, "\x00")) > 0 {
			t.Error("a partition without content is not erased")
		}
	}
}

func TestJobsThatAreRefused(t *testing.T) {
	at := func(number int, offset int64, n int) Content {
		return contentOf(number, []piece{{offset, make([]byte, n)}})
	}
	for says, change := range map[string]func(j *Job){
		"partitions overlap":                     func(j *Job) { j.Partitions[1].StartBytes = gpt.MiB },
		"partition 7 does not take a content":    func(j *Job) { j.Contents = []Content{at(7, 0, 1)} },
		"partition 1 does not take a content":    func(j *Job) { j.Contents = []Content{at(1, 0, 1), at(1, 9, 1)} },
		"partition 4 does not take a content":    func(j *Job) { j.Kept, j.Contents = []int{4}, []Content{at(4, 0, 1)} },
		"2 bytes at 1048575 of partition 1 (P1)": func(j *Job) { j.Contents = []Content{at(1, gpt.MiB-1, 2)} },
		"1 bytes at -1 of partition 1 (P1)":      func(j *Job) { j.Contents = []Content{at(1, -1, 1)} },
		"byte 1049088 of the disk is written twice": func(j *Job) {
			j.Contents = []Content{contentOf(1, []piece{{600, make([]byte, 10)}, {512, make([]byte, 100)}, {0, make([]byte, 513)}})}
		},
		"file does not exist": func(j *Job) {
			j.Contents = []Content{{1, "x", func(io.WriterAt) error { return fs.ErrNotExist }}}
		},
	} {
		j := newJob()
		change(&j)
		d := newSimDisk(make([]byte, diskBytes))
		_, err := Run(t.Context(), d, j, nil)
		var failed *FailedError
		if !errors.As(err, &failed) || failed.State != Untouched || len(d.ops) > 0 || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
		if _, err := j.Steps(t.Context()); err == nil {
			t.Errorf("%s: there are steps", says)
		}
	}
}

func TestNewJob(t *testing.T) {
	p := plan.Plan{After: newLayout(), Kept: []int{4}, DiskID: gpt.GUID{3}}
	p.Disk.SizeBytes, p.Disk.SectorSize = diskBytes, 512
	p.Disk.Content = signature.Content{Table: signature.GPT, GUIDTable: gpt.Table{FromBackup: true}}
	j := NewJob(p, []Content{{Number: 1}})
	if j.Geometry != geometry || j.DiskID != p.DiskID || !slices.Equal(j.Partitions, p.After) || !slices.Equal(j.Kept, p.Kept) || len(j.Contents) != 1 || !j.BackupLast {
		t.Errorf("%+v", j)
	}
	p.Disk.Content.Table = signature.MBR
	if NewJob(p, nil).BackupLast {
		t.Error("the classic table is in force")
	}
}

// TestDescriptionsComeLast looks at when which bytes of a partition become durable: what describes
// an ext4 (byte 1024) or a FAT (its first sector) comes behind a flush of all the rest.
func TestDescriptionsComeLast(t *testing.T) {
	d := newSimDisk(make([]byte, diskBytes))
	if err := proper(d, newJob()); err != nil {
		t.Fatal(err)
	}
	const first = espAt * gpt.MiB / tear
	flushes, rest, start, sector := 0, 0, 0, 0 // the last write of each is before so many flushes
	for _, op := range d.ops {
		if op.flush {
			flushes++
		}
		for i := range op.sectors {
			switch at := op.first + i; {
			case at == first:
				sector = flushes
			case at > first && at < first+headBytes/tear:
				start = flushes
			case at >= first+headBytes/tear && at < first+gpt.MiB/tear:
				rest = flushes
			}
		}
	}
	if rest >= start || start >= sector {
		t.Errorf("content %d, first bytes %d, first sector %d flushes", rest, start, sector)
	}
}
