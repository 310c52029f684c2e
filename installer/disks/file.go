package disks

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/installer/plan"
)

// image describes a regular file that stands in for a disk. Its name is its serial.
func (m *Machine) image(name string, sectorSize int) (plan.Disk, error) {
	full, err := filepath.Abs(name)
	if err != nil {
		return plan.Disk{}, fmt.Errorf("find disk: %w", err)
	}
	if full, err = filepath.EvalSymlinks(full); err != nil {
		return plan.Disk{}, fmt.Errorf("find disk: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Stat(full, &st); err != nil {
		return plan.Disk{}, fmt.Errorf("find disk %s: %w", name, err)
	}
	d := plan.Disk{
		Identity: plan.Identity{
			Name: name, Model: "disk image", Serial: filepath.Base(name), WWID: fmt.Sprintf("file %d:%d", st.Dev, st.Ino),
			SizeBytes: st.Size, SectorSize: sectorSize,
		},
		Path: full, Transport: plan.File, PhysicalSectorSize: sectorSize,
		ReadOnly: unix.Access(full, unix.W_OK) != nil,
	}
	if d.Uses, err = m.loops(full); err != nil {
		return plan.Disk{}, err
	}
	m.look(&d)
	return d, nil
}

// loops lists the loop devices that a file is attached to.
func (m *Machine) loops(file string) ([]plan.Use, error) {
	backing, err := fs.Glob(m.Root, path.Join(blockDir, "loop*", "loop", "backing_file"))
	if err != nil {
		return nil, fmt.Errorf("find loop devices: %w", err)
	}
	var list []plan.Use
	for _, b := range backing {
		text, err := fs.ReadFile(m.Root, b)
		if err == nil && strings.TrimSuffix(string(text), "\n") == file {
			list = append(list, plan.Use{Device: filepath.Base(file), By: "is attached to " + path.Base(path.Dir(path.Dir(b)))})
		}
	}
	return list, nil
}
