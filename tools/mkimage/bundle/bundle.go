// Package bundle carries the boot manager and the runtime inside rayimg, so
// that one file is enough to make images. They are embedded by the build tag
// "bundled", from the files BOOTX64.EFI and runtime.cpio.zst which the build
// puts into this directory; without the tag the package is empty.
package bundle

import "errors"

// ErrNone says that this rayimg was built without the bundle.
var ErrNone = errors.New("this rayimg carries no boot manager and no runtime; build it with `just build`, or name the files")

// BootManager returns the boot manager as a PE image. The caller must not
// change it.
func BootManager() ([]byte, error) { return content(bootManager) }

// Runtime returns the initrd segment with the runtime. The caller must not
// change it.
func Runtime() ([]byte, error) { return content(runtime) }

func content(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, ErrNone
	}
	return b, nil
}
