package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// TestPeersMakeTheSameDisk proves that the comparison is one: the peers' image
// has no findings, and the same entries and slots.
func TestPeersMakeTheSameDisk(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "first.img")
	_, err := image.Build(t.Context(), image.Spec{
		SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Seed: "test", Modified: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		BootManager: fakeefi.Application("manager", 10_000),
		System: &image.System{
			Release: "6.1.0-test", Kernel: fakeefi.Application("kernel", 30_000), Initrd: fakeefi.Application("initrd", 20_000),
			Options: "quiet", SafeOptions: "safe",
		},
	}, image.Output{Path: first})
	if err != nil {
		t.Fatal(err)
	}
	c, err := extract(first, filepath.Join(dir, "input"))
	if err != nil {
		t.Fatal(err)
	}
	if c.bytes < 2*(10_000+30_000+20_000) {
		t.Errorf("payload of %d bytes", c.bytes)
	}
	peers := filepath.Join(dir, "peers.img")
	for _, args := range c.commands(peers) {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	f, err := os.Open(peers)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	findings, err := inspect.Verify(t.Context(), f, gpt.MinDiskBytes)
	if err != nil || len(findings) > 0 {
		t.Errorf("the peers' image: %v, %v", findings, err)
	}
	report, err := inspect.Read(f, gpt.MinDiskBytes)
	if err != nil || len(report.ESP.Entries) != 2 || len(report.Slots.Table.Slots) != 1 {
		t.Errorf("the peers' image: %+v, %v", report, err)
	}
}
