package bootstate

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// What a direct read needs: offset, length and memory are multiples of the
// logical sector, which is at most this.
const directBytes = 4096

// windowBytes is how much is read at a time.
const windowBytes = 4 * directBytes

// partition is the block device of an ESP. Reads ask the disk and not the page
// cache, so that what is read back is what the disk has. Writes go through the
// cache, which the mounted file system shares: a direct write would have to be of
// whole sectors of 4096 bytes, which a FAT's clusters need not begin with.
type partition struct {
	cached *os.File
	direct *os.File
	window []byte // aligned memory
}

func openPartition(device string, mode int) (_ *partition, err error) {
	p := &partition{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if p.cached, err = os.OpenFile(device, mode, 0); err != nil {
		return nil, err
	}
	p.direct, err = os.OpenFile(device, os.O_RDONLY|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EINVAL) { // an image on a file system that has no direct reads
		p.direct, err = os.Open(device)
	}
	if err != nil {
		return nil, err
	}
	p.window, err = unix.Mmap(-1, 0, windowBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	return p, err
}

// size returns the partition's size in bytes.
func (p *partition) size() (int64, error) { return p.cached.Seek(0, io.SeekEnd) }

// lock waits until no other process changes the record. The kernel releases the
// lock with the file.
func (p *partition) lock() error {
	if err := unix.Flock(int(p.cached.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", p.cached.Name(), err)
	}
	return nil
}

// ReadAt implements [io.ReaderAt].
func (p *partition) ReadAt(b []byte, offset int64) (n int, err error) {
	for n < len(b) {
		into := int(offset % directBytes)
		want := min(into+len(b)-n, len(p.window))
		got, err := p.direct.ReadAt(p.window[:(want+directBytes-1)/directBytes*directBytes], offset-int64(into))
		if got <= into {
			if err == nil {
				err = io.ErrNoProgress
			}
			return n, err
		}
		copied := copy(b[n:], p.window[into:got])
		n, offset = n+copied, offset+int64(copied)
	}
	return n, nil
}

// WriteAt implements [io.WriterAt].
func (p *partition) WriteAt(b []byte, offset int64) (int, error) { return p.cached.WriteAt(b, offset) }

// Sync returns when all that was written is on the medium.
func (p *partition) Sync() error { return p.cached.Sync() }

// Close releases the partition.
func (p *partition) Close() error {
	var err error
	for _, f := range []*os.File{p.cached, p.direct} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if p.window != nil {
		err = errors.Join(err, unix.Munmap(p.window))
	}
	return err
}
