package image

import (
	"bytes"
	"context"
	"io"
)

// sparseBlock is the unit in which zeroes are left out, the block size of
// usual host file systems.
const sparseBlock = 4096

var zeroBlock [sparseBlock]byte

// sparseWriter writes to a fresh file and leaves out blocks of zeroes, which
// read as zeroes anyway. It stops as soon as ctx is cancelled.
type sparseWriter struct {
	ctx     context.Context
	w       io.WriterAt
	written func(n int) // called with the number of bytes dealt with
}

// WriteAt implements [io.WriterAt].
func (s sparseWriter) WriteAt(p []byte, off int64) (n int, err error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	flush := func(end int) error {
		m, err := s.w.WriteAt(p[n:end], off+int64(n))
		n += m
		return err
	}
	for at := 0; at < len(p); {
		end := min(len(p), at+sparseBlock-int((off+int64(at))%sparseBlock))
		if bytes.Equal(p[at:end], zeroBlock[:end-at]) {
			if err := flush(at); err != nil {
				return n, err
			}
			n = end
		}
		at = end
	}
	if err := flush(len(p)); err != nil {
		return n, err
	}
	s.written(len(p))
	return n, nil
}
