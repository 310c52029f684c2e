package initrd_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/rayos/rayboot/tools/mkimage/initrd"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/kmod/kmodtest"
)

func packRuntime(t *testing.T, init string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "init")
	if err := os.WriteFile(file, []byte(init), 0o700); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := initrd.PackRuntime(file, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func modules() fstest.MapFS {
	return fstest.MapFS{
		"kernel/nvme.ko":      {Data: kmodtest.Module("depends=nvme-core")},
		"kernel/nvme-core.ko": {Data: kmodtest.Module("depends=")},
		"kernel/vfat.ko":      {Data: kmodtest.Module("depends=")},
		"kernel/other.ko":     {Data: kmodtest.Module("depends=")},
	}
}

func packModules(t *testing.T, groups ...kmod.Group) ([]byte, kmod.Order) {
	t.Helper()
	tree, err := kmod.Open(modules())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	order, err := initrd.PackModules(tree, "6.1.0-99", groups, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), order
}

// unpack decompresses a segment as the kernel does and lists the archive.
func unpack(t *testing.T, segment []byte) []cpio.Record {
	t.Helper()
	if len(segment)%initrd.Align != 0 {
		t.Errorf("segment of %d bytes is not aligned to %d", len(segment), initrd.Align)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plain, err := d.DecodeAll(bytes.TrimRight(segment, "\x00"), nil)
	if err != nil {
		t.Fatal(err)
	}
	records, err := cpio.ReadAllRecords(cpio.EOFReader{RecordReader: cpio.Newc.Reader(bytes.NewReader(plain))})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func find(t *testing.T, records []cpio.Record, name string) (cpio.Record, string) {
	t.Helper()
	for _, r := range records {
		if r.Name == name {
			content, err := io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize)))
			if err != nil {
				t.Fatal(err)
			}
			return r, string(content)
		}
	}
	t.Fatalf("no %s in the archive", name)
	return cpio.Record{}, ""
}

func TestPackRuntime(t *testing.T) {
	records := unpack(t, packRuntime(t, "the program"))
	if r, content := find(t, records, "init"); content != "the program" || r.Mode != cpio.S_IFREG|0o755 {
		t.Errorf("init: mode %o, content %q", r.Mode, content)
	}
	if r, _ := find(t, records, "dev/console"); r.Mode != cpio.S_IFCHR|0o600 || r.Rmajor != 5 || r.Rminor != 1 {
		t.Errorf("dev/console: %v", r)
	}
	for _, dir := range []string{"proc", "sys", "dev", "run", "tmp", "root", "bin"} {
		if r, _ := find(t, records, dir); r.Mode != cpio.S_IFDIR|0o755 {
			t.Errorf("%s: %v", dir, r)
		}
	}
}

func TestParentsComeFirst(t *testing.T) {
	moduleSegment, _ := packModules(t, kmod.Group{Name: "g", Modules: []string{"nvme"}})
	for _, segment := range [][]byte{packRuntime(t, "x"), moduleSegment} {
		seen := map[string]bool{".": true}
		for _, r := range unpack(t, segment) {
			if parent := filepath.Dir(r.Name); !seen[parent] {
				t.Errorf("%s comes before %s: the kernel would drop it", r.Name, parent)
			}
			seen[r.Name] = true
		}
	}
}

func TestPackModules(t *testing.T) {
	segment, order := packModules(t, kmod.Group{Name: "disk", Modules: []string{"nvme"}}, kmod.Group{Name: "fs", Modules: []string{"vfat", "none"}})
	records := unpack(t, segment)
	if _, list := find(t, records, "lib/modules/6.1.0-99/"+initrd.LoadList); list != "disk nvme_core.ko\ndisk nvme.ko\nfs vfat.ko\n" {
		t.Errorf("load list %q", list)
	}
	if _, content := find(t, records, "lib/modules/6.1.0-99/nvme.ko"); content != string(kmodtest.Module("depends=nvme-core")) {
		t.Error("nvme.ko has another content")
	}
	for _, r := range records {
		if strings.Contains(r.Name, "other") {
			t.Errorf("%s was packed", r.Name)
		}
	}
	if len(order.Load) != 3 || !slices.Equal(order.Missing, []string{"none"}) {
		t.Errorf("order %+v", order)
	}
}

func TestEqualInputGivesEqualBytes(t *testing.T) {
	if a, b := packRuntime(t, "x"), packRuntime(t, "x"); !bytes.Equal(a, b) {
		t.Error("two runtimes differ")
	}
	g := kmod.Group{Name: "g", Modules: []string{"nvme", "vfat"}}
	a, _ := packModules(t, g)
	if b, _ := packModules(t, g); !bytes.Equal(a, b) {
		t.Error("two packs of modules differ")
	}
}

// TestAgainstPeers has the usual tools unpack what was packed.
func TestAgainstPeers(t *testing.T) {
	for _, tool := range []string{"zstd", "cpio"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s on this machine", tool)
		}
	}
	segment := packRuntime(t, strings.Repeat("the program ", 1000))
	cmd := exec.Command("sh", "-c", "zstd -dc | cpio -tv --quiet")
	cmd.Stdin = bytes.NewReader(bytes.TrimRight(segment, "\x00"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "init\n") || !strings.Contains(string(out), "dev/console\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPackRuntimeWithoutProgram(t *testing.T) {
	if err := initrd.PackRuntime(filepath.Join(t.TempDir(), "none"), io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriteErrorsAreReported(t *testing.T) {
	tree, err := kmod.Open(modules())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := initrd.PackModules(tree, "6", nil, full{}); err == nil {
		t.Error("no error from a full disk")
	}
}

func TestDefaultModulesAreWellFormed(t *testing.T) {
	groups, seen := map[string]bool{}, map[string]bool{}
	for _, g := range initrd.DefaultModules() {
		if groups[g.Name] || g.Name == "" || strings.ContainsAny(g.Name, " \n") {
			t.Errorf("group name %q", g.Name)
		}
		groups[g.Name] = true
		for _, m := range g.Modules {
			if seen[m] || m != kmod.Canonical(m) {
				t.Errorf("module name %q in %s is not canonical or comes twice", m, g.Name)
			}
			seen[m] = true
		}
	}
	if !groups["drm"] || !groups["watchdog"] {
		t.Error("safe mode leaves out groups that do not exist")
	}
}

func TestSafeOptions(t *testing.T) {
	for options, want := range map[string]string{
		"quiet watchdog.open_timeout=30 a=1": "quiet a=1 rayos.safe nomodeset",
		"":                                   "rayos.safe nomodeset",
	} {
		if got := initrd.SafeOptions(options); got != want {
			t.Errorf("%q: safe options %q, want %q", options, got, want)
		}
	}
	if safe := initrd.SafeOptions(initrd.DefaultOptions); strings.Contains(safe, "watchdog") || !strings.Contains(initrd.DefaultOptions, " watchdog.open_timeout=") {
		t.Errorf("default options %q, safe options %q", initrd.DefaultOptions, safe)
	}
}
