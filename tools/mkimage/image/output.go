package image

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// output is a file that appears under its name only when it is complete: it is
// written beside that name and renamed at the end.
type output struct {
	*os.File
	path  string
	force bool
}

// createOutput prepares to write path. An existing file is refused without
// force; anything but a regular file always is.
func createOutput(path string, force bool) (*output, error) {
	if err := (Output{Path: path, Force: force}).Check(); err != nil {
		return nil, err
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".partial-"+rand.Text())
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, explain(err))
	}
	return &output{File: f, path: path, force: force}, nil
}

func checkTarget(path string, force bool) error {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return explain(err)
	case st.Mode()&fs.ModeDevice != 0:
		return errors.New("this is a device; rayimg writes image files only, so name a new file and copy it to the device afterwards, for example with dd")
	case !st.Mode().IsRegular():
		return errors.New("this exists and is not a regular file; name a new file")
	case !force:
		return errExists
	}
	return nil
}

var errExists = fmt.Errorf("%w; use --force to replace it or name another file", fs.ErrExist)

// explain adds what the user can do to errors of the host's file system.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; name a file in a folder that can be written", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; name a file in a folder of yours", err)
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w; free some space there or name a file on another disk", err)
	case errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w; the file system or a limit (ulimit -f) does not allow a file of this size", err)
	}
	return err
}

// commit makes the file durable and gives it its name.
func (o *output) commit() error {
	if err := errors.Join(o.Sync(), o.Close()); err != nil {
		return fmt.Errorf("finish %s: %w", o.path, explain(err))
	}
	if err := o.rename(); err != nil {
		return fmt.Errorf("finish %s: %w", o.path, explain(err))
	}
	return syncDir(filepath.Dir(o.path))
}

func (o *output) rename() error {
	if o.force {
		return os.Rename(o.Name(), o.path)
	}
	err := unix.Renameat2(unix.AT_FDCWD, o.Name(), unix.AT_FDCWD, o.path, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EEXIST):
		return errExists
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS): // not on this file system
		if err := checkTarget(o.path, false); err != nil {
			return err
		}
		return os.Rename(o.Name(), o.path)
	}
	return err
}

// discard removes what commit has not given a name. It is meant to be
// deferred; after commit it does nothing.
func (o *output) discard() error {
	closeErr := o.Close()
	if errors.Is(closeErr, os.ErrClosed) {
		closeErr = nil
	}
	err := os.Remove(o.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(closeErr, err)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // the file system cannot
		err = nil
	}
	return errors.Join(err, d.Close())
}

// WriteFile writes a file as a whole or not at all; an existing one is replaced.
func WriteFile(path string, content []byte) (err error) {
	out, err := createOutput(path, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.discard()) }()
	if _, err := out.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", path, explain(err))
	}
	return out.commit()
}
