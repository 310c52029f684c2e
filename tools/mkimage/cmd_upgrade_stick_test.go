package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	stick "github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
)

// TestUpgradeOfStick upgrades an install stick with sectors of 4096 bytes and a key for golden
// snapshots, twice. The runtime's installer still takes what lies on it: its digests hold, and
// what it would install is the new version, beside the one that it comes back to.
func TestUpgradeOfStick(t *testing.T) {
	key := goldenKeyFile(t, 1)
	name := installedDisk(t, "--installer", "--sector-size", "4096", "--golden-key", key)
	for _, release := range []string{"6.2.0-test", "6.3.0-test"} {
		args := append(upgradeArgs(t, name), "--yes", "disk.img")
		kernel := fakeefi.Kernel(release, 0x8664, 5<<20)
		if err := os.WriteFile(args[5], kernel, 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := rayimg(t, append(args, "--golden-key", key)...)
		if status != exitOK || !strings.Contains(stdout, "the installer, entry rayos-install, starts the new version, too") {
			t.Fatal(stdout, stderr)
		}
		checkPeers(t, name)
		installs(t, name, release)
	}
}

// installs wants a stick from which a machine installs a release.
func installs(t *testing.T, name, release string) {
	t.Helper()
	f, size, err := openDisk(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := readTable(f, size)
	if err != nil {
		t.Fatal(err)
	}
	part, _ := partitionOf(table, gpt.TypeESP)
	volume, err := fat32.Open(io.NewSectionReader(f, part.StartBytes, part.SizeBytes), part.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	kernels, _ := partitionOf(table, gpt.TypeRayOSKernel)
	d, err := stick.Stick{ESP: volume, Kernels: io.NewSectionReader(f, kernels.StartBytes, kernels.SizeBytes)}.Read(write.NewID())
	if err != nil {
		t.Fatal(err)
	}
	entries, problems := esp.Discover(volume, esp.X64)
	starts := map[string]string{}
	for _, e := range entries {
		starts[e.ID] = e.Version
	}
	if problems != nil || starts["rayos"] != release || starts["rayos-install"] != release || starts["rayos-old"] != "6.1.0-test" {
		t.Errorf("the stick starts %v, %v", starts, problems)
	}
	d.SectorSize, d.Partitions, d.Modified = 512, gpt.Layout(), stick.Storable(time.Now())
	disk := filepath.Join(t.TempDir(), "installed.img")
	out, err := os.Create(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := d.Contents()[0].Write(out); err != nil {
		t.Fatal(err)
	}
	installed, err := fat32.Open(out, gpt.Layout()[0].SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	conf, _ := esp.ReadLoaderConf(installed)
	if conf.Default != "rayos" {
		t.Errorf("what is installed boots %q", conf.Default)
	}
}
