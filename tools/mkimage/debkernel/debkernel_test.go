package debkernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/tools/mkimage/deb/debtest"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/kmod/kmodtest"
)

const release = "6.1.0-99-amd64"

var wanted = []kmod.Group{{Name: "disk", Modules: []string{"nvme"}}, {Name: "fs", Modules: []string{"vfat", "gone"}}}

// packageFiles are the files of the kernel package of the tests.
func packageFiles() map[string]string {
	dir := "./lib/modules/" + release + "/"
	return map[string]string{
		"./boot/vmlinuz-" + release:                   string(kmodtest.Image(release)),
		"./boot/config-" + release:                    "CONFIG_X=y\n",
		dir + "kernel/drivers/nvme/host/nvme.ko":      string(kmodtest.Module("depends=nvme-core")),
		dir + "kernel/drivers/nvme/host/nvme-core.ko": string(kmodtest.Module("depends=")),
		dir + "kernel/fs/fat/vfat.ko":                 string(kmodtest.Module("depends=nls_base")),
		dir + "kernel/sound/beep.ko":                  string(kmodtest.Module("depends=")),
		dir + "modules.builtin":                       "kernel/fs/nls/nls_base.ko\n",
		dir + "modules.order":                         "kernel/sound/beep.ko\n",
		"./usr/share/doc/x/copyright":                 "text",
	}
}

