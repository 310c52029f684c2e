package debkernel

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rayos/rayboot/tools/mkimage/deb"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

var errNoKernel = errors.New("no kernel image (boot/vmlinuz-*) in the package")

// The files of a linux-image package that matter, with the kernel's release.
var (
	imagePath   = regexp.MustCompile(`^boot/vmlinuz-([^/]+)$`)
	modulesPath = regexp.MustCompile(`^(?:usr/)?lib/modules/([^/]+)/(.+)$`)
)

// unpackDeb writes the kernel of the package to dir/vmlinuz and all of its
// modules to dir/modules, and returns the kernel's release. done is called
// with the number of compressed bytes read so far.
func unpackDeb(ctx context.Context, pkg io.ReaderAt, sizeBytes int64, dir string, done func(int64)) (release string, err error) {
	err = deb.Walk(ctx, pkg, sizeBytes, done, func(header *tar.Header, content io.Reader) error {
		rel, to := destination(header)
		if to == "" {
			return nil
		}
		if rel != "" {
			release = rel
		}
		if err := treecache.WriteFile(filepath.Join(dir, filepath.FromSlash(to)), content, 0o644); err != nil {
			return fmt.Errorf("unpack %s: %w", header.Name, err)
		}
		return nil
	})
	if err == nil && release == "" {
		err = errNoKernel
	}
	return release, err
}

// destination says where a file of the package goes, relative to the cache
// entry; to is empty for a file that is not needed. release is set for the
// kernel image.
func destination(header *tar.Header) (release, to string) {
	if header.Typeflag != tar.TypeReg {
		return "", ""
	}
	name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
	if m := imagePath.FindStringSubmatch(name); m != nil {
		return m[1], imageFile
	}
	m := modulesPath.FindStringSubmatch(name)
	if m == nil {
		return "", ""
	}
	if _, ok := kmod.ModuleName(m[2]); ok || m[2] == builtinFile {
		return "", path.Join(modulesDir, m[2])
	}
	return "", ""
}
