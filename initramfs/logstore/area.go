package logstore

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/raylog"
)

// bounceBytes is the size of the buffer through which is read.
const bounceBytes = 64 << 10

// area is the place of a log in a device or a file. It goes past the page cache
// where that is possible: what was read lay on the medium. Each write is durable
// when it returns, which a device may do faster than a write and a flush.
type area struct {
	file    *os.File
	offset  int64
	size    int64
	bounce  []byte // aligned, as direct reads need it
	settled bool   // what was written before it was opened is durable
}

// openArea opens a place for reading, and also for writing if wanted.
func openArea(path string, offset, size int64, write bool) (*area, error) {
	mode := os.O_RDONLY
	if write {
		mode = os.O_RDWR | unix.O_DSYNC
	}
	f, err := os.OpenFile(path, mode|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EINVAL) { // a file system without direct input and output
		f, err = os.OpenFile(path, mode, 0)
	}
	if err != nil {
		return nil, err
	}
	a := &area{file: f, offset: offset, size: size}
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil && end < offset+size {
		err = fmt.Errorf("%s has %d bytes and no room for the log, which ends at %d", path, end, offset+size)
	}
	if err == nil && write && readOnly(f) {
		err = fmt.Errorf("%s is read-only", path)
	}
	if err == nil {
		a.bounce, err = aligned(bounceBytes)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return a, nil
}

// readOnly reports whether a block device refuses writes, which opening it does not
// show. Of what is no block device it is not known.
func readOnly(f *os.File) bool {
	refuses, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKROGET)
	return err == nil && refuses != 0
}

// aligned returns memory that begins with a page.
func aligned(size int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("buffer for the log: %w", err)
	}
	return b, nil
}

func (a *area) check(b []byte, offset int64) error {
	if offset < 0 || offset > a.size-int64(len(b)) || offset%raylog.RecordBytes != 0 || len(b)%raylog.RecordBytes != 0 {
		return fmt.Errorf("%d bytes at %d of the log: %w", len(b), offset, os.ErrInvalid)
	}
	return nil
}

// ReadAt reads whole records.
func (a *area) ReadAt(b []byte, offset int64) (n int, err error) {
	if err := a.check(b, offset); err != nil {
		return 0, err
	}
	for n < len(b) {
		piece := a.bounce[:min(len(a.bounce), len(b)-n)]
		if _, err := a.file.ReadAt(piece, a.offset+offset+int64(n)); err != nil {
			return n, err
		}
		n += copy(b[n:], piece)
	}
	return n, nil
}

// WriteAt writes whole records, out of the buffer of the ring, which is aligned.
func (a *area) WriteAt(b []byte, offset int64) (int, error) {
	if err := a.check(b, offset); err != nil {
		return 0, err
	}
	return a.file.WriteAt(b, a.offset+offset)
}

// Sync makes durable what others wrote; what was written here is already.
func (a *area) Sync() error {
	if a.settled {
		return nil
	}
	if err := unix.Fdatasync(int(a.file.Fd())); err != nil {
		return fmt.Errorf("flush %s: %w", a.file.Name(), err)
	}
	a.settled = true
	return nil
}

func (a *area) close() error { return errors.Join(a.file.Close(), unix.Munmap(a.bounce)) }
