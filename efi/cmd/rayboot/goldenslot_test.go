package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// TestGoldenInASlot has a snapshot whose parts lie in a kernel slot that no table
// names any more: whole, with a flipped byte, and without the partition.
func TestGoldenInASlot(t *testing.T) {
	const start = 821248 // LBA of the RayOS Kernel partition
	image, initrd := []byte(kernel("in a slot")), "initrd in a slot"
	s := golden.Snapshot{
		Sequence: 1, State: golden.Stable, Title: "kept", Options: "root=slot",
		Kernel: golden.NewPart(image), Initrd: golden.NewPart([]byte(initrd)),
	}
	s.Kernel.Slot, s.Kernel.OffsetBytes = 2, slots.ImageOffset
	s.Initrd.Slot, s.Initrd.OffsetBytes = 2, slots.ImageOffset+4096
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, says    string
		flip, missing bool
	}{
		{"whole", "[RAYOS_BOOTMGR:RECOVERY_FALLBACK]", false, false},
		{"written anew", `reason="verify initrd of the snapshot: SHA-256 is`, true, false},
		{"no partition", `reason="kernel of the snapshot lies in kernel slot 2, and there is no RayOS Kernel partition"`, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := rayosFiles(t)
			delete(files, "linux-a")
			delete(files, "linux-b")
			files[golden.Dir+"/"+s.Name()] = string(manifest[:])
			fw := fakefw.New()
			defer fw.Close()
			disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<24)
			disk.AddPartition(1, uefi.PartitionInfo{Type: fakefw.ESPType, StartLBA: 2048, EndLBA: start - 1}).Format(files)
			if !c.missing {
				disk.AddPartition(2, uefi.PartitionInfo{Type: uefi.GUID(gpt.TypeRayOSKernel), StartLBA: start, EndLBA: start + 8<<20 - 1})
			}
			content := initrd
			if c.flip {
				content = strings.ToUpper(initrd)
			}
			for at, data := range map[int64]string{s.Kernel.OffsetBytes: string(image), s.Initrd.OffsetBytes: content} {
				if _, err := disk.Medium.WriteAt([]byte(data), start*512+at); err != nil {
					t.Fatal(err)
				}
			}
			end := boot(fw)
			started := end.How == fakefw.Booted && string(end.Image.Source) == string(image) && string(end.Image.Initrd) == initrd && end.Image.CommandLine == "root=slot"
			if started != (c.name == "whole") || !strings.Contains(fw.Transcript(), c.says) {
				t.Fatalf("%v, want %q\n%s", end, c.says, fw.Transcript())
			}
			if !started {
				return
			}
			text, _, err := fw.System().GetVariable("RayosBooted", rayosVendor)
			if err != nil {
				t.Fatal(err)
			}
			if booted, err := golden.ParseBooted(uefi.DecodeUTF16(text)); err != nil || booted.Kernel.Slot != 2 || fmt.Sprint(booted.Kernel.Paths) != "[]" {
				t.Errorf("told is %+v, %v", booted, err)
			}
		})
	}
}
