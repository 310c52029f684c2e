package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

func TestSlot(t *testing.T) {
	image, initrd := []byte(kernel("slot")), []byte("initrd of the slot")
	slot := slots.Slot{
		ID: "rayos-slot", Title: "From a slot", Options: "root=slot",
		Kernel: slots.Image{OffsetBytes: slots.ImageOffset, LengthBytes: int64(len(image)), SHA256: slots.Digest(golden.Sum(image))},
		Initrd: slots.Image{OffsetBytes: slots.ImageOffset + 4096, LengthBytes: int64(len(initrd)), SHA256: slots.Digest(golden.Sum(initrd))},
	}
	table, err := slots.Encode(slots.Table{Sequence: 1, Slots: []slots.Slot{slot}})
	if err != nil {
		t.Fatal(err)
	}
	for _, flip := range []bool{false, true} {
		fw := fakefw.New()
		disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<24)
		esp := disk.AddPartition(1, uefi.PartitionInfo{Type: fakefw.ESPType, StartLBA: 2048, EndLBA: 821247})
		files := twoEntries()
		files["loader/loader.conf"] = "timeout 0\ndefault rayos-slot\n"
		esp.Format(files)
		const start = 821248
		disk.AddPartition(2, uefi.PartitionInfo{Type: uefi.GUID(gpt.TypeRayOSKernel), StartLBA: start, EndLBA: start + 8<<20 - 1})
		for at, data := range map[int64][]byte{0: table, slot.Kernel.OffsetBytes: image, slot.Initrd.OffsetBytes: initrd} {
			if _, err := disk.Medium.WriteAt(data, start*512+at); err != nil {
				t.Fatal(err)
			}
		}
		want := "slot"
		if flip {
			if _, err := disk.Medium.WriteAt([]byte{initrd[3] ^ 1}, start*512+slot.Initrd.OffsetBytes+3); err != nil {
				t.Fatal(err)
			}
			want = "a"
		}
		end := boot(fw)
		if end.How != fakefw.Booted || string(end.Image.Source) != kernel(want) {
			t.Errorf("flipped %v: %v\n%s", flip, end.How, fw.Transcript())
		}
		if !flip && (end.Image.CommandLine != "root=slot" || !bytes.Equal(end.Image.Initrd, initrd)) {
			t.Errorf("command line %q, initrd %q", end.Image.CommandLine, end.Image.Initrd)
		}
		if flip && !strings.Contains(fw.Transcript(), "stage=verify") {
			t.Errorf("a flipped byte goes unnoticed:\n%s", fw.Transcript())
		}
		fw.Close()
	}
}

func TestSeveralInitrdsAreJoined(t *testing.T) {
	files := twoEntries()
	files["loader/entries/a.conf"] = "linux /linux-a\ninitrd /initrd-a\ninitrd /second\n"
	files["second"] = "2"
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(files)
	if end := boot(fw); end.How != fakefw.Booted || string(end.Image.Initrd) != "initrd of a\x002\x00\x00\x00" {
		t.Fatalf("%v\n%s", end, fw.Transcript())
	}
}
