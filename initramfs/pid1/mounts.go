package pid1

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mountPoint is a file system that the runtime mounts.
type mountPoint struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}

const secure = unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV

// baseMounts are mounted before anything else, in this order.
var baseMounts = []mountPoint{
	{"proc", "/proc", "proc", secure, ""},
	{"sysfs", "/sys", "sysfs", secure, ""},
	{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=0755"},
	{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=0620,ptmxmode=0666"},
	{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
	{"tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
}

const efivarsDir = "/sys/firmware/efi/efivars"

var efivarsMount = mountPoint{"efivarfs", efivarsDir, "efivarfs", secure, ""}

// mount makes the directory where it can be made and mounts on it.
func (b *boot) mount(m mountPoint) error {
	target := filepath.Join(b.root, m.target)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("mount %s: %w", m.target, err)
	}
	err := b.kernel.Mount(m.source, target, m.fstype, m.flags, m.data)
	if err != nil && !errors.Is(err, unix.EBUSY) { // busy: it is mounted already
		return fmt.Errorf("mount %s (%s): %w", m.target, m.fstype, err)
	}
	return nil
}

// mountBase mounts the base file systems. The boot goes on without one that
// cannot be mounted; the returned problems are shown when there are consoles.
func (b *boot) mountBase() (problems []error) {
	for _, m := range baseMounts {
		if err := b.mount(m); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}
