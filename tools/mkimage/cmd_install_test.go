package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
)

// installArgs are the options of an installation of small parts.
func installArgs(t *testing.T) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(file, fakeefi.Kernel("6.1.0-test", 0x8664, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"install", "--boot-manager", file, "--kernel", file, "--modules", "none", "--runtime", file}
}

// rayimg runs one command line.
func rayimg(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// emptyDisk makes a sparse file of the least size.
func emptyDisk(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, gpt.MinDiskBytes); err != nil {
		t.Fatal(err)
	}
	return name
}

// runningDisk is the path of the disk that this system runs from.
func runningDisk(t *testing.T) string {
	t.Helper()
	list, err := disks.Host().List()
	if err != nil {
		t.Skip(err)
	}
	i := slices.IndexFunc(list.Disks, func(d plan.Disk) bool { return d.Running })
	if i < 0 {
		t.Skip("no disk here holds the root file system")
	}
	return list.Disks[i].Path
}

// TestTheRunningDisk names the disk that this system runs from, with every consent. It is a
// dry run for the case that the test has something to find.
func TestTheRunningDisk(t *testing.T) {
	status, _, stderr := rayimg(t, append(installArgs(t), "--to", runningDisk(t), "--dry-run", "--erase", "--internal", "--unknown-transport")...)
	if status != exitFailure || !strings.Contains(stderr, "is not written: this system runs from it") {
		t.Errorf("%d: %s", status, stderr)
	}
}

// TestFullHost has a file on a file system that is full in mid-write, as a disk fails there.
func TestFullHost(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	name := emptyDisk(t, dir)
	status, _, stderr := rayimg(t, append(installArgs(t), "--to", name, "--yes", "disk.img")...)
	if status != exitFailure || !strings.Contains(stderr, "no space left on device; the disk still has its old partition table, but what lay in its partitions is lost; run the installation again") {
		t.Errorf("%d: %s", status, stderr)
	}
	if status, stdout, _ := rayimg(t, "verify", name); status != exitFindings || !strings.Contains(stdout, "gpt-none") {
		t.Errorf("the disk has a table: %s", stdout)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := rayimg(t, append(installArgs(t), "--to", name, "--yes", "disk.img")...); status != exitFailure || !strings.Contains(stderr, "is not written: it is read-only") {
		t.Errorf("%d: %s", status, stderr)
	}
}

// loop attaches a file to a loop device, which needs privileges.
func loop(t *testing.T, options ...string) string {
	t.Helper()
	out, err := exec.Command("losetup", append([]string{"--find", "--show"}, options...)...).Output()
	if err != nil {
		t.Skipf("no loop device here: %v", err)
	}
	name := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", name).CombinedOutput(); err != nil {
			t.Errorf("losetup: %v %s", err, out)
		}
	})
	return name
}

func TestBlockDevices(t *testing.T) {
	file := emptyDisk(t, t.TempDir())
	device := loop(t, file)
	name := filepath.Base(device)
	args := installArgs(t)
	if status, _, stderr := rayimg(t, append(args, "--to", file, "--yes", "disk.img")...); status != exitFailure || !strings.Contains(stderr, "disk.img is attached to "+name) {
		t.Errorf("the file behind it: %d: %s", status, stderr)
	}
	status, stdout, stderr := rayimg(t, append(args, "--to", device, "--yes", name)...)
	if status != exitOK || !strings.Contains(stdout, name+": RayOS is installed") {
		t.Fatalf("%d: %s%s", status, stdout, stderr)
	}
	if status, stdout, _ := rayimg(t, "install", "--verify", device); status != exitOK {
		t.Errorf("%d: %s", status, stdout)
	}
	readOnly := loop(t, "--read-only", file)
	if status, _, stderr := rayimg(t, append(args, "--to", readOnly, "--erase", "--yes", filepath.Base(readOnly))...); status != exitFailure || !strings.Contains(stderr, "it is read-only") {
		t.Errorf("%d: %s", status, stderr)
	}
}

