package uefi

import (
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// PartitionInfo is a GPT partition as the firmware found it
// (EFI_PARTITION_INFO_PROTOCOL, UEFI 2.10 §13.18).
type PartitionInfo struct {
	Type       GUID // partition type GUID
	Unique     GUID // unique partition GUID, Linux's PARTUUID
	StartLBA   uint64
	EndLBA     uint64 // inclusive
	Attributes uint64
	Name       string
	SystemESP  bool // the firmware takes it for an EFI System Partition
}

// PartitionInfo describes the partition of a device. A device that is no GPT
// partition, or firmware older than UEFI 2.7, is ErrUnsupported.
func (s *System) PartitionInfo(dev Handle) (PartitionInfo, error) {
	addr, err := s.protocol(dev, PartitionInfoProtocol)
	if err != nil {
		return PartitionInfo{}, fmt.Errorf("get partition information of handle %#x: %w", uintptr(dev), err)
	}
	r := raw.At[raw.PartitionInfoProtocol](addr)
	if r.Type != raw.PartitionTypeGPT {
		return PartitionInfo{}, fmt.Errorf("get partition information of handle %#x: no GPT partition: %w", uintptr(dev), ErrUnsupported)
	}
	e, _ := raw.Decode[raw.GPTPartitionEntry](r.Info[:])
	return PartitionInfo{
		Type: e.PartitionTypeGUID, Unique: e.UniquePartitionGUID, StartLBA: e.StartingLBA, EndLBA: e.EndingLBA,
		Attributes: e.Attributes, Name: decodeUCS2(e.PartitionName[:]), SystemESP: r.System != 0,
	}, nil
}
