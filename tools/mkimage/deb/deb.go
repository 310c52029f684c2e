// Package deb reads Debian packages: deb(5), which is an ar(5) archive that holds
// compressed tar archives. Nothing is installed and nothing is run; a package is
// believed in nothing, and what is read of it is bounded.
package deb

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Limits of a package: linux-image of Debian 12 unpacks to 410 MB with 4,300
// files.
const (
	maxUnpackedBytes = 4 << 30
	maxFileBytes     = 256 << 20
	maxFiles         = 100000
)

// Is reports whether r begins like a package.
func Is(r io.ReaderAt) (bool, error) {
	magic := make([]byte, len(arMagic))
	if _, err := r.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return string(magic) == arMagic, nil
}

// Walk calls visit for everything that the package would install, in its order.
// The reader gives the content of a regular file. progress is called with the
// number of compressed bytes read so far. An error of visit ends the walk and is
// returned as it is.
func Walk(ctx context.Context, pkg io.ReaderAt, sizeBytes int64, progress func(int64), visit func(*tar.Header, io.Reader) error) error {
	data, err := openData(pkg, sizeBytes, func(n int64) error {
		progress(n)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	defer data.Close()
	archive := tar.NewReader(&io.LimitedReader{R: data, N: maxUnpackedBytes})
	for files := 0; ; files++ {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read package content: %w", err)
		case files == maxFiles:
			return fmt.Errorf("read package content: more than %d files", maxFiles)
		case header.Size > maxFileBytes:
			return fmt.Errorf("read package content: %s has %d bytes, at most %d are read", header.Name, header.Size, maxFileBytes)
		}
		if err := visit(header, archive); err != nil {
			return err
		}
	}
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
	return nil, fmt.Errorf("%w: it has no data.tar member", ErrFormat)
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
		return nil, fmt.Errorf("%w: data.tar%s: unknown compression", ErrFormat, suffix)
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
