package fakefw

import (
	"unicode/utf16"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// ESPType is the partition type GUID of an EFI System Partition.
var ESPType = uefi.MustParseGUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")

// Partition is a partition of a disk with block I/O.
type Partition struct {
	Disk   *Disk
	Number uint32
	Info   uefi.PartitionInfo
	Handle uefi.Handle
	Path   uefi.DevicePath

	media *raw.BlockIOMedia
}

// AddPartition adds a GPT partition as the firmware would have found it; the
// contents of the disk do not matter. A GUID left out is made of the number.
func (d *Disk) AddPartition(number uint32, info uefi.PartitionInfo) *Partition {
	if info.Unique == (uefi.GUID{}) {
		info.Unique = uefi.GUID{0: byte(d.fw.disks), 15: byte(number)}
	}
	p := &Partition{Disk: d, Number: number, Info: info}
	blocks := info.EndLBA - info.StartLBA + 1
	p.Path = mustAppend(d.Path, uefi.HardDrive{
		PartitionNumber: number, StartLBA: info.StartLBA, SizeLBA: blocks,
		Signature: info.Unique, Format: 2, SignatureType: 2,
	}.Node())
	h := d.fw.newHandle()
	p.Handle = h.id
	d.fw.installPath(h, p.Path)
	p.media = d.fw.installBlockIO(h, d, info.StartLBA, blocks, true)
	d.fw.installPartitionInfo(h, info)
	return p
}

// SetReadOnly makes the partition read-only.
func (p *Partition) SetReadOnly() { p.media.ReadOnly = 1 }

func (fw *Firmware) installPartitionInfo(h *handle, info uefi.PartitionInfo) {
	entry := raw.GPTPartitionEntry{
		PartitionTypeGUID: info.Type, UniquePartitionGUID: info.Unique,
		StartingLBA: info.StartLBA, EndingLBA: info.EndLBA, Attributes: info.Attributes,
	}
	copy(entry.PartitionName[:], utf16.Encode([]rune(info.Name)))
	r := raw.PartitionInfoProtocol{Revision: 0x1000, Type: raw.PartitionTypeGPT, System: toByte(info.Type == ESPType)}
	copy(r.Info[:], raw.Encode(&entry))
	addr, _ := place(fw, r)
	h.install(uefi.PartitionInfoProtocol, addr)
}

// AddVolume attaches a disk of 512-byte blocks with an EFI System Partition that
// holds files. The first one is where the program was loaded from.
func (fw *Firmware) AddVolume(files Files) *Volume {
	const first, last, blocks = 2048, 821247, 1 << 20
	disk := fw.AddDisk(&Sparse{}, 512, blocks)
	return disk.AddPartition(1, uefi.PartitionInfo{
		Type: ESPType, StartLBA: first, EndLBA: last, Name: "EFI System",
	}).Format(files)
}
