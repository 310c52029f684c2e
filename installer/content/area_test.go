package content_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/system/systemtest"
	"github.com/rayos/rayboot/installer/content"
)

// linux is an ext4 of 64 MiB with a file.
func linux(t *testing.T) string {
	t.Helper()
	const mke2fs = "/usr/sbin/mke2fs"
	if _, err := os.Stat(mke2fs); err != nil {
		t.Skipf("%v; install e2fsprogs", err)
	}
	dir, name := t.TempDir(), filepath.Join(t.TempDir(), "ext4")
	if err := os.WriteFile(filepath.Join(dir, "vmlinuz"), bytes.Repeat([]byte("kernel"), 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mke2fs, "-q", "-t", "ext4", "-d", dir, name, "64M").CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v\n%s", err, out)
	}
	return name
}

// guests puts both on a disk.
func guests(t *testing.T) (*os.File, gpt.Table) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	table := gpt.Table{Partitions: gpt.Layout()}
	ext4, err := os.ReadFile(linux(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(gpt.MinDiskBytes); err != nil {
		t.Fatal(err)
	}
	for number, b := range map[int][]byte{3: systemtest.Squashfs(t), 4: ext4} {
		p, _ := table.Find(number)
		if _, err := f.WriteAt(b, p.StartBytes); err != nil {
			t.Fatal(err)
		}
	}
	return f, table
}

// TestGuestsComeAlong installs from a stick with guests onto disks that are full of something
// else.
func TestGuestsComeAlong(t *testing.T) {
	disk, table := guests(t)
	areas, err := content.Stick{Disk: disk, Table: table}.Guests()
	if err != nil || len(areas) != 2 {
		t.Fatalf("%v, %v", areas, err)
	}
	d := content.Disk{Partitions: gpt.Layout()}
	if left, err := d.TakeAreas(areas, func(int) bool { return false }); err != nil || len(left) > 0 {
		t.Fatalf("%v, %v", left, err)
	}
	for _, c := range d.Contents() {
		if c.Number < 3 {
			continue
		}
		to := filepath.Join(t.TempDir(), "partition")
		if err := os.WriteFile(to, bytes.Repeat([]byte{0xa5}, 64<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(to, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := c.Write(f); err != nil {
			t.Fatal(err)
		}
		if c.Number == 3 {
			got := make([]byte, len(systemtest.Squashfs(t)))
			if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, systemtest.Squashfs(t)) {
				t.Errorf("the QEMU of guests differs, %v", err)
			}
		} else if out, err := exec.Command("/usr/sbin/e2fsck", "-fn", to).CombinedOutput(); err != nil {
			t.Errorf("e2fsck: %v\n%s", err, out)
		}
	}
}

func TestGuestsStayBehind(t *testing.T) {
	disk, table := guests(t)
	areas, err := content.Areas(disk, table)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*content.Disk)
		keeps  int
		left   []string
		says   string
	}{
		"kept":         {func(*content.Disk) {}, 4, []string{"Linux guest"}, ""},
		"no partition": {func(d *content.Disk) { d.Partitions = d.Partitions[:2] }, 0, []string{"QEMU of guests", "Linux guest"}, ""},
		"too small":    {func(d *content.Disk) { d.Partitions[3].SizeBytes = 63 << 20 }, 0, nil, "Linux guest: its file system has 67108864 bytes, partition 4 (Linux Guest) 66060288"},
	} {
		d := content.Disk{Partitions: gpt.Layout()}
		c.change(&d)
		left, err := d.TakeAreas(areas, func(n int) bool { return n == c.keeps })
		if !slices.Equal(left, c.left) || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v", name, left, err)
		}
	}
}

// TestDamagedGuests damages both, each in its way.
func TestDamagedGuests(t *testing.T) {
	for offset, says := range map[int64]string{
		4000 + 4715446272:         "partition 3 (RayOS System): it is damaged: its squashfs has SHA-256",
		1024 + 21895315456 + 0x20: "partition 4 (Linux Guest): the ext4 is damaged: its groups have",
	} {
		disk, table := guests(t)
		if _, err := disk.WriteAt([]byte{1, 0, 0, 0}, offset); err != nil {
			t.Fatal(err)
		}
		if _, err := (content.Stick{Disk: disk, Table: table}).Guests(); !errors.Is(err, content.ErrStick) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	empty, table := guests(t)
	for _, n := range []int{3, 4} {
		p, _ := table.Find(n)
		if _, err := empty.WriteAt(make([]byte, 4096), p.StartBytes); err != nil {
			t.Fatal(err)
		}
	}
	if areas, err := content.Areas(empty, table); err != nil || len(areas) > 0 {
		t.Errorf("empty partitions: %v, %v", areas, err)
	}
}
