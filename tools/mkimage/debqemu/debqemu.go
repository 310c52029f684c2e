// Package debqemu gets the QEMU that guests run under: Debian's own, of
// bookworm-backports, with the libraries and the firmware that it needs and
// nothing else, unpacked into a folder that can be used anywhere, also on a
// machine without Debian. It yields the tree that package guest describes.
//
// The packages come through package apt: where the archive lies is what this
// machine's own apt sources say.
package debqemu

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/tools/mkimage/apt"
	"github.com/rayos/rayboot/tools/mkimage/deb"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// minMajor is the QEMU from which on vhost-user devices need no KVM and map memory
// as package presentation wants it.
const minMajor = 10

// wanted are the packages that apt is asked for; it adds what they depend on.
var wanted = []string{mainPackage, "ovmf"}

const mainPackage = "qemu-system-x86"

// Options of [Fetch].
type Options struct {
	CacheDir string // as that of package debkernel
	Progress func(step string, doneBytes, totalBytes int64)
	Warn     func(text string)
}

func (o Options) progress(step string, done, total int64) {
	if o.Progress != nil {
		o.Progress(step, done, total)
	}
}

// QEMU is one that is ready to be started.
type QEMU struct {
	Version string            // Debian's
	Tree    guest.Tree        // where it lies
	Origins map[string]string // package and version -> SHA-256 of its file
}

// Fetch returns QEMU from the cache where it is there and unchanged, or else from
// Debian's archive.
func Fetch(ctx context.Context, opts Options) (*QEMU, error) {
	root, err := treecache.Dir(opts.CacheDir)
	if err != nil {
		return nil, err
	}
	kind := treecache.Kind{Name: "QEMU", Dir: filepath.Join(root, "qemu"), Warn: opts.Warn, Missing: guest.QEMUPath}
	key := fmt.Sprintf("%s-%d-tree1", apt.Backports, minMajor)
	dir, m, err := kind.Get(key, func(entry string) (treecache.Manifest, error) {
		m, err := fill(ctx, filepath.Join(root, "apt-"+apt.Codename), entry, opts)
		if err != nil {
			return m, fmt.Errorf("fetch QEMU: %w", err)
		}
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	return &QEMU{Version: m.Release, Tree: guest.Tree(dir), Origins: m.Origins}, nil
}

// fill makes the tree in the folder entry.
func fill(ctx context.Context, aptDir, entry string, opts Options) (m treecache.Manifest, err error) {
	a, err := apt.Open(ctx, aptDir)
	if err != nil {
		return m, err
	}
	defer a.Close()
	opts.progress("download QEMU", 0, 0)
	files, err := a.Download(ctx, wanted, func(n int64) { opts.progress("download QEMU", n, 0) })
	if err != nil {
		return m, err
	}
	m.Source, m.Origins = apt.Backports, map[string]string{}
	s := newStage(filepath.Join(entry, ".stage"))
	for i, file := range files {
		opts.progress("unpack QEMU", int64(i), int64(len(files)))
		name, version := nameVersion(file)
		if name == mainPackage {
			m.Release = version
		}
		if m.Origins[name+" "+version], err = treecache.Digest(file); err != nil {
			return m, err
		}
		if err := s.unpack(ctx, file); err != nil {
			return m, fmt.Errorf("unpack %s: %w", name, err)
		}
	}
	if err := checkVersion(m.Release); err != nil {
		return m, err
	}
	return m, s.assemble(entry)
}

// nameVersion splits the file name that apt gives a package.
func nameVersion(file string) (name, version string) {
	name, rest, _ := strings.Cut(filepath.Base(file), "_")
	version, _, _ = strings.Cut(rest, "_")
	return name, strings.ReplaceAll(version, "%3a", ":")
}

// checkVersion refuses a QEMU that cannot show a guest without KVM.
func checkVersion(version string) error {
	if version == "" {
		return fmt.Errorf("apt-get has not brought the package %s", mainPackage)
	}
	v := version
	if _, after, ok := strings.Cut(v, ":"); ok {
		v = after
	}
	digits, _, _ := strings.Cut(v, ".")
	if major, err := strconv.Atoi(digits); err != nil || major < minMajor {
		return fmt.Errorf("the archive has QEMU %s, guests need %d or newer, which Debian has in %s", version, minMajor, apt.Backports)
	}
	return nil
}

// stage is where packages are unpacked to: only what the tree may need.
type stage struct {
	dir   string
	files map[string]string // path in the package -> file on the host
	links map[string]string // path in the package -> where it points to
}

func newStage(dir string) *stage {
	return &stage{dir: dir, files: map[string]string{}, links: map[string]string{}}
}

func (s *stage) unpack(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return deb.Walk(ctx, f, info.Size(), func(int64) {}, s.take)
}

// take keeps one file of a package, if it may be needed.
func (s *stage) take(h *tar.Header, content io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if !mayNeed(name) {
		return nil
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		s.links[name] = h.Linkname
	case tar.TypeReg:
		to := filepath.Join(s.dir, strconv.Itoa(len(s.files)))
		s.files[name] = to
		return treecache.WriteFile(to, content, 0o644)
	}
	return nil
}
