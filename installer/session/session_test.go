package session_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/installer/write"
)

var stick = plan.Disk{Identity: plan.Identity{Name: "sdb", Serial: "S1"}, Transport: plan.USB}

func TestConfirmable(t *testing.T) {
	nameless := stick
	nameless.Serial = ""
	for name, c := range map[string]struct {
		disk     plan.Disk
		yes      string
		terminal bool
		says     string // the error
	}{
		"serial":           {stick, "S1", false, ""},
		"another serial":   {stick, "S2", false, `--yes S2 does not confirm sdb, whose serial number is "S1"; nothing was written`},
		"... at a screen":  {stick, "S2", true, "does not confirm"},
		"name, not serial": {stick, "sdb", false, "does not confirm"}, // which disk it is tomorrow is not known
		"no serial":        {nameless, "sdb", false, ""},
		"terminal":         {stick, "", true, ""},
		"nobody":           {stick, "", false, `add --yes and its serial number, which is "S1"`},
	} {
		err := session.Confirmable(c.disk, c.yes, c.terminal)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
}

func TestQuestion(t *testing.T) {
	odd := stick
	odd.Serial = "S\x1b[2J1"
	if q := session.Question("install", stick); q != "\nTo install, type the disk's serial number, S1: " {
		t.Errorf("%q", q)
	}
	if q := session.Question("upgrade", plan.Disk{Identity: plan.Identity{Name: "sdb"}}); q != "\nTo upgrade, type the disk's name, sdb: " {
		t.Errorf("%q", q)
	}
	if q := session.Question("install", odd); strings.Contains(q, "\x1b") {
		t.Errorf("a disk writes over the screen: %q", q)
	}
}

// prepared is a session for a file that stands in for a disk.
func prepared(t *testing.T) *session.Session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, gpt.MinDiskBytes)); err != nil {
		t.Fatal(err)
	}
	s := &session.Session{Machine: disks.Host(), InstallID: gpt.GUID{7}}
	disk, err := s.Machine.Find(path, 512)
	if err != nil {
		t.Fatal(err)
	}
	if s.Plan, err = plan.New(disk, plan.Request{NewID: write.NewID}); err != nil {
		t.Fatal(err)
	}
	s.Job = write.NewJob(s.Plan, []write.Content{{Number: 1, Name: "the content", Write: func(w io.WriterAt) error {
		_, err := w.WriteAt(bytes.Repeat([]byte("x"), 1<<20), 0)
		return err
	}}})
	return s
}

// table reads the partition table of the session's disk.
func table(t *testing.T, s *session.Session) (gpt.Table, error) {
	t.Helper()
	f, err := os.Open(s.Plan.Disk.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, _, err := gpt.Read(f, gpt.MinDiskBytes)
	return table, err
}

func TestWrite(t *testing.T) {
	s := prepared(t)
	report, err := s.Write(t.Context(), nil, func(text string) { t.Error(text) })
	if err != nil || report.WrittenBytes != 1<<20 {
		t.Fatalf("%+v, %v", report, err)
	}
	if now, err := table(t, s); err != nil || now.DiskID != s.Plan.DiskID || len(now.Partitions) != len(s.Plan.After) {
		t.Errorf("%+v, %v", now, err)
	}
	if err := session.VerifyWritten(t.Context(), s.Machine, s.Plan.Disk); err == nil || !strings.Contains(err.Error(), "disk.img: fat-unusable: ") {
		t.Errorf("the content is no file system: %v", err)
	}
	text := s.Done(report)
	for _, want := range []string{"disk.img: RayOS is installed; 1 MiB were written", "install ID 00000007-", s.Plan.DiskID.String()} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
}

// TestWriteRefuses has a disk that changed after it was shown. Nothing is written to it.
func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *session.Session) error
		want   error
	}{
		"written meanwhile": {func(s *session.Session) error {
			f, err := os.OpenFile(s.Plan.Disk.Path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("mine"), 4096)
			return errors.Join(err, f.Close())
		}, plan.ErrChanged},
		"exchanged": {func(s *session.Session) error {
			path := s.Plan.Disk.Path
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600), os.Truncate(path, gpt.MinDiskBytes))
		}, plan.ErrChanged},
		"cut off":   {func(s *session.Session) error { return os.Truncate(s.Plan.Disk.Path, gpt.MinDiskBytes/2) }, write.ErrSize},
		"taken out": {func(s *session.Session) error { return os.Rename(s.Plan.Disk.Path, s.Plan.Disk.Path+".old") }, os.ErrNotExist},
	} {
		s := prepared(t)
		if err := c.change(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(t.Context(), nil, func(string) {}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", name, err, c.want)
		}
		if name == "taken out" {
			continue
		}
		if now, err := table(t, s); err == nil {
			t.Errorf("%s: it was written: %+v", name, now)
		}
	}
}

func TestPrintSteps(t *testing.T) {
	s := prepared(t)
	steps, err := s.Job.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := session.PrintSteps(&out, steps); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"write the content", "erase partition 5 (Windows Guest)", "write protective MBR\n               0 to              511"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if _, err := table(t, s); err == nil {
		t.Error("listing the steps has written")
	}
}
