// Package showing runs the Linux guest of a disk under QEMU on a host, with its screen
// taken out of QEMU by this process: into pictures, or onto the host's own screen.
package showing

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/settings"
)

// ErrNoGuest says that a disk has no Linux guest.
var ErrNoGuest = errors.New("there is no Linux guest on it; build one with rayimg build --linux-guest")

// maxBootBytes bounds the kernel and the initrd, which are copied.
const maxBootBytes = 1 << 30

// Guest is the Linux guest of a disk.
type Guest struct {
	Config  guest.Config
	Machine guest.Machine // what there is for it: disk, kernel and initrd
}

// Open finds the guest of a disk, which is an image or a block device, with the settings that
// the disk has for it. Kernel and initrd are copied into a folder.
func Open(disk *os.File, sizeBytes int64, folder string) (*Guest, error) {
	table, _, err := gpt.Read(disk, sizeBytes)
	if err != nil {
		return nil, err
	}
	p, ok := find(table, gpt.TypeLinuxData)
	if !ok {
		return nil, ErrNoGuest
	}
	e, err := ext4.Open(io.NewSectionReader(disk, p.StartBytes, p.SizeBytes), p.SizeBytes)
	if errors.Is(err, ext4.ErrNone) {
		return nil, fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, ErrNoGuest)
	}
	if err != nil {
		return nil, fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
	}
	if err := ext4.Bootable(e); err != nil {
		return nil, fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
	}
	path, err := filepath.Abs(disk.Name())
	if err != nil {
		return nil, err
	}
	g := &Guest{Machine: guest.Machine{
		Disk: path, DiskOffsetBytes: p.StartBytes, DiskSizeBytes: p.SizeBytes,
		Kernel: filepath.Join(folder, ext4.KernelPath), Initrd: filepath.Join(folder, ext4.InitrdPath),
	}}
	for name, to := range map[string]string{ext4.KernelPath: g.Machine.Kernel, ext4.InitrdPath: g.Machine.Initrd} {
		if err := copyOut(e, name, to); err != nil {
			return nil, err
		}
	}
	all, err := readSettings(disk, table)
	g.Config = all[guest.Linux]
	return g, err
}

// copyOut copies a file of the guest. Its size is bounded, as a file may be as long as it
// says and have nothing in it.
func copyOut(e *ext4.FS, name, to string) error {
	r, err := e.Open(name)
	if err != nil {
		return err
	}
	if r.Size() > maxBootBytes {
		return fmt.Errorf("the guest's %s has %d bytes, at most %d are possible", name, r.Size(), maxBootBytes)
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("copy the guest's %s: %w", name, err)
	}
	return nil
}

// readSettings reads what guests are to be like from the disk's ESP.
func readSettings(disk io.ReaderAt, table gpt.Table) (settings.Settings, error) {
	p, ok := find(table, gpt.TypeESP)
	if !ok {
		return settings.Default(), nil
	}
	volume, err := fat32.Open(io.NewSectionReader(disk, p.StartBytes, p.SizeBytes), p.SizeBytes)
	if err != nil {
		return nil, fmt.Errorf("read the EFI System Partition: %w", err)
	}
	f, err := volume.Open(settings.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return settings.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return settings.Read(f)
}

func find(t gpt.Table, kind gpt.GUID) (gpt.Partition, bool) {
	for _, p := range t.Partitions {
		if p.Type == kind {
			return p, true
		}
	}
	return gpt.Partition{}, false
}
