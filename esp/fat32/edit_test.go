package fat32

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/esp/cuttest"
)

// noise is always the same for a seed.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(seed))).Read(b)
	return b
}

// change is something that is done with an Editor.
type change struct {
	op, name string
	data     []byte
}

func (c change) do(e *Editor) error {
	switch c.op {
	case "create":
		return e.Create(c.name, int64(len(c.data)), bytes.NewReader(c.data))
	case "replace":
		return e.Replace(c.name, int64(len(c.data)), bytes.NewReader(c.data))
	}
	return e.Remove(c.name)
}

// note says in files what comes of the change.
func (c change) note(files map[string][]byte) {
	if files[c.name] = c.data; c.op == "remove" {
		delete(files, c.name)
	} else if c.data == nil {
		files[c.name] = []byte{}
	}
}

// changes use every way in which a directory is changed: new directories, gaps, the end of
// a sector, the end of a cluster, names in two sectors, no content at all.
func changes() []change {
	list := []change{
		{"create", "EFI/rayos/golden/" + strings.Repeat("0123456789abcdef", 4) + ".bin", noise(1, 9000)},
		{"replace", "EFI/BOOT/BOOTX64.EFI", noise(2, 5000)},
		{"create", "loader/entries/rayos-old.conf", noise(3, 100)},
		{"remove", "loader/entries/a long name.conf", nil},
		{"create", "loader/entries/SHORT.TXT", noise(4, 512)},
		{"replace", "loader/loader.conf", nil},
		{"replace", "empty", noise(5, 1)},
	}
	for i := range 12 {
		list = append(list, change{"create", fmt.Sprintf("dir/%s %d.image", strings.Repeat("x", 20+i*5), i), noise(10+i, 700)})
	}
	for i := 1; i < 12; i += 3 {
		list = append(list, change{"remove", fmt.Sprintf("dir/%s %d.image", strings.Repeat("x", 20+i*5), i), nil})
	}
	return append(list, change{"create", "dir/" + strings.Repeat("y", 150), noise(30, 10)}, change{"create", "dir/after", noise(31, 513)})
}

// apply does changes, and says so in files as well.
func apply(t *testing.T, dev Device, size int64, files map[string][]byte, list []change) {
	t.Helper()
	e, err := Edit(dev, size, testTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if err := c.do(e); err != nil {
			t.Fatalf("%s %s: %v", c.op, c.name, err)
		}
		c.note(files)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// readAll reads all files of a volume.
func readAll(r io.ReaderAt, size int64) (map[string][]byte, error) {
	f, err := Open(r, size)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	return files, fs.WalkDir(f, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path], err = fs.ReadFile(f, path)
		}
		return err
	})
}

// sameFiles says in which way two volumes differ; "" if in none. Of the file that is being
// changed both contents will do.
func sameFiles(got, want, orWant map[string][]byte) string {
	for name := range got {
		_, a := want[name]
		_, b := orWant[name]
		if !a && !b {
			return name + " should not be there"
		}
	}
	for name, b := range want {
		have, there := got[name]
		if there && bytes.Equal(have, b) {
			continue
		}
		other, may := orWant[name]
		if there && may && bytes.Equal(have, other) || !there && !may {
			continue
		}
		return fmt.Sprintf("%s has %d bytes, want %d", name, len(have), len(b))
	}
	return ""
}

func clone(files map[string][]byte) map[string][]byte {
	c := map[string][]byte{}
	for name, b := range files {
		c[name] = b
	}
	return c
}

// syncing makes a memory a Device.
type syncing struct{ memory }

func (syncing) Sync() error { return nil }

