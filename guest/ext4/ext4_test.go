package ext4_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rayos/rayboot/guest/ext4"
)

const sizeBytes = 64 << 20

// folder has what a Linux guest would have, and what is awkward.
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("boot/vmlinuz-6.1", bytes.Repeat([]byte("kernel"), 300_000))
	holes := make([]byte, 1<<20)
	copy(holes[500_000:], "in the midst of nothing")
	write("holes", holes)
	write("empty", nil)
	for i := range 300 { // more than a block of names, so that there is an index
		write(fmt.Sprintf("many/a-rather-long-name-of-a-file-%03d", i), fmt.Appendf(nil, "%d", i))
	}
	link("boot/vmlinuz-6.1", "vmlinuz")
	link("/boot/vmlinuz-6.1", "boot/absolute")
	link("../../../boot/vmlinuz-6.1", "boot/upwards")
	link(strings.Repeat("./", 50)+"boot/vmlinuz-6.1", "far") // too long for an inode
	link("loop", "loop")
	return dir
}

// tool runs a program of e2fsprogs.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("/usr/sbin/" + name)
	if err != nil {
		t.Skipf("%v; install e2fsprogs", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// mkfs makes a file system.
func mkfs(t testing.TB, dir string, sizeBytes int64, args ...string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "ext4"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(sizeBytes); err != nil {
		t.Fatal(err)
	}
	tool(t, "mke2fs", append(append([]string{"-q", "-F", "-t", "ext4", "-d", dir, "-L", "label"}, args...), f.Name())...)
	return f
}

// kinds are file systems that differ in what is read of them.
var kinds = map[string][]string{
	"as usual":     {"-b", "4096"},
	"of RayOS":     {"-b", "4096", "-O", "64bit,metadata_csum,^resize_inode", "-E", "lazy_itable_init=1,nodiscard"},
	"small blocks": {"-b", "1024", "-J", "size=4"},
	"32 bits":      {"-b", "1024", "-O", "^64bit,^metadata_csum,^uninit_bg,^flex_bg"},
	"old backups":  {"-b", "1024", "-O", "^sparse_super,^resize_inode"},
	"two backups":  {"-b", "1024", "-O", "sparse_super2,^resize_inode"},
	"no journal":   {"-b", "2048", "-O", "^has_journal"},
}

func TestFiles(t *testing.T) {
	dir := folder(t)
	for name, args := range kinds {
		f := mkfs(t, dir, sizeBytes, args...)
		e, err := ext4.Open(f, sizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		if e.Label != "label" || !e.Clean || e.SizeBytes != sizeBytes || e.FreeBytes <= 0 || e.FreeBytes >= sizeBytes {
			t.Errorf("%s: %+v", name, e)
		}
		for of, same := range map[string]string{
			"boot/vmlinuz-6.1": "", "holes": "", "empty": "", "many/a-rather-long-name-of-a-file-123": "",
			"vmlinuz": "boot/vmlinuz-6.1", "boot/absolute": "boot/vmlinuz-6.1", "boot/upwards": "boot/vmlinuz-6.1", "far": "boot/vmlinuz-6.1", "/boot/../vmlinuz": "boot/vmlinuz-6.1",
		} {
			if same == "" {
				same = of
			}
			want, err := os.ReadFile(filepath.Join(dir, same))
			if err != nil {
				t.Fatal(err)
			}
			r, err := e.Open(of)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s has %d bytes, %v; want %d", name, of, len(got), err, len(want))
			}
		}
		for of, want := range map[string]error{"none": fs.ErrNotExist, "boot/none/x": fs.ErrNotExist, "empty/x": fs.ErrNotExist, "boot": fs.ErrInvalid, "loop": fs.ErrInvalid} {
			if _, err := e.Open(of); !errors.Is(err, want) {
				t.Errorf("%s: %s: %v, want %v", name, of, err, want)
			}
		}
	}
}

// TestUsed copies what is in use onto a disk that is full of something else: e2fsck and
// the files must not see the difference.
func TestUsed(t *testing.T) {
	dir := folder(t)
	for name, args := range kinds {
		f := mkfs(t, dir, sizeBytes, args...)
		e, err := ext4.Open(f, sizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		used, err := e.Used()
		if err != nil {
			t.Fatal(err)
		}
		copied, n := bytes.Repeat([]byte{0xa5}, sizeBytes), int64(0)
		for _, x := range used {
			if _, err := f.ReadAt(copied[x.OffsetBytes:x.OffsetBytes+x.LengthBytes], x.OffsetBytes); err != nil {
				t.Fatal(err)
			}
			n += x.LengthBytes
		}
		if n > sizeBytes/2 {
			t.Errorf("%s: %d bytes are in use", name, n)
		}
		to := filepath.Join(t.TempDir(), "copy")
		if err := os.WriteFile(to, copied, 0o600); err != nil {
			t.Fatal(err)
		}
		tool(t, "e2fsck", "-fn", to)
		tool(t, "debugfs", "-R", "rdump / "+filepath.Dir(to), to)
		if out, err := exec.Command("diff", "-r", "--no-dereference", "--exclude=lost+found", "--exclude=copy", dir, filepath.Dir(to)).CombinedOutput(); err != nil {
			t.Errorf("%s: the files differ: %v\n%s", name, err, out)
		}
		compareRest(t, name, f, copied)
		journal, blocks := tool(t, "debugfs", "-R", "dump <8> /dev/stdout", to), tool(t, "debugfs", "-R", "dump <8> /dev/stdout", f.Name())
		if journal != blocks {
			t.Errorf("%s: the journal differs", name)
		}
	}
}

// place finds blocks in what dumpe2fs says.
var place = regexp.MustCompile(`(?:Backup superblock at|Group descriptors at|Inode table at) (\d+)(?:-(\d+))?`)

// compareRest compares what e2fsck does not look at: backups of the superblock and of the
// group descriptors, and tables of inodes that are said to be zero.
func compareRest(t *testing.T, name string, f *os.File, copied []byte) {
	t.Helper()
	out := tool(t, "dumpe2fs", f.Name())
	size, err := strconv.Atoi(strings.Fields(out[strings.Index(out, "Block size:")+len("Block size:"):])[0])
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range strings.Split(out, "\nGroup ")[1:] {
		for _, m := range place.FindAllStringSubmatch(group, -1) {
			if strings.HasPrefix(m[0], "Inode") && !strings.Contains(group, "ITABLE_ZEROED") {
				continue
			}
			from, _ := strconv.Atoi(m[1]) // digits, by the expression
			to := from
			if m[2] != "" {
				to, _ = strconv.Atoi(m[2])
			}
			if !bytes.Equal(copied[from*size:(to+1)*size], want[from*size:(to+1)*size]) {
				t.Errorf("%s: %s differs", name, m[0])
			}
		}
	}
}

// TestUnwritten reads a file whose blocks were reserved and not written.
func TestUnwritten(t *testing.T) {
	f := mkfs(t, folder(t), sizeBytes, "-b", "4096")
	junk := bytes.Repeat([]byte("junk"), 1<<20)
	if err := os.WriteFile(f.Name()+".junk", junk, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"write " + f.Name() + ".junk junk", "rm junk", "fallocate empty 0 500", "set_inode_field empty size 10000"} {
		tool(t, "debugfs", "-w", "-R", command, f.Name())
	}
	e, err := ext4.Open(f, sizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Open("empty")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, make([]byte, 10000)) {
		t.Errorf("%d bytes, %.20q, %v", len(got), got, err)
	}
}

// TestUsedOfAJournal copies all of a file system whose journal counts.
func TestUsedOfAJournal(t *testing.T) {
	f := mkfs(t, folder(t), sizeBytes)
	tool(t, "debugfs", "-w", "-R", "feature needs_recovery", f.Name())
	e, err := ext4.Open(f, sizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	used, err := e.Used()
	if err != nil || e.Clean || len(used) != 1 || used[0] != (ext4.Extent{LengthBytes: sizeBytes}) {
		t.Errorf("clean %v, %v, %v", e.Clean, used, err)
	}
}

func TestNone(t *testing.T) {
	if _, err := ext4.Open(bytes.NewReader(make([]byte, 4096)), 4096); !errors.Is(err, ext4.ErrNone) {
		t.Errorf("zeros: %v", err)
	}
	f := mkfs(t, folder(t), sizeBytes)
	if _, err := ext4.Open(f, sizeBytes-1); !errors.Is(err, ext4.ErrCorrupt) {
		t.Errorf("a partition that is too small: %v", err)
	}
}

// FuzzExt4 reads what a guest may have made of its file system.
func FuzzExt4(f *testing.F) {
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "vmlinuz"), make([]byte, 5000), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := os.Symlink("vmlinuz", filepath.Join(dir, "initrd.img")); err != nil {
		f.Fatal(err)
	}
	const size = 256 << 10
	for _, args := range [][]string{{"-O", "^has_journal"}, {"-O", "^has_journal,^64bit,^metadata_csum"}} {
		b, err := os.ReadFile(mkfs(f, dir, size, append(args, "-b", "1024", "-N", "16")...).Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ext4.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		used, err := e.Used()
		at := int64(0)
		for _, x := range used {
			if x.OffsetBytes < at || x.LengthBytes <= 0 || x.OffsetBytes+x.LengthBytes > int64(len(b)) {
				t.Fatalf("extents %v of %d bytes, %v", used, len(b), err)
			}
			at = x.OffsetBytes + x.LengthBytes
		}
		for _, name := range []string{"vmlinuz", "initrd.img", "lost+found/x"} {
			if r, err := e.Open(name); err == nil {
				_, _ = io.CopyN(io.Discard, r, 1<<20) // a damaged one may fail
			}
		}
	})
}
