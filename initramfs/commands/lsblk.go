package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// blockDir is the directory of all block devices, below the root.
const blockDir = "sys/class/block"

// sysfsSector is the unit of sizes in sysfs, whatever the disk's own sectors.
const sysfsSector = 512

// device is a disk or a partition.
type device struct {
	name       string
	sizeBytes  uint64
	readOnly   bool
	kind       string // "disk" or "part"
	partition  int
	label      string // the partition's name in the GPT, or the disk's model
	mountpoint string
}

func lsblk(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	devices, err := readDevices(e.root)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSIZE\tTYPE\tRO\tLABEL\tMOUNTED ON")
	for _, d := range devices {
		indent, ro := "", "no"
		if d.kind == "part" {
			indent = "  "
		}
		if d.readOnly {
			ro = "yes"
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t%s\n", indent, d.name, size(d.sizeBytes), d.kind, ro, d.label, d.mountpoint)
	}
	return w.Flush()
}

// readDevices lists the disks that have a medium, each followed by its
// partitions.
func readDevices(root fs.FS) ([]device, error) {
	entries, err := fs.ReadDir(root, blockDir)
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	mounts, err := readMounts(root)
	if err != nil {
		return nil, err
	}
	var all []device
	for _, entry := range entries {
		dir := path.Join(blockDir, entry.Name())
		if exists(root, path.Join(dir, "partition")) {
			continue // listed with its disk
		}
		disk, err := readDevice(root, dir, mounts)
		if errors.Is(err, fs.ErrNotExist) || err == nil && disk.sizeBytes == 0 {
			continue // gone, or no medium in it
		}
		if err != nil {
			return nil, err
		}
		partitions, err := readPartitions(root, dir, mounts)
		if err != nil {
			return nil, err
		}
		all = append(append(all, disk), partitions...)
	}
	return all, nil
}

func readPartitions(root fs.FS, disk string, mounts []mounted) ([]device, error) {
	entries, err := fs.ReadDir(root, disk)
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	var all []device
	for _, entry := range entries {
		dir := path.Join(disk, entry.Name())
		if !exists(root, path.Join(dir, "partition")) {
			continue
		}
		p, err := readDevice(root, dir, mounts)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b device) int { return a.partition - b.partition })
	return all, nil
}

func readDevice(root fs.FS, dir string, mounts []mounted) (device, error) {
	d := device{name: path.Base(dir), kind: "disk"}
	text, err := fs.ReadFile(root, path.Join(dir, "size"))
	if err != nil {
		return device{}, err
	}
	sectors, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 54)
	if err != nil {
		return device{}, fmt.Errorf("size of %s: %w", d.name, err)
	}
	d.sizeBytes = sectors * sysfsSector
	d.readOnly = attribute(root, dir, "ro") == "1"
	d.label = attribute(root, dir, "device/model")
	if number := attribute(root, dir, "partition"); number != "" {
		d.kind = "part"
		if d.partition, err = strconv.Atoi(number); err != nil {
			return device{}, fmt.Errorf("partition %s: %w", d.name, err)
		}
		d.label = uevent(attribute(root, dir, "uevent"), "PARTNAME")
	}
	for _, m := range mounts {
		if m.source == "/dev/"+d.name {
			d.mountpoint = m.target
		}
	}
	return d, nil
}

// attribute reads a sysfs attribute; one that a device does not have is empty.
func attribute(root fs.FS, dir, name string) string {
	text, err := fs.ReadFile(root, path.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// uevent finds a KEY=VALUE line.
func uevent(text, key string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			return value
		}
	}
	return ""
}

func exists(root fs.FS, name string) bool {
	_, err := fs.Stat(root, name)
	return err == nil
}
