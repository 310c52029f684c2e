package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rayos/rayboot/gpt"
)

// peers lets other people's tools judge a disk that was written: sgdisk, sfdisk or fdisk,
// blkid, fsck.vfat.
func peers(name string) error {
	f, size, err := openDisk(name)
	if err != nil {
		return err
	}
	defer f.Close()
	table, defects, err := gpt.Read(f, size)
	if err != nil || len(defects) > 0 {
		return fmt.Errorf("partition table: %v, %w", defects, err)
	}
	esp, ok := partitionOf(table, gpt.TypeESP)
	if !ok {
		return fmt.Errorf("%s has no ESP", name)
	}
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

// checkPeers is peers for a test.
func checkPeers(t *testing.T, name string) {
	t.Helper()
	if err := peers(name); err != nil {
		t.Error(err)
	}
}

// peersCmd DISK... is peers for a script.
func peersCmd(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(peers(ts.MkAbs(name)))
	}
}

// TestPeersSeeDamage shows that the other tools see what they are there for.
func TestPeersSeeDamage(t *testing.T) {
	for _, sector := range []string{"512", "4096"} {
		name := installedDisk(t, "--sector-size", sector)
		checkPeers(t, name)
		table := tableOf(t, name)
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte{1}, gpt.MiB+32*int64(table.SectorSize)+2000); err != nil { // of a FAT
			t.Fatal(err)
		}
		if peers(name) == nil {
			t.Errorf("sectors of %s bytes: a damaged FAT passes", sector)
		}
	}
}
