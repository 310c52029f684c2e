package write

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/installer/plan"
)

// Errors of Open and of what is open.
var (
	ErrInUse = errors.New("the disk is in use")
	ErrSize  = errors.New("the disk has another size than was planned")
	ErrGone  = errors.New("the disk is not there any more")
)

// Disk is a disk, or a file that stands in for one, open for writing.
type Disk struct {
	file       *os.File
	block      bool
	canDiscard bool
}

var _ Device = (*Disk)(nil)

// Open opens a disk for writing. Nobody else can mount it, use it for swap, or build
// anything on it until it is closed; a file cannot be given to a virtual machine. It fails
// with [ErrInUse] where somebody does already.
func Open(d plan.Disk) (*Disk, error) {
	flags := os.O_RDWR
	if d.Transport != plan.File {
		flags |= unix.O_EXCL // UNIX open(2): a block device that is in use is not opened
	}
	f, err := os.OpenFile(d.Path, flags, 0)
	if errors.Is(err, syscall.EBUSY) {
		return nil, fmt.Errorf("open %s: %w: %w", d.Name, ErrInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.Name, err)
	}
	info, err := f.Stat()
	disk := &Disk{file: f}
	if err == nil {
		disk.block = !info.Mode().IsRegular()
		disk.canDiscard = !disk.block || canDiscard(f)
		err = disk.claim(d.SizeBytes)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", d.Name, err), f.Close())
	}
	return disk, nil
}

// claim takes the lock that QEMU takes, too, and checks the size.
func (d *Disk) claim(sizeBytes int64) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(d.file.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		return fmt.Errorf("%w, perhaps by a virtual machine: %w", ErrInUse, err)
	}
	size, err := d.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size != sizeBytes {
		return fmt.Errorf("%w: %d bytes, not %d", ErrSize, size, sizeBytes)
	}
	return nil
}

// canDiscard asks the kernel. Where it says no, overwriting with zeros would be what a
// request to discard ends in, of the whole disk.
func canDiscard(f *os.File) bool {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false
	}
	limit, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/queue/discard_max_bytes", unix.Major(st.Rdev), unix.Minor(st.Rdev)))
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(limit)), 10, 64)
	return err == nil && n > 0
}

// ReadAt implements [io.ReaderAt].
func (d *Disk) ReadAt(b []byte, offset int64) (int, error) {
	n, err := d.file.ReadAt(b, offset)
	return n, d.explain(err)
}

// WriteAt implements [io.WriterAt].
func (d *Disk) WriteAt(b []byte, offset int64) (int, error) {
	n, err := d.file.WriteAt(b, offset)
	return n, d.explain(err)
}

// explain says what the kernel's errors mean of a disk: one that is pulled out has no size, and so no space.
func (d *Disk) explain(err error) error {
	if d.block && (errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV)) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}

// Sync implements [Device]: the kernel's copies of what was written are dropped, so that
// reading asks the disk.
func (d *Disk) Sync() error {
	if err := d.file.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(d.file.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// Modes of fallocate(2). A hole in a file is zeros. A disk is told what it need not keep, which
// takes a few commands; what it then reads as is not known. It is not asked for zeros: the
// kernel cuts that into commands of as little as 128 KiB, of which 70 GB are so many that an
// NVMe disk was seen to be given up by the kernel for not answering within its time.
const (
	punchHole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	discard   = punchHole | unix.FALLOC_FL_NO_HIDE_STALE
)

// Discard implements [Device].
func (d *Disk) Discard(offset, length int64) (zeros bool, err error) {
	fd := int(d.file.Fd())
	switch {
	case !d.canDiscard:
		return false, fmt.Errorf("discard: %w", errors.ErrUnsupported)
	case !d.block:
		err := unix.Fallocate(fd, punchHole, offset, length)
		return err == nil, err
	}
	if err := unix.Fallocate(fd, discard, offset, length); err != nil {
		return false, fmt.Errorf("discard: %w", errors.ErrUnsupported) // a hint that nobody needs
	}
	return false, nil
}

// Close closes the disk. Of one that was written the kernel reads the partition table anew
// first; where it cannot, the error says so, and the disk is complete nevertheless.
func (d *Disk) Close(written bool) error {
	var err error
	if d.block && written {
		err = unix.IoctlSetInt(int(d.file.Fd()), unix.BLKRRPART, 0)
		if errors.Is(err, syscall.EINVAL) { // the device cannot have partitions
			err = nil
		}
		if err != nil {
			err = fmt.Errorf("read the new partition table: %w; take the disk out and put it in again, or boot", err)
		}
	}
	return errors.Join(err, d.file.Close())
}
