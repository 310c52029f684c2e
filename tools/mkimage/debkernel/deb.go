package debkernel

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// Limits of a package: linux-image of Debian 12 unpacks to 410 MB with 4,300
// files.
const (
	maxUnpackedBytes = 4 << 30
	maxFileBytes     = 256 << 20
	maxFiles         = 100000
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
func unpackDeb(ctx context.Context, deb io.ReaderAt, sizeBytes int64, dir string, done func(int64)) (release string, err error) {
	data, err := openData(deb, sizeBytes, func(n int64) error {
		done(n)
		return ctx.Err()
	})
	if err != nil {
		return "", err
	}
	defer data.Close()
	archive := tar.NewReader(&io.LimitedReader{R: data, N: maxUnpackedBytes})
	for files := 0; ; files++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read package content: %w", err)
		}
		if files == maxFiles {
			return "", fmt.Errorf("read package content: more than %d files", maxFiles)
		}
		rel, to := destination(header)
		if to == "" {
			continue
		}
		if rel != "" {
			release = rel
		}
		if header.Size > maxFileBytes {
			return "", fmt.Errorf("read package content: %s has %d bytes, at most %d are read", header.Name, header.Size, maxFileBytes)
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(to)), archive); err != nil {
			return "", fmt.Errorf("unpack %s: %w", header.Name, err)
		}
	}
	if release == "" {
		return "", errNoKernel
	}
	return release, nil
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

// writeFile creates the file and its directories.
func writeFile(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// openData opens the data.tar member of a package; progress sees each read of
// the compressed bytes and ends the reading by an error.
func openData(deb io.ReaderAt, sizeBytes int64, progress func(int64) error) (io.ReadCloser, error) {
	members, err := arMembers(deb, sizeBytes)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if suffix, ok := strings.CutPrefix(m.name, "data.tar"); ok {
			return decompressed(suffix, bufio.NewReaderSize(&countingReader{r: m.data, progress: progress}, 1<<20))
		}
	}
	return nil, fmt.Errorf("%w: it has no data.tar member", errAr)
}

func decompressed(suffix string, r io.Reader) (io.ReadCloser, error) {
	var (
		out io.Reader
		err error
	)
	switch suffix {
	case "":
		out = r
	case ".gz":
		out, err = gzip.NewReader(r)
	case ".xz":
		out, err = xz.NewReader(r)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r, zstd.WithDecoderMaxWindow(128<<20)); err == nil {
			return d.IOReadCloser(), nil
		}
	default:
		return nil, fmt.Errorf("%w: data.tar%s: unknown compression", errAr, suffix)
	}
	if err != nil {
		return nil, fmt.Errorf("open data.tar%s: %w", suffix, err)
	}
	return io.NopCloser(out), nil
}

// countingReader reports the bytes read so far.
type countingReader struct {
	r        io.Reader
	n        int64
	progress func(int64) error
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if perr := c.progress(c.n); perr != nil {
		return n, perr
	}
	return n, err
}
