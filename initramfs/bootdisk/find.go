package bootdisk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/gpt"
)

// sectorBytes is the unit of sizes in sysfs, whatever the disk's own sectors.
const sectorBytes = 512

// scanEvery is how often the disks are looked at while the boot disk is missing:
// USB disks appear a second or two after their driver.
const scanEvery = 200 * time.Millisecond

// cloneLooks is how often the disks are looked at once one fits on which this
// boot's attempt is not recorded: it may be a clone of a USB disk that is not
// there yet.
const cloneLooks = 15

// Device is an open disk.
type Device interface {
	io.ReaderAt
	io.Closer
}

// Finder looks at the disks of the machine.
type Finder struct {
	Block     fs.FS                                            // /sys/class/block
	Open      func(disk string) (Device, error)                // opens /dev/DISK for reading
	InstallID func(partition string) (string, error)           // reads the install ID on an ESP
	Attempted func(partition string) bool                      // reports whether this boot's attempt is recorded on an ESP; nil where none was handed over
	Sleep     func(ctx context.Context, d time.Duration) error // waits; the context's error if that ends first
}

// Find waits for the boot disk until ctx ends, and then says what was there
// instead. It ends at once where the boot disk is certain or nothing tells more,
// be there one fitting partition too many.
func (f *Finder) Find(ctx context.Context, w Wanted) (Candidate, error) {
	for fitting := 0; ; {
		candidates, looked, err := f.scan(w.PartUUID)
		if err != nil {
			return Candidate{}, fmt.Errorf("boot disk: %w", err)
		}
		chosen, err := Choose(w, candidates)
		if len(candidates) > 0 {
			fitting++
		}
		if chosen.Attempted || fitting > 0 && f.Attempted == nil || fitting == cloneLooks {
			return chosen, err
		}
		switch ended := f.Sleep(ctx, scanEvery) != nil; {
		case ended && fitting > 0:
			return chosen, err
		case ended:
			return Candidate{}, fmt.Errorf("%w; looked at: %s", err, looked)
		}
	}
}

// scan returns the ESPs with that PARTUUID, and in words what it looked at.
func (f *Finder) scan(partUUID string) (candidates []Candidate, looked string, err error) {
	disks, err := f.disks()
	if err != nil {
		return nil, "", err
	}
	var words []string
	for _, disk := range disks {
		c, err := f.candidate(disk, partUUID)
		switch {
		case errors.Is(err, gpt.ErrNoTable):
			words = append(words, disk.name+" (no GPT)")
		case err != nil:
			words = append(words, fmt.Sprintf("%s (%v)", disk.name, err))
		default:
			words = append(words, disk.name)
		}
		if c.Partition == "" {
			continue
		}
		c.InstallID, c.Problem = f.InstallID(c.Partition)
		c.Attempted = f.Attempted != nil && f.Attempted(c.Partition)
		candidates = append(candidates, c)
	}
	if len(words) == 0 {
		words = []string{"no disk at all"}
	}
	return candidates, strings.Join(words, ", "), nil
}

type disk struct {
	name      string
	sizeBytes int64
}

// disks lists whole disks with a medium, in the order of their names.
func (f *Finder) disks() ([]disk, error) {
	entries, err := fs.ReadDir(f.Block, ".")
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var disks []disk
	for _, e := range entries {
		name := e.Name()
		if slices.ContainsFunc([]string{"loop", "ram", "zram", "sr", "fd"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		if _, err := fs.Stat(f.Block, path.Join(name, "partition")); err == nil {
			continue
		}
		sectors, err := readNumber(f.Block, path.Join(name, "size"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the listing
		}
		if err != nil {
			return nil, fmt.Errorf("size of disk %s: %w", name, err)
		}
		if sectors > 0 {
			disks = append(disks, disk{name, sectors * sectorBytes})
		}
	}
	return disks, nil
}

// candidate looks for an ESP with that PARTUUID on a disk. Where there is none,
// the candidate has no partition.
func (f *Finder) candidate(d disk, partUUID string) (Candidate, error) {
	device, err := f.Open(d.name)
	if err != nil {
		return Candidate{}, err
	}
	defer device.Close()
	table, _, err := gpt.Read(device, d.sizeBytes)
	if err != nil {
		return Candidate{}, err
	}
	c := Candidate{Disk: d.name}
	for _, p := range table.Partitions {
		switch {
		case strings.EqualFold(p.ID.String(), partUUID):
			c.Partition, err = f.partitionName(d.name, p.Number)
		case p.Type == gpt.TypeRayOSKernel && c.Kernel == "":
			c.Kernel, err = f.partitionName(d.name, p.Number)
		}
		if err != nil {
			return Candidate{}, err
		}
	}
	return c, nil
}

// partitionName finds the kernel's name for a partition of a disk.
func (f *Finder) partitionName(disk string, number int) (string, error) {
	entries, err := fs.ReadDir(f.Block, disk)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		n, err := readNumber(f.Block, path.Join(disk, e.Name(), "partition"))
		if err == nil && n == int64(number) {
			return e.Name(), nil
		}
	}
	return "", fmt.Errorf("the kernel does not know partition %d", number)
}

func readNumber(fsys fs.FS, name string) (int64, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
