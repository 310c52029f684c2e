package ext4

import (
	"errors"
	"fmt"
	"io"
)

// Paths of what a Linux guest is started from, on its file system; symbolic links are
// followed.
const (
	KernelPath = "vmlinuz"
	InitrdPath = "initrd.img"
)

// ErrNoKernel says that a folder cannot be a Linux guest.
var ErrNoKernel = errors.New("a Linux guest needs the kernel /" + KernelPath + " and /" + InitrdPath)

// Bootable says whether a file system has what a Linux guest is started from.
func Bootable(f *FS) error {
	for _, name := range []string{KernelPath, InitrdPath} {
		r, err := f.Open(name)
		if err == nil && r.Size() == 0 {
			err = errors.New("it is empty")
		}
		if err == nil {
			_, err = io.CopyN(io.Discard, r, 1)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrNoKernel, name, err)
		}
	}
	return nil
}
