// Package peertest is for tests: it asks other people's tools about a disk.
package peertest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/rayos/rayboot/gpt"
)

// Check lets other people's tools judge a disk that was written: sgdisk, sfdisk or fdisk,
// blkid, fsck.vfat.
func Check(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	table, defects, err := gpt.Read(f, size)
	if err != nil || len(defects) > 0 {
		return fmt.Errorf("partition table: %v, %w", defects, err)
	}
	i := slices.IndexFunc(table.Partitions, func(p gpt.Partition) bool { return p.Type == gpt.TypeESP })
	if i < 0 {
		return fmt.Errorf("%s has no ESP", name)
	}
	esp := table.Partitions[i]
	copied, err := os.CreateTemp("", "esp-")
	if err != nil {
		return err
	}
	defer os.Remove(copied.Name())
	defer copied.Close()
	if _, err := io.Copy(copied, io.NewSectionReader(f, esp.StartBytes, esp.SizeBytes)); err != nil {
		return err
	}
	tools := []struct {
		says string
		args []string
	}{
		{"", []string{"fsck.vfat", "-n", copied.Name()}},
		{`LABEL="RAYOS-ESP"`, []string{"blkid", "-p", "-O", fmt.Sprint(esp.StartBytes), "-S", fmt.Sprint(esp.SizeBytes), name}},
		{`VERSION="FAT32"`, []string{"blkid", "-p", "-O", fmt.Sprint(esp.StartBytes), "-S", fmt.Sprint(esp.SizeBytes), name}},
	}
	if table.SectorSize == 512 || strings.HasPrefix(name, "/dev/") {
		tools = append(tools, []struct {
			says string
			args []string
		}{
			{"No problems found", []string{"sgdisk", "-v", name}},
			{"No errors detected", []string{"sfdisk", "--verify", name}},
			{`PTTYPE="gpt"`, []string{"blkid", "-p", name}},
			{strings.ToLower(fmt.Sprintf(`PTUUID="%v"`, table.DiskID)), []string{"blkid", "-p", name}},
		}...)
	} else { // the others take a file's sectors to have 512 bytes
		tools = append(tools, struct {
			says string
			args []string
		}{"Disk identifier: " + strings.ToUpper(table.DiskID.String()), []string{"fdisk", "-b", fmt.Sprint(table.SectorSize), "-l", name}})
	}
	for _, tool := range tools {
		out, err := exec.Command(tool.args[0], tool.args[1:]...).CombinedOutput()
		if err != nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(tool.says)) || strings.Contains(string(out), "corrupt") {
			return fmt.Errorf("%v: %w: want %q\n%s", tool.args, err, tool.says, out)
		}
	}
	return nil
}
