package guestfs_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/system"
	"github.com/rayos/rayboot/tools/mkimage/guestfs"
)

var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644), os.Chtimes(name, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read opens a file for the time of the test.
func read(t *testing.T, name string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	return f, size
}

func TestSystem(t *testing.T) {
	tree := write(t, map[string]string{guest.QEMUPath: strings.Repeat("qemu", 10000), "lib/libc.so.6": "c"})
	t.Setenv("SOURCE_DATE_EPOCH", "1") // which mksquashfs does not take beside its options
	var made [][]byte
	for range 2 {
		name := filepath.Join(t.TempDir(), "system")
		if err := guestfs.System(t.Context(), name, guest.Tree(tree), "1:10.0", modified); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, b)
		f, size := read(t, name)
		a, err := system.Read(f, size)
		if err != nil || a.QEMU != "1:10.0" || a.Bytes() != size {
			t.Fatalf("%+v of %d bytes, %v", a, size, err)
		}
		if err := a.Verify(f); err != nil {
			t.Error(err)
		}
		out, err := exec.Command("unsquashfs", "-lln", name).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "40000 2026-01-02 03:04 squashfs-root/bin/qemu-system-x86_64") || !strings.Contains(string(out), "-rw-r--r-- 0/0 ") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the same tree gives other bytes")
	}
}

func TestTiny(t *testing.T) {
	o := guestfs.Options{SizeBytes: 4 << 30, ID: gpt.MustParseGUID("11111111-2222-4333-8444-555555555555"), Modified: modified}
	var made [][]byte
	for range 2 {
		name := filepath.Join(t.TempDir(), "linux")
		if err := guestfs.Tiny(t.Context(), name, t.TempDir(), []byte("kernel"), []byte("initrd"), o); err != nil {
			t.Fatal(err)
		}
		f, size := read(t, name)
		e, err := ext4.Open(f, size)
		if err != nil || e.SizeBytes != o.SizeBytes || e.Label != guestfs.Label || !e.Clean {
			t.Fatalf("%+v, %v", e, err)
		}
		used, err := e.Used()
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, x := range used {
			n += x.LengthBytes
		}
		if most := int64(80 << 20); n > most { // the journal has 64 MiB
			t.Errorf("%d bytes are in use, at most %d were to be", n, most)
		}
		var b bytes.Buffer
		for _, x := range used {
			if _, err := io.Copy(&b, io.NewSectionReader(f, x.OffsetBytes, x.LengthBytes)); err != nil {
				t.Fatal(err)
			}
		}
		made = append(made, b.Bytes())
		time.Sleep(1100 * time.Millisecond) // so that the host's clock has another second
		if out, err := exec.Command("/usr/sbin/e2fsck", "-fn", name).CombinedOutput(); err != nil {
			t.Errorf("e2fsck: %v\n%s", err, out)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the same files give other bytes")
	}
}

func TestExt4Refuses(t *testing.T) {
	link := write(t, map[string]string{ext4.KernelPath: "kernel"})
	if err := os.Symlink("boot/initrd.img-6.1", filepath.Join(link, ext4.InitrdPath)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, says string }{
		"no kernel":    {write(t, map[string]string{ext4.InitrdPath: "initrd"}), "there is no vmlinuz"},
		"no initrd":    {write(t, map[string]string{ext4.KernelPath: "kernel"}), "there is no initrd.img"},
		"broken link":  {link, "initrd.img: open initrd.img: boot: file does not exist"},
		"empty kernel": {write(t, map[string]string{ext4.KernelPath: "", ext4.InitrdPath: "initrd"}), "vmlinuz: it is empty"},
	} {
		err := guestfs.Ext4(t.Context(), filepath.Join(t.TempDir(), "linux"), c.dir, guestfs.Options{SizeBytes: 64 << 20, Modified: modified})
		if !errors.Is(err, ext4.ErrNoKernel) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	err := guestfs.Ext4(t.Context(), filepath.Join(t.TempDir(), "linux"), "guestfs.go", guestfs.Options{})
	if err == nil || !strings.Contains(err.Error(), "guestfs.go: it is not a folder") {
		t.Errorf("a file: %v", err)
	}
	files := map[string]string{ext4.KernelPath: "kernel", ext4.InitrdPath: strings.Repeat("initrd", 1<<20)}
	err = guestfs.Ext4(t.Context(), filepath.Join(t.TempDir(), "linux"), write(t, files), guestfs.Options{SizeBytes: 5 << 20, Modified: modified})
	if err == nil || !strings.Contains(err.Error(), "mke2fs: exit status 1") {
		t.Errorf("a partition that is too small: %v", err)
	}
}

func TestMissingTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := guestfs.System(t.Context(), filepath.Join(t.TempDir(), "system"), guest.Tree(t.TempDir()), "1", modified)
	if !errors.Is(err, guestfs.ErrNoTool) || !strings.Contains(err.Error(), "install the package squashfs-tools") {
		t.Error(err)
	}
}

// TestFakeRoot has the owners of files from fakeroot, as for users who are not root.
func TestFakeRoot(t *testing.T) {
	if _, err := exec.LookPath("fakeroot"); err != nil {
		t.Skipf("%v; install fakeroot", err)
	}
	dir := write(t, map[string]string{ext4.KernelPath: "kernel", ext4.InitrdPath: "initrd"})
	state, name := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "linux")
	if out, err := exec.Command("fakeroot", "-s", state, "chown", "7:8", filepath.Join(dir, ext4.KernelPath)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := guestfs.Ext4(t.Context(), name, dir, guestfs.Options{SizeBytes: 64 << 20, Modified: modified, FakeRoot: state}); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("/usr/sbin/debugfs", "-R", "stat "+ext4.KernelPath, name).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "User:     7   Group:     8") {
		t.Errorf("%v\n%s", err, out)
	}
}