func TestMountedDevice(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(file, make([]byte, 16<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", file).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v %s", err, out)
	}
	device := loop(t, file)
	at := filepath.Join(dir, "mounted here")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(device, at, "ext4", 0, ""); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	defer func() {
		if err := unix.Unmount(at, 0); err != nil {
			t.Error(err)
		}
	}()
	before, err := os.ReadFile(filepath.Join(file))
	if err != nil {
		t.Fatal(err)
	}
	status, _, stderr := rayimg(t, append(installArgs(t), "--to", device, "--erase", "--yes", filepath.Base(device))...)
	if status != exitFailure || !strings.Contains(stderr, "is mounted at "+at) {
		t.Errorf("%d: %s", status, stderr)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was written (%v)", err)
	}
}

// TestKilledInstallations kills the program at twenty moments. What it leaves is the table
// that was there or the new one, which then is whole.
func TestKilledInstallations(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "rayimg") // by this name the test is rayimg
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	disk := emptyDisk(t, t.TempDir())
	args := append(installArgs(t), "--to", disk, "--yes", "disk.img", "--erase")
	start := time.Now()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(start)
	const rounds = 20
	replaced := 0
	for round := range rounds {
		before := tableOf(t, disk)
		cmd := exec.Command(program, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(round) / rounds)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		after := tableOf(t, disk)
		if after.DiskID == before.DiskID {
			if !slices.Equal(after.Partitions, before.Partitions) {
				t.Errorf("round %d: %+v became %+v", round, before, after)
			}
			continue
		}
		replaced++
		for _, f := range verifyFindings(t, disk) {
			if !slices.Contains(oneCopy, f.Code) {
				t.Errorf("round %d: the new table is there, but: %s: %s", round, f.Code, f.Text)
			}
		}
	}
	t.Logf("%d of %d installations got to their end", replaced, rounds)
	if status, _, stderr := rayimg(t, args...); status != exitOK {
		t.Errorf("installing once more: %s", stderr)
	}
	if found := verifyFindings(t, disk); len(found) > 0 {
		t.Errorf("installing once more does not mend it: %+v", found)
	}
}

// oneCopy are the findings of a disk that was cut off while one copy of its new table was
// being written: the other copy is whole, and is what firmware and systems use.
var oneCopy = []string{"gpt-primary-unusable", "gpt-backup-unusable", "gpt-copies-differ", "gpt-mbr"}

// verifyFindings are what rayimg verify has to say of a disk.
func verifyFindings(t *testing.T, disk string) []inspect.Finding {
	t.Helper()
	_, stdout, stderr := rayimg(t, "verify", "--json", disk)
	var report struct{ Findings []inspect.Finding }
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("rayimg verify: %v\n%s%s", err, stdout, stderr)
	}
	return report.Findings
}

func tableOf(t *testing.T, name string) gpt.Table {
	t.Helper()
	f, size, err := openDisk(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, _, err := gpt.Read(f, size)
	if err != nil {
		t.Fatal(err)
	}
	table.FromBackup = false
	return table
}

// TestDiskThatChanges is written by somebody, mounted by nobody, while the user still thinks.
func TestDiskThatChanges(t *testing.T) {
	args := installArgs(t)
	disk := emptyDisk(t, t.TempDir())
	f := installFlags{to: disk, yes: "disk.img", sectorSize: 512}
	f.content.bootManager, f.content.parts.kernel, f.content.parts.modules, f.content.parts.runtime = args[2], args[4], args[6], args[8]
	cmd := newInstallCmd()
	cmd.SetErr(io.Discard)
	cmd.SetContext(t.Context())
	in, err := f.prepare(cmd, newUI(cmd))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.OpenFile(disk, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.WriteAt([]byte("mine"), 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(t.Context(), nil, func(string) {}); !errors.Is(err, plan.ErrChanged) {
		t.Errorf("%v", err)
	}
	if status, stdout, _ := rayimg(t, "verify", disk); status != exitFindings || !strings.Contains(stdout, "gpt-none") {
		t.Errorf("it was written: %s", stdout)
	}
}
