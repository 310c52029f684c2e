package write

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
)

// image makes a file that stands in for a disk.
func image(t *testing.T, content []byte) plan.Disk {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := disks.Host().Find(path, 512)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// install writes the job to a disk.
func install(t *testing.T, d plan.Disk) {
	t.Helper()
	disk, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	report, runErr := Run(t.Context(), disk, newJob(), nil)
	if err := errors.Join(runErr, disk.Close(true)); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", report)
}

// installed says what is wrong with what lies at a path.
func installed(t *testing.T, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if problem := check(newSimDisk(got), seen{kind: "gone"}, newJob()); problem != "" {
		t.Error(problem)
	}
	if out, err := exec.Command("sgdisk", "-v", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "No problems found") {
		t.Errorf("sgdisk: %v\n%s", err, out)
	}
}

func TestImage(t *testing.T) {
	d := image(t, oldDisks()["GPT"])
	install(t, d)
	installed(t, d.Path)
	install(t, d)
	installed(t, d.Path)
	var st unix.Stat_t
	if err := unix.Stat(d.Path, &st); err != nil || st.Blocks*512 > diskBytes/2 {
		t.Errorf("%d of %d bytes are allocated: holes were not punched (%v)", st.Blocks*512, diskBytes, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	d := image(t, make([]byte, diskBytes))
	first, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := first.Close(false); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.Path, diskBytes-512); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d); !errors.Is(err, ErrSize) {
		t.Errorf("with another size: %v", err)
	}
	if err := os.Remove(d.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("gone: %v", err)
	}
}

// TestShrunkMeanwhile cuts a file off while it is written, as a disk is pulled out: what was
// behind the end does not come back.
func TestShrunkMeanwhile(t *testing.T) {
	d := image(t, make([]byte, diskBytes))
	disk, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close(false)
	j := newJob()
	writeContent, calls := j.Contents[1].Write, 0
	j.Contents[1].Write = func(w io.WriterAt) error {
		err := writeContent(w)
		if calls++; calls == 2 { // the first call only measures
			err = errors.Join(err, os.Truncate(d.Path, 2*gpt.MiB))
		}
		return err
	}
	_, err = Run(t.Context(), disk, j, nil)
	var failed *FailedError
	if !errors.As(err, &failed) || failed.State != OldTable || !strings.HasPrefix(failed.Step, "read back") {
		t.Error(err)
	}
}

// loopDevice attaches a file to a loop device, which needs privileges.
func loopDevice(t *testing.T, file string) plan.Disk {
	t.Helper()
	out, err := exec.Command("losetup", "--find", "--show", file).Output()
	if err != nil {
		t.Skipf("no loop device here: %v", err)
	}
	name := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", name).CombinedOutput(); err != nil {
			t.Errorf("losetup: %v %s", err, out)
		}
	})
	if f, err := os.OpenFile(name, os.O_RDWR, 0); err != nil {
		t.Skipf("the loop device cannot be opened: %v", err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := disks.Host().Find(name, 512)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLoopDevice(t *testing.T) {
	file := image(t, oldDisks()["MBR"])
	d := loopDevice(t, file.Path)
	if d.Transport != plan.Loop || d.SizeBytes != diskBytes || d.Content.Table != "mbr" || d.Sequence == 0 {
		t.Errorf("%+v", d)
	}
	p, err := plan.New(d, plan.Request{
		Layout:  plan.Layout{{Name: "E", Type: gpt.TypeESP}},
		Consent: plan.Consent{Erase: true}, NewID: func() gpt.GUID { return gpt.GUID{1} },
	})
	if err != nil {
		t.Fatal(err)
	}
	install(t, d)
	installed(t, file.Path)
	again, err := disks.Host().Again(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(again); !errors.Is(err, plan.ErrChanged) {
		t.Errorf("the plan holds for a disk that was written: %v", err)
	}
	if used, err := disks.Host().Find(file.Path, 512); err != nil || used.Refuse(plan.Consent{Erase: true}, nil) == nil {
		t.Errorf("the file of the loop device may be written: %+v, %v", used.Uses, err)
	}
	first, err := Open(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d); !errors.Is(err, ErrInUse) || !errors.Is(err, syscall.EBUSY) {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := first.WriteAt(bytes.Repeat([]byte("x"), 512), 0); err != nil {
		t.Error(err)
	}
	if err := first.Close(false); err != nil {
		t.Error(err)
	}
}

// TestExplain has the errors that the kernel was seen to report of a disk that was pulled out.
func TestExplain(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "/dev/sdc", Err: unix.ENOSPC}
	if err := (&Disk{block: true}).explain(full); !errors.Is(err, ErrGone) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a disk without space: %v", err)
	}
	if err := (&Disk{}).explain(full); errors.Is(err, ErrGone) {
		t.Errorf("a file on a full file system: %v", err)
	}
	if err := (&Disk{block: true}).explain(nil); err != nil {
		t.Errorf("no error: %v", err)
	}
}
