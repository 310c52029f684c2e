package goldenstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/golden"
)

// Volume is the mounted ESP; see [Store.Volume].
type Volume struct {
	fs.FS
	ctx       context.Context
	store     Store
	locked    *os.File // nil until the lock is held
	remounted bool     // the mount is writable because of us
}

var _ golden.Volume = (*Volume)(nil)

// lockPoll is how often a held lock is asked for.
const lockPoll = 50 * time.Millisecond

// lock waits for its turn. The kernel releases the lock with the file.
func (v *Volume) lock() error {
	if v.locked != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(v.store.Lock), 0o755); err != nil {
		return fmt.Errorf("lock the ESP: %w", err)
	}
	f, err := os.OpenFile(v.store.Lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lock the ESP: %w", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			v.locked = f
			return nil
		}
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			err = v.wait()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("lock the ESP: %w", err), f.Close())
		}
	}
}

func (v *Volume) wait() error {
	select {
	case <-v.ctx.Done():
		return v.ctx.Err()
	case <-time.After(lockPoll):
		return nil
	}
}

// writable makes the ESP writable, if nobody else has.
func (v *Volume) writable() error {
	if err := errors.Join(v.ctx.Err(), v.lock()); err != nil {
		return err
	}
	readOnly, err := v.store.Mount.ReadOnly()
	if err != nil || !readOnly {
		return err
	}
	if err := v.store.Mount.Remount(false); err != nil {
		return err
	}
	v.remounted = true
	return nil
}

// Close makes the ESP read-only again, which writes everything out and marks the
// file system clean, and lets others change it.
func (v *Volume) Close() error {
	var err error
	if v.remounted {
		err = v.store.Mount.Remount(true)
	}
	if v.locked != nil {
		err = errors.Join(err, v.locked.Close())
	}
	v.remounted, v.locked = false, nil
	return err
}

// path is where a file of the volume is.
func (v *Volume) path(op, name string) (string, error) {
	if !fs.ValidPath(name) || name == "." {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return filepath.Join(v.store.Dir, filepath.FromSlash(name)), nil
}

// Create writes a new file of size bytes and returns when it is on the medium
// under its name; what is read of it from then on comes from there. A file that
// exists is fs.ErrExist. After any other error there is no such file.
func (v *Volume) Create(name string, size int64, r io.Reader) error {
	path, err := v.path("create", name)
	if err != nil {
		return err
	}
	if err := v.writable(); err != nil {
		return err
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(v.fill(f, size, r), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(path), syncDir(filepath.Dir(path)))
	}
	return syncDir(filepath.Dir(path))
}

// fill writes what r has into a new file, makes it durable, and drops it from
// the cache.
func (v *Volume) fill(f *os.File, size int64, r io.Reader) error {
	n, err := io.Copy(f, io.LimitReader(untilDone{v.ctx, r}, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("its source has not the %d bytes that it should have", size)
	}
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// untilDone reads until ctx ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// makeDir makes a directory that is missing, and makes that durable.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// temporary is the suffix of a file that is to replace another.
const temporary = ".new"

// Replace replaces a file, or makes a new one, and returns when that is on the
// medium. A cut of the power leaves the old content or the new one.
func (v *Volume) Replace(name string, content []byte) error {
	path, err := v.path("replace", name)
	if err != nil {
		return err
	}
	if err := v.writable(); err != nil {
		return err
	}
	if err := os.Remove(path + temporary); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a replacement that was cut short
		return err
	}
	if err := v.Create(name+temporary, int64(len(content)), bytes.NewReader(content)); err != nil {
		return err
	}
	if err := os.Rename(path+temporary, path); err != nil {
		return errors.Join(err, os.Remove(path+temporary))
	}
	return syncDir(filepath.Dir(path))
}

// Remove removes a file and returns when that is durable.
func (v *Volume) Remove(name string) error {
	path, err := v.path("remove", name)
	if err != nil {
		return err
	}
	if err := v.writable(); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// FreeBytes returns how much room the volume has.
func (v *Volume) FreeBytes() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(v.store.Dir, &s); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", v.store.Dir, err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}
