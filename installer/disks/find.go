package disks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/installer/plan"
)

// ErrNoDisk says that a path does not lead to a disk.
var ErrNoDisk = errors.New("no disk")

// Find describes the disk at a path: a block device, its kernel's name, or a regular file
// that stands in for a disk and has sectors of this size in bytes.
func (m *Machine) Find(name string, sectorSize int) (plan.Disk, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(name, "/") && m.text(name, "dev") != "" {
		return m.Named(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return plan.Disk{}, fmt.Errorf("find disk: %w of this name, and no file: %w; list the disks to see their names", ErrNoDisk, err)
	case err != nil:
		return plan.Disk{}, fmt.Errorf("find disk: %w", err)
	case info.Mode().IsRegular():
		return m.image(name, sectorSize)
	case info.Mode()&fs.ModeDevice == 0 || info.Mode()&fs.ModeCharDevice != 0:
		return plan.Disk{}, fmt.Errorf("%s: %w: it is neither a block device nor a regular file", name, ErrNoDisk)
	}
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return plan.Disk{}, fmt.Errorf("find disk %s: %w", name, err)
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	link, err := fs.ReadLink(m.Root, path.Join("sys/dev/block", number))
	if err != nil {
		return plan.Disk{}, fmt.Errorf("%s: %w: the kernel has no device %s: %w", name, ErrNoDisk, number, err)
	}
	return m.Named(path.Base(link))
}

// Named describes the disk with this kernel's name.
func (m *Machine) Named(name string) (plan.Disk, error) {
	if m.isPartition(name) {
		whole := path.Base(path.Dir(m.devicePath(name)))
		return plan.Disk{}, fmt.Errorf("%s: %w: it is a partition; name the disk, /dev/%s", name, ErrNoDisk, whole)
	}
	uses, err := m.readUses()
	if err != nil {
		return plan.Disk{}, err
	}
	return m.disk(name, uses)
}

// Again describes a disk anew, which was described before.
func (m *Machine) Again(d plan.Disk) (plan.Disk, error) {
	if d.Transport == plan.File {
		return m.image(d.Name, d.SectorSize)
	}
	return m.Named(d.Name)
}
