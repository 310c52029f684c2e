// Package espdisk makes disk images with nothing but an EFI System Partition, by the tools that other people use: sgdisk,
// mkfs.vfat and mcopy (Debian packages gdisk, dosfstools, mtools). The disks show how RayOS does on a foreign disk.
package espdisk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
)

// The partition starts at 1 MiB and ends 1 MiB before the end of the disk; its PARTUUID is always the same.
const (
	startMiB      = 1
	endGapMiB     = 1
	PartitionGUID = "5A1F0C9E-8B0E-4D0C-9C59-7D1D8F0E2B11"
)

// StartLBA and SectorsLBA are where the partition lies, in 512-byte sectors.
const StartLBA = startMiB << 20 / 512

// SectorsLBA returns the size of the partition of a disk of sizeMiB, in 512-byte sectors.
func SectorsLBA(sizeMiB int) int { return (sizeMiB - startMiB - endGapMiB) << 20 / 512 }

// Make makes the image at path, which must not exist. The keys of files are slash paths on the partition, the values
// paths on the host. The smallest FAT32 that mkfs.vfat makes needs a disk of 36 MiB.
func Make(ctx context.Context, imagePath string, sizeMiB int, files map[string]string) error {
	d := disk{ctx: ctx, image: imagePath, folders: map[string]bool{".": true}}
	if err := d.create(int64(sizeMiB) << 20); err != nil {
		return fmt.Errorf("make disk image: %w", err)
	}
	d.run("sgdisk", "--clear", fmt.Sprintf("--new=1:%d:+%d", StartLBA, SectorsLBA(sizeMiB)), "--typecode=1:ef00",
		"--change-name=1:EFI system partition", "--partition-guid=1:"+PartitionGUID, imagePath)
	d.run("mkfs.vfat", "-F", "32", "-n", "ESP", "--offset", fmt.Sprint(StartLBA), imagePath, fmt.Sprint(SectorsLBA(sizeMiB)/2))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d.makeFolder(path.Dir(name))
		d.run("mcopy", "-i", d.partition(), files[name], "::/"+name)
	}
	return d.err
}

// disk runs one tool after the other until one says no.
type disk struct {
	ctx     context.Context
	image   string
	folders map[string]bool // which exist
	err     error
}

func (d *disk) create(sizeBytes int64) error {
	f, err := os.OpenFile(d.image, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(sizeBytes), f.Close())
}

// partition names the partition as the mtools understand it.
func (d *disk) partition() string { return fmt.Sprintf("%s@@%dM", d.image, startMiB) }

func (d *disk) makeFolder(folder string) {
	if d.folders[folder] {
		return
	}
	d.folders[folder] = true
	d.makeFolder(path.Dir(folder))
	d.run("mmd", "-i", d.partition(), "::/"+folder)
}

func (d *disk) run(program string, args ...string) {
	if d.err != nil {
		return
	}
	cmd := exec.CommandContext(d.ctx, program, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.err = fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
}

// Extract copies a file from the first partition of an image, which starts at 1 MiB as everybody's does, to the host.
// The name is a slash path in which the last part may be a pattern that fits one file.
func Extract(ctx context.Context, imagePath, name, hostPath string) error {
	d := disk{ctx: ctx, image: imagePath}
	d.run("mcopy", "-n", "-i", d.partition(), "::/"+name, hostPath)
	return d.err
}

// Put copies a file of the host into the first partition of an image. What has the name already is replaced.
func Put(ctx context.Context, imagePath, name, hostPath string) error {
	d := disk{ctx: ctx, image: imagePath}
	d.run("mcopy", "-o", "-i", d.partition(), hostPath, "::/"+name)
	return d.err
}
