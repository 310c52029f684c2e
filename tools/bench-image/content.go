package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// content is what an image holds, as files for the peers.
type content struct {
	dir   string // the ESP's tree
	raw   []rawFile
	bytes int64 // payload: all files and the raw images
}

// rawFile is a part of partition 2.
type rawFile struct {
	name   string
	offset int64 // from the start of the disk
}

// extract takes an image apart.
func extract(image, dir string) (c content, err error) {
	f, err := os.Open(image)
	if err != nil {
		return c, err
	}
	defer f.Close()
	parts := gpt.Layout()
	volume, err := fat32.Open(io.NewSectionReader(f, parts[0].StartBytes, parts[0].SizeBytes), parts[0].SizeBytes)
	if err != nil {
		return c, err
	}
	c.dir = filepath.Join(dir, "esp")
	if err := os.CopyFS(c.dir, volume); err != nil {
		return c, fmt.Errorf("copy the ESP: %w", err)
	}
	err = fs.WalkDir(volume, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		c.bytes += info.Size()
		return err
	})
	if err != nil {
		return c, err
	}
	return c, c.extractRaw(f, dir, parts[1])
}

// extractRaw takes the kernel partition apart.
func (c *content) extractRaw(f io.ReaderAt, dir string, p gpt.Partition) error {
	part := io.NewSectionReader(f, p.StartBytes, p.SizeBytes)
	table, err := slots.Read(part)
	if err != nil {
		return err
	}
	slot := table.Slots[0]
	for _, r := range []struct {
		name string
		at   slots.Image
	}{
		{"kernel", slot.Kernel},
		{"initrd", slot.Initrd},
		{"table-a", slots.Image{OffsetBytes: slots.CopyAOffset, LengthBytes: slots.CopyBytes}},
		{"table-b", slots.Image{OffsetBytes: slots.CopyBOffset, LengthBytes: slots.CopyBytes}},
	} {
		b := make([]byte, r.at.LengthBytes)
		if _, err := part.ReadAt(b, r.at.OffsetBytes); err != nil {
			return err
		}
		path := filepath.Join(dir, r.name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
		c.raw = append(c.raw, rawFile{name: path, offset: p.StartBytes + r.at.OffsetBytes})
		c.bytes += r.at.LengthBytes
	}
	return nil
}

// commands is how the peers make the image.
func (c content) commands(image string) [][]string {
	sgdisk := []string{"sgdisk"}
	for _, p := range gpt.Layout() {
		sgdisk = append(sgdisk,
			fmt.Sprintf("--new=%d:%d:%d", p.Number, p.StartBytes/512, p.EndBytes()/512-1),
			fmt.Sprintf("--typecode=%d:%s", p.Number, p.Type), fmt.Sprintf("--change-name=%d:%s", p.Number, p.Name))
	}
	esp := gpt.Layout()[0]
	start := fmt.Sprint(esp.StartBytes / 512)
	list := [][]string{
		{"truncate", "-s", fmt.Sprint(int64(gpt.MinDiskBytes)), image},
		append(sgdisk, image),
		{"mkfs.vfat", "-F", "32", "-s", "8", "-n", "RAYOS-ESP", "--offset", start, "-h", start, image, fmt.Sprint(esp.SizeBytes / 1024)},
		{"mcopy", "-s", "-i", image + "@@1M", c.dir + "/EFI", c.dir + "/loader", "::"},
	}
	for _, r := range c.raw {
		list = append(list, []string{
			"dd", "status=none", "conv=notrunc", "bs=64K", "if=" + r.name, "of=" + image,
			"oflag=seek_bytes", fmt.Sprintf("seek=%d", r.offset),
		})
	}
	return append(list, []string{"sync", image})
}