// makeDeb packs files as a Debian package.
func makeDeb(t *testing.T, files map[string]string) []byte {
	t.Helper()
	b, err := debtest.Package(files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// archive is a stand-in for apt-get on PATH, and the package that it serves.
type archive struct {
	t    *testing.T
	pin  Pin
	opts Options
	said []string // warnings
	log  string   // file with one line per call of apt-get
}

// newArchive serves the package; behaviour is shell code that runs instead of
// the copying, if it is not empty.
func newArchive(t *testing.T, behaviour string) *archive {
	t.Helper()
	dir := t.TempDir()
	deb := makeDeb(t, packageFiles())
	served := filepath.Join(dir, "served.deb")
	if err := os.WriteFile(served, deb, 0o644); err != nil {
		t.Fatal(err)
	}
	a := &archive{t: t, log: filepath.Join(dir, "calls")}
	sum := sha256.Sum256(deb)
	a.pin = Pin{Package: "linux-image-" + release, Version: "6.1.999-1", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(deb))}
	a.opts = Options{CacheDir: filepath.Join(dir, "cache"), Modules: wanted, Warn: func(s string) { a.said = append(a.said, s) }}
	if behaviour == "" {
		behaviour = "cp " + served + " ./linux-image.deb"
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho \"$LC_ALL $*\" >>" + a.log + "\nserved=" + served + "\n" + behaviour + "\n"
	if err := os.WriteFile(filepath.Join(bin, "apt-get"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("TMPDIR", dir)
	return a
}

// calls returns what apt-get was called with.
func (a *archive) calls() []string {
	a.t.Helper()
	text, err := os.ReadFile(a.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func (a *archive) fetch() (*Kernel, error) { return Fetch(context.Background(), a.pin, a.opts) }

func (a *archive) mustFetch() *Kernel {
	a.t.Helper()
	k, err := a.fetch()
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

// tree lists the files below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

func TestFetch(t *testing.T) {
	a := newArchive(t, "")
	steps := map[Step]bool{}
	a.opts.Progress = func(s Step, _, _ int64) { steps[s] = true }
	k := a.mustFetch()
	if k.Release != release || k.Source != a.pin.Package+" "+a.pin.Version {
		t.Errorf("kernel %+v", k)
	}
	image, err := os.ReadFile(k.ImagePath)
	if err != nil || !bytes.Equal(image, kmodtest.Image(release)) {
		t.Errorf("image of %d bytes, %v", len(image), err)
	}
	want := []string{"kernel/drivers/nvme/host/nvme-core.ko", "kernel/drivers/nvme/host/nvme.ko", "kernel/fs/fat/vfat.ko", "modules.builtin"}
	if got := tree(t, k.ModulesDir); !slices.Equal(got, want) {
		t.Errorf("modules %q, want %q", got, want)
	}
	if len(a.said) != 1 || !strings.Contains(a.said[0], "gone") {
		t.Errorf("warnings %q, want one about the module gone", a.said)
	}
	if call := a.calls()[0]; !strings.HasPrefix(call, "C ") || !strings.HasSuffix(call, "download "+a.pin.Package+"="+a.pin.Version) {
		t.Errorf("apt-get was called with %q", call)
	}
	if !steps[StepDownload] || !steps[StepUnpack] {
		t.Errorf("progress of %v only", steps)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "rayimg-kernel-*")); err != nil || left != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestFetchUsesTheCache(t *testing.T) {
	a := newArchive(t, "")
	first, second := a.mustFetch(), a.mustFetch()
	if *first != *second || len(a.calls()) != 1 {
		t.Errorf("%d downloads, kernels %+v and %+v", len(a.calls()), first, second)
	}
	a.opts.Modules = wanted[:1]
	if third := a.mustFetch(); third.ModulesDir == first.ModulesDir || len(a.calls()) != 2 {
		t.Error("another set of modules came from the same cache entry")
	}
}

func TestFetchMendsTheCache(t *testing.T) {
	for name, damage := range map[string]func(entry string) error{
		"kernel changed": func(e string) error { return os.WriteFile(filepath.Join(e, imageFile), []byte("x"), 0o644) },
		"kernel gone":    func(e string) error { return os.Remove(filepath.Join(e, imageFile)) },
		"module added": func(e string) error {
			return os.WriteFile(filepath.Join(e, modulesDir, "evil.ko"), []byte("x"), 0o644)
		},
		"manifest gone": func(e string) error { return os.Remove(filepath.Join(e, "manifest.json")) },
		"manifest torn": func(e string) error { return os.Truncate(filepath.Join(e, "manifest.json"), 20) },
		"entry empty": func(e string) error {
			return errors.Join(os.RemoveAll(e), os.Mkdir(e, 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, "")
			k := a.mustFetch()
			if err := damage(filepath.Dir(k.ImagePath)); err != nil {
				t.Fatal(err)
			}
			a.said = nil
			a.mustFetch()
			if len(a.calls()) != 2 || len(a.said) == 0 || !strings.Contains(a.said[0], "damaged") {
				t.Errorf("%d downloads, warnings %q", len(a.calls()), a.said)
			}
			a.mustFetch()
			if len(a.calls()) != 2 {
				t.Error("the mended entry is not used")
			}
		})
	}
}

func TestFetchFails(t *testing.T) {
	for name, c := range map[string]struct{ apt, want string }{
		"version gone": {"echo \"E: Version '6.1.999-1' for 'linux-image-" + release + "' was not found\" >&2; exit 100", "has this version no more"},
		"unknown":      {"echo 'E: Unable to locate package linux-image' >&2; exit 100", "apt-get update"},
		"offline":      {"echo 'E: Failed to fetch http://x/y.deb  Temporary failure resolving' >&2; exit 100", "check the network"},
		"other":        {"echo 'E: something new' >&2; exit 7", "something new"},
		"nothing":      {":", "0 packages"},
		"other file":   {"cp $served ./a.deb; echo x >>./a.deb", "SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, c.apt)
			_, err := a.fetch()
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want ErrUnavailable and %q", err, c.want)
			}
			if name != "nothing" && !strings.Contains(err.Error(), "--kernel") {
				t.Errorf("error does not tell of --kernel: %v", err)
			}
			if left := tree(t, a.opts.CacheDir); len(left) != 0 {
				t.Errorf("left in the cache: %q", left)
			}
		})
	}
}

func TestFetchWithoutApt(t *testing.T) {
	a := newArchive(t, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := a.fetch(); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "--kernel") {
		t.Errorf("error %v does not tell of --kernel", err)
	}
}

func TestFetchIsCancelled(t *testing.T) {
	a := newArchive(t, "exec sleep 60")
	ctx, cancel := context.WithCancel(context.Background())
	a.opts.Progress = func(Step, int64, int64) { cancel() }
	if _, err := Fetch(ctx, a.pin, a.opts); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestCacheCannotBeMade(t *testing.T) {
	a := newArchive(t, "")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	a.opts.CacheDir = file
	if _, err := a.fetch(); err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("error %v does not tell of XDG_CACHE_HOME", err)
	}
}

func TestPackagesThatAreNoKernels(t *testing.T) {
	image, dir := "./boot/vmlinuz-"+release, "./lib/modules/"+release+"/"
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   string
	}{
		"no kernel":       {func(f map[string]string) { delete(f, image) }, "no kernel image"},
		"other release":   {func(f map[string]string) { f[image] = string(kmodtest.Image("5.10.0-1")) }, "is kernel 5.10.0-1"},
		"no EFI image":    {func(f map[string]string) { f[image] = "ELF" }, "not an EFI kernel image"},
		"damaged module":  {func(f map[string]string) { f[dir+"kernel/fs/fat/vfat.ko"] = "x" }, "vfat.ko"},
		"escaping module": {func(f map[string]string) { f["./lib/modules/x/../../../../../evil.ko"] = "x" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := packageFiles()
			c.change(files)
			work := t.TempDir()
			deb := filepath.Join(work, "k.deb")
			if err := os.WriteFile(deb, makeDeb(t, files), 0o644); err != nil {
				t.Fatal(err)
			}
			opts := Options{CacheDir: filepath.Join(work, "cache"), Modules: wanted}
			_, err := FromFile(context.Background(), deb, "", opts)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			for _, file := range tree(t, work) {
				if strings.HasSuffix(file, "evil.ko") {
					t.Errorf("unpacked %s", file)
				}
			}
		})
	}
}

func TestFromFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	deb := write("k.deb", makeDeb(t, packageFiles()))
	image := write("vmlinuz", kmodtest.Image("6.12.1"))
	shell := write("script", []byte("#!/bin/sh\n"))
	opts := Options{CacheDir: filepath.Join(dir, "cache"), Modules: wanted}
	ctx := context.Background()

	if k, err := FromFile(ctx, deb, "", opts); err != nil || k.Release != release || len(tree(t, k.ModulesDir)) != 4 {
		t.Errorf("package: %+v, %v", k, err)
	}
	if k, err := FromFile(ctx, image, "", opts); err != nil || k.Release != "6.12.1" || k.ModulesDir != "" || k.ImagePath != image {
		t.Errorf("image: %+v, %v", k, err)
	}
	if k, err := FromFile(ctx, image, dir, opts); err != nil || k.ModulesDir != dir {
		t.Errorf("image with modules: %+v, %v", k, err)
	}
	for name, c := range map[string]struct {
		file, modules string
		want          error
	}{
		"no such file":        {filepath.Join(dir, "none"), "", os.ErrNotExist},
		"no such modules":     {image, filepath.Join(dir, "none"), os.ErrNotExist},
		"a script":            {shell, "", ErrNotEFI},
		"cut off":             {write("short", kmodtest.Image("6.1")[:100]), "", ErrNotEFI},
		"modules are no dir":  {image, shell, nil},
		"package and modules": {deb, dir, nil},
	} {
		if _, err := FromFile(ctx, c.file, c.modules, opts); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func TestDebianPin(t *testing.T) {
	if raw, err := hex.DecodeString(Debian.SHA256); err != nil || len(raw) != sha256.Size {
		t.Errorf("pinned digest %q: %v", Debian.SHA256, err)
	}
}
