// Package debkernel gets the Linux kernel that an image boots: Debian's
// package, fetched with apt-get, checked against a pinned digest, unpacked and
// cached, or a file of the user's. It yields an EFI kernel image and a
// directory of modules; packing these is the business of package initrd.
//
// The package is read here and not by dpkg, so that only its kernel image and
// the wanted modules are kept and nothing is installed. Formats: deb(5), ar(5),
// xz, tar; the image's header is that of Linux Documentation/arch/x86/boot.rst.
package debkernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/tools/mkimage/deb"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// Pin names one package by content: whatever the archive serves under the
// name and version, only this file is used.
type Pin struct {
	Package string // with the architecture's suffix of the kernel flavour
	Version string // Debian version
	SHA256  string // of the .deb, lower-case hexadecimal
	Bytes   int64  // size of the .deb
}

// Debian is the kernel that RayOS images carry by default. It is the one in
// Debian 12's main suite, which keeps its last version when the release is
// archived; a version that is only in the security suite disappears with the
// next update.
var Debian = Pin{
	Package: "linux-image-6.1.0-50-amd64",
	Version: "6.1.176-1",
	SHA256:  "7b5597492a0a65aee61985a492e6bcc3f2cde830072a0e3b3d8c7e1b90279bd3",
	Bytes:   70305560,
}

// Kernel is a kernel ready to be put on an image.
type Kernel struct {
	Release    string // as uname -r prints it, for example 6.1.0-50-amd64
	Source     string // where it comes from, for people
	ImagePath  string // the EFI kernel image
	ModulesDir string // tree of module files; empty where there are none
}

// Options of [Fetch] and [FromFile].
type Options struct {
	// CacheDir holds the unpacked kernels. Empty means the user's cache
	// directory ($XDG_CACHE_HOME or ~/.cache), folder rayimg.
	CacheDir string
	// Modules are the wanted modules; those and all that they depend on are
	// kept. Each different set is cached on its own.
	Modules []kmod.Group
	// Progress, if set, is called as a step goes on, from one goroutine at a
	// time. total is 0 where it is unknown.
	Progress func(step Step, doneBytes, totalBytes int64)
	// Warn, if set, is told what the user should know although the work goes on.
	Warn func(text string)
}

// Step is a long part of the work.
type Step string

// The steps, in their order.
const (
	StepDownload Step = "download kernel"
	StepUnpack   Step = "unpack kernel"
)

func (o Options) progress(step Step, done, total int64) {
	if o.Progress != nil {
		o.Progress(step, done, total)
	}
}

func (o Options) warn(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(fmt.Sprintf(format, args...))
	}
}

// Fetch returns the pinned kernel: from the cache where it is there and
// unchanged, or else from Debian's archive. Downloading needs apt-get and no
// privileges. Errors say what to do next; where the archive does not serve the
// pinned file they match [ErrUnavailable].
func Fetch(ctx context.Context, pin Pin, opts Options) (*Kernel, error) {
	source := pin.Package + " " + pin.Version
	return cached(opts, source, pin.SHA256, func(entry string) (string, error) {
		deb, remove, err := download(ctx, pin, opts)
		if err != nil {
			return "", err
		}
		defer remove()
		return unpackFile(ctx, deb, entry, opts)
	})
}

// FromFile returns the kernel in a file of the user's: a Debian package, which
// is unpacked and cached like a fetched one, or a kernel image (vmlinuz).
// modulesDir, which goes with an image only, is a directory of modules such as
// /lib/modules/6.1.0-50-amd64; without it the runtime has only the drivers
// that are built into the kernel.
func FromFile(ctx context.Context, file, modulesDir string, opts Options) (*Kernel, error) {
	isDeb, err := isArchive(file)
	if err != nil {
		return nil, fmt.Errorf("read kernel: %w", err)
	}
	if !isDeb {
		return fromImage(file, modulesDir)
	}
	if modulesDir != "" {
		return nil, fmt.Errorf("read kernel %s: a package brings its own modules; leave out the modules directory %s", file, modulesDir)
	}
	digest, err := treecache.Digest(file)
	if err != nil {
		return nil, fmt.Errorf("read kernel: %w", err)
	}
	return cached(opts, filepath.Base(file), digest, func(entry string) (string, error) {
		return unpackFile(ctx, file, entry, opts)
	})
}

func isArchive(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return deb.Is(f)
}

func fromImage(file, modulesDir string) (*Kernel, error) {
	release, err := checkImage(file)
	if err != nil {
		return nil, err
	}
	if modulesDir != "" {
		info, err := os.Stat(modulesDir)
		if err != nil {
			return nil, fmt.Errorf("read kernel modules: %w", err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("read kernel modules: %s is not a directory", modulesDir)
		}
	}
	return &Kernel{Release: release, Source: file, ImagePath: file, ModulesDir: modulesDir}, nil
}

// unpackFile unpacks the package into entry, keeps the wanted modules only,
// and checks the kernel image.
func unpackFile(ctx context.Context, file, entry string, opts Options) (release string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	release, err = unpackDeb(ctx, f, info.Size(), entry, func(done int64) { opts.progress(StepUnpack, done, info.Size()) })
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
	}
	if err := prune(entry, opts); err != nil {
		return "", fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
	}
	inImage, err := checkImage(filepath.Join(entry, imageFile))
	if err != nil {
		return "", err
	}
	if inImage != release {
		return "", fmt.Errorf("unpack %s: boot/vmlinuz-%s is kernel %s", filepath.Base(file), release, inImage)
	}
	return release, nil
}

// prune deletes the modules that nobody wants.
func prune(entry string, opts Options) error {
	dir := filepath.Join(entry, modulesDir)
	tree, err := kmod.Open(os.DirFS(dir))
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("no kernel modules (lib/modules) in the package")
	}
	if err != nil {
		return err
	}
	order, err := tree.Resolve(opts.Modules)
	if err != nil {
		return err
	}
	for _, name := range order.Missing {
		opts.warn("kernel module %s is not in the package; the machine starts without it", name)
	}
	keep := map[string]bool{builtinFile: true}
	for _, e := range order.Load {
		keep[filepath.FromSlash(e.Path)] = true
	}
	return removeOthers(dir, keep)
}