// sweepEdits cuts the power at every operation of every change. It returns what went wrong
// first.
func sweepEdits(t *testing.T, device func(*cuttest.Disk) Device) (problem string) {
	t.Helper()
	m := smallVolume(t, 256<<10, smallFiles())
	size := int64(len(m))
	before, err := readAll(m, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes() {
		after := clone(before)
		disk := cuttest.New(m)
		e, err := Edit(device(disk), size, testTime)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.do(e); err != nil { // durable without Close
			t.Fatal(err)
		}
		c.note(after)
		disk.Cuts(func(op, pattern int, cut *cuttest.Disk) bool {
			allowed := before
			if op == disk.Operations() {
				allowed = after // all is done, and must be durable
			}
			if problem = checkCut(cut, size, allowed, after, c); problem != "" {
				problem = fmt.Sprintf("%s %s, cut before operation %d of %d, pattern %d: %s", c.op, c.name, op+1, disk.Operations(), pattern, problem)
			}
			return problem == ""
		})
		if problem != "" {
			return problem
		}
		apply(t, syncing{m}, size, clone(before), []change{c})
		before = after
	}
	return ""
}

// checkCut wants each file as before or after the change, and that the next change mends
// all the rest.
func checkCut(cut *cuttest.Disk, size int64, before, after map[string][]byte, c change) string {
	got, err := readAll(cut, size)
	if err != nil {
		return err.Error()
	}
	if problem := sameFiles(got, before, after); problem != "" {
		return problem
	}
	e, err := Edit(cut, size, testTime)
	if err != nil {
		return err.Error()
	}
	if err := errors.Join(e.Create("another", 3, strings.NewReader("one")), e.Close()); err != nil {
		return "afterwards: " + err.Error()
	}
	findings, err := Check(cut, size)
	findings = slices.DeleteFunc(findings, func(f Finding) bool { return f.Code == "fat-too-small" || f.Code == codeOrphan })
	if err != nil || len(findings) > 0 {
		return fmt.Sprintf("mended: %v, %v", findings, err)
	}
	return ""
}

func TestEditsSurvivePowerCuts(t *testing.T) {
	if problem := sweepEdits(t, func(d *cuttest.Disk) Device { return d }); problem != "" {
		t.Error(problem)
	}
}

// TestSweepSeesMissingFlushes shows that the sweep can fail.
func TestSweepSeesMissingFlushes(t *testing.T) {
	problem := sweepEdits(t, func(d *cuttest.Disk) Device { return cuttest.Unordered{Disk: d} })
	if problem == "" {
		t.Error("the sweep sees nothing")
	}
	t.Log(problem)
}

// TestEditLikeOthers lets fsck.vfat and mtools judge volumes that were changed.
func TestEditLikeOthers(t *testing.T) {
	for _, sector := range []int{512, 4096} {
		t.Run(fmt.Sprint(sector), func(t *testing.T) {
			size := int64(40 << 20)
			if sector == 4096 {
				size = 300 << 20
			}
			name := filepath.Join(t.TempDir(), "volume")
			f, err := os.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := f.Truncate(size); err != nil {
				t.Fatal(err)
			}
			if _, err := Create(f, Options{SizeBytes: size, SectorSize: sector, Label: "X", Modified: testTime}, smallFiles()); err != nil {
				t.Fatal(err)
			}
			files, err := readAll(f, size)
			if err != nil {
				t.Fatal(err)
			}
			apply(t, f, size, files, changes())
			got, err := readAll(f, size)
			if err != nil {
				t.Fatal(err)
			}
			if problem := sameFiles(got, files, files); problem != "" {
				t.Error(problem)
			}
			if findings, err := Check(f, size); err != nil || len(findings) > 0 {
				t.Errorf("Check: %v, %v", findings, err)
			}
			if out, err := exec.Command("fsck.vfat", "-n", name).CombinedOutput(); err != nil {
				t.Errorf("fsck.vfat: %v\n%s", err, out)
			}
			for path, want := range files {
				if out, err := exec.Command("mtype", "-i", name, "::/"+path).Output(); err != nil || !bytes.Equal(out, want) {
					t.Errorf("mtype %s: %d bytes, want %d, %v", path, len(out), len(want), err)
				}
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	m := smallVolume(t, 128<<10, smallFiles())
	before := slices.Clone(m)
	size := int64(len(m))
	e, err := Edit(syncing{m}, size, testTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change
		want error
	}{
		{change{"create", "loader/loader.conf", nil}, fs.ErrExist},
		{change{"create", "../x", nil}, fs.ErrInvalid},
		{change{"create", "loader/loader.conf/x", nil}, fs.ErrInvalid},
		{change{"create", "loader/a?b", nil}, ErrName},
		{change{"replace", "missing", nil}, fs.ErrNotExist},
		{change{"remove", "missing", nil}, fs.ErrNotExist},
		{change{"remove", "dir", nil}, fs.ErrInvalid},
		{change{"replace", "dir", nil}, fs.ErrInvalid},
	} {
		if err := c.do(e); !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v, want %v", c.op, c.name, err, c.want)
		}
	}
	if !bytes.Equal(m, before) {
		t.Error("the volume changed")
	}
	if err := e.Create("large", size, bytes.NewReader(make([]byte, size))); !errors.Is(err, ErrNoSpace) {
		t.Errorf("larger than the volume: %v", err)
	}
	if err := e.Create("short", 10, strings.NewReader("123456789")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("too short: %v", err)
	}
	if err := e.Create("long", 8, strings.NewReader("123456789")); err == nil {
		t.Error("too long a content was taken")
	}
	m2 := slices.Clone(before)
	m2[32*512+8] ^= 0x70 // the chain of the first file
	if _, err := Edit(syncing{m2}, size, testTime); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged volume: %v", err)
	}
	m3 := slices.Clone(before)
	m3[32*512+7] &^= (cleanBit | noErrorBit) >> 24 // it is dirty, which a change mends, and has had errors
	if _, err := Edit(syncing{m3}, size, testTime); !errors.Is(err, ErrDamaged) {
		t.Errorf("a volume that had read or write errors: %v", err)
	}
}
