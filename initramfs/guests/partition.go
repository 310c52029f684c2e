package guests

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/system"
	"github.com/rayos/rayboot/initramfs/bootfacts"
)

// Partition is a partition of the boot disk.
type Partition struct {
	Device    string // its file in /dev, below the machine's root
	SizeBytes int64
}

const sysfsSector = 512 // bytes; the unit of sizes in sysfs, whatever the disk's own sectors

// FindPartition finds a partition of the boot disk by its number, as package gpt has them.
func FindPartition(root string, number int) (Partition, error) {
	facts, err := bootfacts.Read(root)
	if err != nil {
		return Partition{}, err
	}
	if facts.Disk == "" {
		return Partition{}, errors.New("the boot disk was not found when the machine was started")
	}
	folder := filepath.Join(root, "sys/class/block", facts.Disk)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return Partition{}, fmt.Errorf("look for partition %d: %w", number, err)
	}
	for _, e := range entries {
		n, err := readNumber(filepath.Join(folder, e.Name(), "partition"))
		if err != nil || n != int64(number) {
			continue // most files there are no partitions
		}
		sectors, err := readNumber(filepath.Join(folder, e.Name(), "size"))
		if err != nil {
			return Partition{}, fmt.Errorf("size of partition %d: %w", number, err)
		}
		return Partition{filepath.Join(root, "dev", e.Name()), sectors * sysfsSector}, nil
	}
	return Partition{}, fmt.Errorf("the boot disk %s has no partition %d", facts.Disk, number)
}

func readNumber(name string) (int64, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// ErrNoQEMU says that the boot disk has no system of guests.
var ErrNoQEMU = errors.New("this disk has no QEMU: build it with rayimg build --guests")

// System finds the partition with the QEMU of guests. It fails with [ErrNoQEMU] where there is none on it.
func System(root string) (Partition, error) {
	p, err := FindPartition(root, gpt.NumberSystem)
	if err != nil {
		return Partition{}, fmt.Errorf("%w (%w)", ErrNoQEMU, err)
	}
	f, err := os.Open(p.Device)
	if err != nil {
		return Partition{}, err
	}
	defer f.Close()
	switch _, err := system.SquashfsBytes(f); {
	case errors.Is(err, system.ErrNone):
		return Partition{}, ErrNoQEMU
	case err != nil:
		return Partition{}, fmt.Errorf("read the RayOS System partition: %w", err)
	}
	return p, nil
}

// WhyNot says why the program does not run on the machine below root.
func WhyNot(root string) error {
	if _, err := System(root); err != nil {
		return err
	}
	return fmt.Errorf("the service %s does not run: safe mode and installation sticks leave it out, and rayos.skip=%s; otherwise services start %s starts it", Service, Service, Service)
}
