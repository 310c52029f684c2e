package kmod

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// ReadFile reads a file of at most limitBytes.
func ReadFile(fsys fs.FS, name string, limitBytes int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= limitBytes {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	return readAtMost(&b, f, name, limitBytes)
}

func readAtMost(b *bytes.Buffer, r io.Reader, name string, limitBytes int64) ([]byte, error) {
	if _, err := b.ReadFrom(io.LimitReader(r, limitBytes+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > limitBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limitBytes)
	}
	return b.Bytes(), nil
}

// decompress undoes the compression that the file name tells of.
func decompress(file string, raw []byte) ([]byte, error) {
	var (
		r   io.Reader
		err error
	)
	switch path.Ext(file) {
	case ".gz":
		r, err = gzip.NewReader(bytes.NewReader(raw))
	case ".xz":
		r, err = xz.NewReader(bytes.NewReader(raw))
	case ".zst":
		var d *zstd.Decoder
		d, err = zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxModuleBytes))
		if err == nil {
			defer d.Close()
			r = d
		}
	default:
		return raw, nil
	}
	if err != nil {
		return nil, fmt.Errorf("decompress %s: %w", file, err)
	}
	b, err := readAtMost(new(bytes.Buffer), r, file, maxModuleBytes)
	if err != nil {
		return nil, fmt.Errorf("decompress %s: %w", file, err)
	}
	return b, nil
}
