package uefi

import (
	"errors"
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// MemoryType is EFI_MEMORY_TYPE (UEFI 2.10 §7.2.1).
type MemoryType uint32

var memoryTypes = [...]string{
	"Reserved", "LoaderCode", "LoaderData", "BootServicesCode", "BootServicesData", "RuntimeServicesCode",
	"RuntimeServicesData", "Conventional", "Unusable", "ACPIReclaim", "ACPINVS", "MMIO", "MMIOPortSpace", "PALCode",
	"Persistent", "Unaccepted",
}

// String is the specification's name without "Efi" and "Memory".
func (t MemoryType) String() string {
	if int64(t) < int64(len(memoryTypes)) {
		return memoryTypes[t]
	}
	return fmt.Sprintf("MemoryType(%#x)", uint32(t))
}

// ConventionalMemory is free memory.
const ConventionalMemory MemoryType = 7

// MemoryDescriptor is one range of the memory map.
type MemoryDescriptor struct {
	Type      MemoryType
	Start     uint64 // physical address
	Pages     uint64 // of 4096 bytes each
	Attribute uint64 // EFI_MEMORY_* bits (UEFI 2.10 §7.2.3)
}

// maxMemoryMapBytes bounds the map that the firmware may claim to have: some
// 2,700 ranges, and what goefi lets the firmware write to new Go memory.
const maxMemoryMapBytes = 128 << 10

// MemoryMap is the map of physical memory as it is now (UEFI 2.10 §7.2.3).
func (s *System) MemoryMap() ([]MemoryDescriptor, error) {
	// The map may grow between two calls, by the first one itself for instance.
	for size := uintptr(16 << 10); size <= maxMemoryMapBytes; size *= 2 {
		buffer := make([]byte, size)
		var key, stride uintptr
		var version uint32
		used := size
		status := s.call(s.boot().GetMemoryMap, gate.Pointer(&used), gate.Slice(buffer),
			gate.Pointer(&key), gate.Pointer(&stride), gate.Pointer(&version))
		if status == ErrBufferTooSmall {
			continue
		}
		if err := status.Err(); err != nil {
			return nil, fmt.Errorf("get memory map: %w", err)
		}
		if used > size {
			return nil, fmt.Errorf("get memory map: the firmware claims %d bytes in a buffer of %d", used, size)
		}
		m, err := decodeMemoryMap(buffer[:used], stride)
		if err != nil {
			return nil, fmt.Errorf("get memory map: %w", err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("get memory map: it takes more than %d bytes", maxMemoryMapBytes)
}

// decodeMemoryMap decodes descriptors that lie stride bytes apart, which is how
// the firmware may extend them.
func decodeMemoryMap(b []byte, stride uintptr) ([]MemoryDescriptor, error) {
	if stride < raw.SizeOf[raw.MemoryDescriptor]() || stride > 4096 {
		return nil, fmt.Errorf("descriptor size %d is not within %d to 4096", stride, raw.SizeOf[raw.MemoryDescriptor]())
	}
	if uintptr(len(b))%stride != 0 {
		return nil, errors.New("map is not a whole number of descriptors")
	}
	out := make([]MemoryDescriptor, 0, uintptr(len(b))/stride)
	for ; len(b) > 0; b = b[stride:] {
		d, _ := raw.Decode[raw.MemoryDescriptor](b)
		out = append(out, MemoryDescriptor{MemoryType(d.Type), d.PhysicalStart, d.NumberOfPages, d.Attribute})
	}
	return out, nil
}
