package disks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/installer/plan"
)

func names(list []plan.Disk) (names []string) {
	for _, d := range list {
		names = append(names, d.Name)
	}
	return names
}

func find(t *testing.T, l List, name string) plan.Disk {
	t.Helper()
	i := slices.IndexFunc(l.Disks, func(d plan.Disk) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("%s is not among %v", name, names(l.Disks))
	}
	return l.Disks[i]
}

// describe writes a disk in one line.
func describe(d plan.Disk) string {
	var words []string
	for _, flag := range []struct {
		set  bool
		word string
	}{{d.Removable, "removable"}, {d.ReadOnly, "read-only"}, {d.Running, "running"}} {
		if flag.set {
			words = append(words, flag.word)
		}
	}
	return fmt.Sprintf("%s %s %d %d/%d/%d %q %q %q %q %d %s", d.Path, d.Transport, d.SizeBytes, d.SectorSize, d.PhysicalSectorSize, d.OptimalBytes,
		d.Vendor, d.Model, d.Serial, d.WWID, d.Sequence, strings.Join(words, ","))
}

func TestQEMU(t *testing.T) {
	l, err := tree(t, "qemu").List()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`/dev/nvme0n1 nvme 1073741824 4096/4096/4096 "" "QEMU NVMe Ctrl" "NVME0002" "nvme.1b36-4e564d4530303032-51454d55204e564d65204374726c-00000001" 2 `,
		`/dev/sda scsi 1073741824 512/512/0 "QEMU" "QEMU HARDDISK" "SCSI0005" "" 3 read-only`,
		`/dev/sdb sata 1073741824 512/512/0 "" "QEMU HARDDISK" "SATA0003" "t10.ATA QEMU HARDDISK SATA0003" 4 `,
		`/dev/sdc usb 1073741824 512/512/0 "QEMU" "QEMU HARDDISK" "USB00004" "" 5 removable`,
		`/dev/vda virtio 1073741824 512/512/0 "" "" "VIRT0001" "" 1 `,
	}
	if len(l.Disks) != len(want) || len(l.More) > 0 {
		t.Fatalf("%v and %v", names(l.Disks), l.More)
	}
	for i, d := range l.Disks {
		if got := describe(d); got != want[i] {
			t.Errorf("%s\nwant %s", got, want[i])
		}
		if d.Uses != nil || !d.Content.Empty() || d.Problem != "" {
			t.Errorf("%+v", d)
		}
	}
}

func TestLaptop(t *testing.T) {
	l, err := tree(t, "laptop").List()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(l.Disks), []string{"mmcblk0", "nvme0n1", "nvme5n1", "sda", "sdb", "sde"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for name, want := range map[string]struct {
		transport     plan.Transport
		serial, model string
		byID          string
		running       bool
		uses          []string
	}{
		"nvme0n1": {
			plan.NVMe, "S64ANX0", "Samsung SSD 980", "/dev/disk/by-id/nvme-Samsung_SSD_980_S64", true,
			[]string{
				"nvme0n1p1 is mounted at /boot/efi", "nvme0n1p3 is a part of dm-0 (luks-9d2f)",
				"dm-0 (luks-9d2f) is a part of dm-1 (vg-root)", "dm-1 (vg-root) is mounted at /",
				"dm-0 (luks-9d2f) is a part of dm-2 (vg-swap)", "dm-2 (vg-swap) is swap",
			},
		},
		"nvme5n1": {plan.Unknown, "", "", "", false, nil},
		"mmcblk0": {plan.MMC, "0x1f2e3d4c", "DA4064", "", false, nil},
		"sda": {
			plan.USB, "4C530001230101117382", "Ultra [31m?", "/dev/disk/by-id/usb-SanDisk_Ultra_4C53-0:0", false,
			[]string{"sda1 is mounted at /media/me/MY STICK"},
		},
		"sdb": {plan.USB, "WX11", "My Passport", "/dev/disk/by-id/wwn-0x5000", false, []string{"sdb1 is mounted at /media/back up"}},
		"sde": {plan.Unknown, "", "", "", false, []string{"sde is a part of a mounted btrfs"}},
	} {
		d := find(t, l, name)
		var uses []string
		for _, u := range d.Uses {
			uses = append(uses, u.String())
		}
		if d.Transport != want.transport || d.Serial != want.serial || d.Model != want.model || d.ByID != want.byID || d.Running != want.running || !slices.Equal(uses, want.uses) {
			t.Errorf("%s: %s\nby ID %s\nuses %q\nwant %+v", name, describe(d), d.ByID, uses, want)
		}
	}
}

func TestTheBootDisk(t *testing.T) {
	m := tree(t, "qemu")
	m.Boot = "sdc"
	l, err := m.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range l.Disks {
		if d.Running != (d.Name == "sdc") {
			t.Errorf("%s: running %v", d.Name, d.Running)
		}
	}
}

// TestManyDisks has one more than is listed.
func TestManyDisks(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "proc/self"), "mountinfo =")
	var all []string
	for i := range 30 {
		name := "sd" + string(rune('a'+i%26))
		if i >= 26 {
			name = "sda" + string(rune('a'+i-26))
		}
		all = append(all, name)
		put(t, filepath.Join(root, "sys/class/block", name), "size = 2048")
		m := &Machine{Root: os.DirFS(root), Open: func(string) (Device, error) { return zeros{}, nil }}
		l, err := m.List()
		if err != nil {
			t.Fatal(err)
		}
		if got := append(names(l.Disks), l.More...); !slices.Equal(got, all) || len(l.Disks) != min(len(all), plan.MaxDisks) {
			t.Fatalf("%v and %v of %v", names(l.Disks), l.More, all)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	m := tree(t, "qemu")
	m.Open = func(name string) (Device, error) {
		switch name {
		case "/dev/sda":
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
		case "/dev/sdb":
			return broken{}, nil
		}
		return closer{bytes.NewReader(bytes.Repeat([]byte("x"), 1<<30>>4))}, nil
	}
	l, err := m.List()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"sda":     "permission denied; run this as root",
		"sdb":     "read the start of the disk: input/output error",
		"nvme0n1": "",
	} {
		if d := find(t, l, name); d.Problem != want {
			t.Errorf("%s: %q, want %q", name, d.Problem, want)
		}
	}
}

