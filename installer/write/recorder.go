package write

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/rayos/rayboot/gpt"
)

// Sizes in bytes.
const (
	eraseBytes = gpt.MiB // at both ends of a partition that are erased in any case
	chunkBytes = gpt.MiB // that are written or read at once
	// headBytes at the start of a partition are written last. All that lies there is at least one
	// sector; ext4 has its superblock at byte 1024.
	headBytes = 4096
)

// chunk is a piece that was written, with the digest of what must be read back.
type chunk struct {
	Extent
	sum [sha256.Size]byte
}

// recorder passes what a content writes on to the disk, but for the head of the
// partition. Without a device it finds out what there is to write, and digests it: that
// is done beforehand, so that writing is as fast as the disk.
type recorder struct {
	ctx      context.Context
	dev      Device // nil: nothing is written
	part     gpt.Partition
	written  func(n int) // called with the bytes of each chunk that is written
	chunks   []chunk     // without a device
	head     []byte      // of the partition, which is written last
	headUsed bool
	done     int64
}

var errOutside = errors.New("does not lie within the partition")

// WriteAt implements [io.WriterAt]. It ends with ctx.
func (r *recorder) WriteAt(b []byte, offset int64) (n int, err error) {
	if offset < 0 || offset > r.part.SizeBytes-int64(len(b)) {
		return 0, fmt.Errorf("%d bytes at %d of %s: %w: %w", len(b), offset, label(r.part), errOutside, fs.ErrInvalid)
	}
	for n < len(b) {
		if err := r.ctx.Err(); err != nil {
			return n, err
		}
		at := offset + int64(n)
		room := int64(chunkBytes)
		if head := int64(len(r.head)); at < head {
			room = head - at
		}
		data := b[n:min(int64(len(b)), int64(n)+room)]
		if err := r.put(data, at); err != nil {
			return n, err
		}
		n += len(data)
	}
	return n, nil
}

// put deals with bytes that are within the head or behind it.
func (r *recorder) put(data []byte, at int64) error {
	c := chunk{Extent: Extent{r.part.StartBytes + at, int64(len(data))}}
	switch {
	case at < int64(len(r.head)):
		copy(r.head[at:], data)
		r.headUsed = true
	case r.dev != nil:
		if _, err := r.dev.WriteAt(data, c.OffsetBytes); err != nil {
			return fmt.Errorf("write %d bytes at byte %d of the disk: %w", len(data), c.OffsetBytes, err)
		}
	}
	r.done += int64(len(data))
	if r.dev != nil {
		r.written(len(data))
		return nil
	}
	c.sum = sha256.Sum256(data)
	r.chunks = append(r.chunks, c)
	return nil
}
