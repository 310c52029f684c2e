package disks

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

// blockDir is the directory of all block devices below the root.
const blockDir = "sys/class/block"

// Device is an open disk.
type Device interface {
	io.ReaderAt
	io.Closer
}

// Machine is where disks are looked for.
type Machine struct {
	Root fs.FS                             // the machine's files, with symbolic links ([fs.ReadLinkFS])
	Dev  string                            // directory of the device files; empty: /dev
	Open func(path string) (Device, error) // opens a device file, or another one, for reading
	// Boot is the kernel's name of the disk that the machine was booted from, where the
	// caller knows it. Disks with a mounted system are recognised without.
	Boot string
}

// Host is the machine that this program runs on.
func Host() *Machine { return At("/") }

// At is a machine whose files are below a directory.
func At(root string) *Machine {
	return &Machine{
		Root: os.DirFS(root), Dev: filepath.Join(root, "dev"),
		Open: func(path string) (Device, error) { return os.Open(path) },
	}
}

// List is what was found.
type List struct {
	Disks []plan.Disk `json:"disks"`          // at most plan.MaxDisks
	More  []string    `json:"more,omitempty"` // names of the others
}

// List lists the disks with a medium in the order of their names.
func (m *Machine) List() (List, error) {
	names, err := m.names()
	if err != nil {
		return List{}, err
	}
	uses, err := m.readUses()
	if err != nil {
		return List{}, err
	}
	list := List{Disks: []plan.Disk{}}
	for _, name := range names {
		if len(list.Disks) == plan.MaxDisks {
			list.More = append(list.More, name)
			continue
		}
		d, err := m.disk(name, uses)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the listing
		}
		if err != nil {
			return List{}, err
		}
		list.Disks = append(list.Disks, d)
	}
	return list, nil
}

// virtual are block devices that are no disks of their own: what is built on disks or in
// memory, optical and floppy drives, and the areas of an eMMC that firmware lies in.
var virtual = regexp.MustCompile(`^(loop|ram|zram|sr|fd|dm-|md|nbd|drbd|zd)[0-9]|boot[0-9]+$`)

// names lists whole disks with a medium: sda before sdaa, as the kernel finds them.
func (m *Machine) names() ([]string, error) {
	entries, err := fs.ReadDir(m.Root, blockDir)
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if virtual.MatchString(name) || m.isPartition(name) || m.number(name, "hidden") != 0 || m.number(name, "size") == 0 {
			continue
		}
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(a[:min(2, len(a))], b[:min(2, len(b))]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return names, nil
}

func (m *Machine) isPartition(name string) bool {
	_, err := fs.Stat(m.Root, path.Join(blockDir, name, "partition"))
	return err == nil
}

// disk describes one block device. It fails with [fs.ErrNotExist] where it is gone.
func (m *Machine) disk(name string, uses uses) (plan.Disk, error) {
	if _, err := fs.Stat(m.Root, path.Join(blockDir, name, "size")); err != nil {
		return plan.Disk{}, fmt.Errorf("disk %s: %w", name, err)
	}
	where := m.devicePath(name)
	d := plan.Disk{
		Identity: plan.Identity{
			Name: name, ByID: m.byID(name),
			Model:      m.text(name, "device/model", "device/name"),
			Serial:     m.serial(name, where),
			WWID:       m.text(name, "wwid", "device/wwid", "device/cid"),
			Sequence:   uint64(m.number(name, "diskseq")),
			SizeBytes:  m.number(name, "size") * sysfsSector,
			SectorSize: int(m.number(name, "queue/logical_block_size")),
		},
		Path:               path.Join(cmp.Or(m.Dev, "/dev"), name),
		Vendor:             m.vendor(name),
		Transport:          m.transport(name, where),
		Removable:          m.number(name, "removable") != 0,
		ReadOnly:           m.number(name, "ro") != 0,
		PhysicalSectorSize: int(m.number(name, "queue/physical_block_size")),
		OptimalBytes:       m.number(name, "queue/optimal_io_size"),
	}
	d.Uses, d.Running = m.usesOf(name, uses)
	d.Running = d.Running || m.Boot == name
	m.look(&d)
	return d, nil
}

// look reads what lies on the disk.
func (m *Machine) look(d *plan.Disk) {
	if d.SizeBytes == 0 {
		return
	}
	device, err := m.Open(d.Path)
	if err == nil {
		d.Content, err = signature.Read(device, d.SizeBytes, d.SectorSize)
		err = errors.Join(err, device.Close())
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		d.Problem = "permission denied; run this as root"
	case err != nil:
		d.Problem = err.Error()
	}
}

// byID returns the path below /dev/disk/by-id that says most about the disk; there is none
// on a machine without udev.
func (m *Machine) byID(name string) string {
	const dir = "dev/disk/by-id"
	entries, err := fs.ReadDir(m.Root, dir)
	if err != nil {
		return ""
	}
	best := ""
	for _, e := range entries {
		target, err := fs.ReadLink(m.Root, path.Join(dir, e.Name()))
		if err != nil || path.Base(target) != name {
			continue
		}
		numeric := strings.HasPrefix(e.Name(), "wwn-") || strings.HasPrefix(e.Name(), "nvme-eui.")
		if best == "" || !numeric {
			best = "/" + path.Join(dir, e.Name())
		}
		if !numeric {
			break
		}
	}
	return best
}