func TestBadTables(t *testing.T) {
	m := tree(t, "qemu")
	if _, err := (&Machine{Root: os.DirFS(t.TempDir())}).List(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no sysfs: %v", err)
	}
	empty := withFile(t, m, "proc/self/mountinfo", "")
	if err := os.Remove(filepath.Join(fmt.Sprint(empty.Root), "proc/swaps")); err != nil {
		t.Fatal(err)
	}
	if _, err := empty.List(); err != nil {
		t.Errorf("no swap: %v", err)
	}
	if err := os.Remove(filepath.Join(fmt.Sprint(empty.Root), "proc/self/mountinfo")); err != nil {
		t.Fatal(err)
	}
	if _, err := empty.List(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is mounted is not known: %v", err)
	}
}

func TestNamed(t *testing.T) {
	m := tree(t, "qemu")
	d, err := m.Named("sdc")
	if err != nil || d.Serial != "USB00004" {
		t.Errorf("%+v, %v", d, err)
	}
	again, err := m.Again(d)
	if err != nil || again.Changed(d) != "" {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := m.Named("sdc1"); !errors.Is(err, ErrNoDisk) || !strings.Contains(err.Error(), "name the disk, /dev/sdc") {
		t.Error(err)
	}
	if _, err := m.Named("sdx"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if d, err := m.Find("vda", 512); err != nil || d.Serial != "VIRT0001" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestImages(t *testing.T) {
	m := tree(t, "qemu")
	t.Chdir(t.TempDir())
	m.Open = Host().Open
	if err := os.WriteFile("disk.img", make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := m.Find("disk.img", 4096)
	full, _ := filepath.Abs("disk.img")
	if err != nil || d.Name != "disk.img" || d.Serial != "disk.img" || d.Path != full || d.Transport != plan.File || d.SizeBytes != 1<<20 || d.SectorSize != 4096 || !d.Content.Empty() || d.ReadOnly || d.Uses != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	if again, err := m.Again(d); err != nil || again.Changed(d) != "" {
		t.Errorf("%+v, %v", again, err)
	}
	if err := os.Rename("disk.img", "other"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("disk.img", make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := m.Again(d); err != nil || again.Changed(d) == "" {
		t.Errorf("another file of that name: %+v, %v", again, err)
	}
	dir := filepath.Join(fmt.Sprint(m.Root), "sys/class/block/loop3/loop")
	put(t, dir, "backing_file = "+full)
	if d, err = m.Find("disk.img", 512); err != nil || len(d.Uses) != 1 || d.Uses[0].String() != "disk.img is attached to loop3" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, name := range []string{".", "/dev/null", "missing"} {
		if _, err := m.Find(name, 512); err == nil || name != "missing" && !errors.Is(err, ErrNoDisk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{``: ``, `/a`: `/a`, `\040`: ` `, `a\134b`: `a\b`, `\09`: `\09`, `\999`: `\999`, `\`: `\`, `\11`: `\11`} {
		if got := unescape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestThisMachine looks at the real disks. Nothing is known of them but that the root file
// system lies on one, if on any.
func TestThisMachine(t *testing.T) {
	m := Host()
	l, err := m.List()
	if err != nil {
		t.Skipf("no sysfs here: %v", err)
	}
	for _, d := range l.Disks {
		t.Log(describe(d), d.Uses, d.Holds())
		if d.SizeBytes <= 0 || d.SectorSize < 512 {
			t.Errorf("%+v", d)
		}
		for _, u := range d.Uses {
			if strings.HasSuffix(u.By, " at /") && !d.Running {
				t.Errorf("%s has the root, but does not run", d.Name)
			}
		}
		if found, err := m.Find(d.Path, 512); err == nil && found.Name != d.Name {
			t.Errorf("%s is found as %s", d.Path, found.Name)
		}
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add("41 28 0:42 / /media rw shared:9 - btrfs /dev/sdb1 rw")
	f.Add(`1 2 3 4 \ 6 - ext4 /dev/\\`)
	f.Fuzz(func(t *testing.T, line string) {
		m := &Machine{Root: os.DirFS(t.TempDir())}
		mounts := map[string][]string{}
		m.addMount(mounts, strings.Fields(line))
		if len(mounts) > 2 {
			t.Errorf("%v", mounts)
		}
	})
}
