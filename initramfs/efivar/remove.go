package efivar

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Remove deletes a variable from the efivarfs mounted at dir. One that does not
// exist is fs.ErrNotExist.
func Remove(dir, name, vendor string) error {
	path := filepath.Join(dir, name+"-"+vendor)
	if err := remove(path); err != nil {
		return fmt.Errorf("delete EFI variable %s: %w", name, err)
	}
	return nil
}

func remove(path string) error {
	err := os.Remove(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// efivarfs guards variables that it does not know against removal.
	if err := makeMutable(path); err != nil {
		return err
	}
	return os.Remove(path)
}

// immutable is FS_IMMUTABLE_FL of <linux/fs.h>.
const immutable = 0x10

// makeMutable takes the flag of an immutable file away.
func makeMutable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return fmt.Errorf("read its flags: %w", err)
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^immutable)); err != nil {
		return fmt.Errorf("make it changeable: %w", err)
	}
	return nil
}
