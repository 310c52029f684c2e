package uefi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Bounds of what the firmware may claim.
const (
	maxConfigurationTables = 1024
	maxACPITables          = 1024
	maxACPITableBytes      = 1 << 20
)

// ACPITable is the first ACPI table with a signature, header included, as a copy
// whose checksum is right; nil if there is none (ACPI 6.5 §5.2). What lies outside
// of memory that the firmware keeps for such tables is not looked at.
func (h *Hardware) ACPITable(signature string) ([]byte, error) {
	rsdp, err := h.sys.rsdp()
	if err != nil || rsdp == 0 {
		return nil, err
	}
	memory, err := h.sys.MemoryMap()
	if err != nil {
		return nil, fmt.Errorf("find ACPI table %s: %w", signature, err)
	}
	table, err := findACPITable(acpiMemory(memory).read, uint64(rsdp), signature)
	if err != nil {
		return nil, fmt.Errorf("find ACPI table %s: %w", signature, err)
	}
	return table, nil
}

// rsdp is the address of the root system description pointer, 0 if the machine
// has none; that of ACPI 2.0 and later goes before that of 1.0.
func (s *System) rsdp() (uintptr, error) {
	count, address := s.table.NumberOfTableEntries, s.table.ConfigurationTable
	if count > maxConfigurationTables || count > 0 && address == 0 {
		return 0, fmt.Errorf("look for ACPI: the firmware claims %d configuration tables at %#x", count, address)
	}
	tables := raw.Slice[raw.ConfigurationTable](address, int(count))
	for _, guid := range []GUID{ACPITableGUID, ACPI10TableGUID} {
		i := slices.IndexFunc(tables, func(t raw.ConfigurationTable) bool { return GUID(t.VendorGUID) == guid })
		if i >= 0 {
			return tables[i].VendorTable, nil
		}
	}
	return 0, nil
}

// acpiMemory is a memory map in which tables are looked for.
type acpiMemory []MemoryDescriptor

// acpiMemoryTypes are the types of memory in which firmware leaves tables:
// EfiReservedMemoryType, EfiBootServicesData, EfiRuntimeServicesData,
// EfiACPIReclaimMemory and EfiACPIMemoryNVS.
var acpiMemoryTypes = []MemoryType{0, 4, 6, 9, 10}

// read copies memory, if all of it is such memory.
func (m acpiMemory) read(address uint64, size int) ([]byte, error) {
	if end := address + uint64(size); end < address || !m.covers(address, end) {
		return nil, fmt.Errorf("%d bytes at %#x are not in memory for tables", size, address)
	}
	return append([]byte(nil), raw.Bytes(uintptr(address), size)...), nil
}

// covers reports whether ranges next to each other hold all from at up to end.
func (m acpiMemory) covers(at, end uint64) bool {
	for at < end {
		i := slices.IndexFunc(m, func(d MemoryDescriptor) bool {
			return slices.Contains(acpiMemoryTypes, d.Type) && at >= d.Start && (at-d.Start)/raw.PageSize < d.Pages
		})
		if i < 0 {
			return false
		}
		next := m[i].Start + m[i].Pages*raw.PageSize
		if next <= at {
			return false // the range ends beyond 64 bits
		}
		at = next
	}
	return true
}

// readMemory copies size bytes from an address.
type readMemory func(address uint64, size int) ([]byte, error)

// findACPITable follows the pointers from the RSDP. A table that cannot be read
// is an error only if the one looked for is not found: it might have been that.
func findACPITable(read readMemory, rsdp uint64, signature string) ([]byte, error) {
	root, err := readRoot(read, rsdp)
	if err != nil {
		return nil, err
	}
	var problems error
	for _, address := range root {
		header, err := read(address, acpiHeaderBytes)
		if err != nil {
			problems = errors.Join(problems, err)
			continue
		}
		if string(header[:4]) == signature {
			return readACPITable(read, address, signature)
		}
	}
	return nil, problems
}

const (
	// acpiHeaderBytes is the size of the header of each table: signature, length at
	// byte 4, checksum at byte 9 (ACPI 6.5 §5.2.6).
	acpiHeaderBytes = 36

	// rsdpBytes is the size of the pointer from revision 2 on.
	rsdpBytes = 36
)

// readRoot lists the addresses in the XSDT or, if there is none, in the RSDT
// (ACPI 6.5 §5.2.5.3, §5.2.7, §5.2.8).
func readRoot(read readMemory, rsdp uint64) ([]uint64, error) {
	b, err := read(rsdp, 20)
	if err != nil {
		return nil, fmt.Errorf("read RSDP: %w", err)
	}
	if string(b[:8]) != "RSD PTR " || sum(b) != 0 {
		return nil, fmt.Errorf("read RSDP: %#x is none, but %q", rsdp, b)
	}
	address, signature, width := uint64(binary.LittleEndian.Uint32(b[16:])), "RSDT", 4
	if revision := b[15]; revision >= 2 {
		if b, err = read(rsdp, rsdpBytes); err != nil {
			return nil, fmt.Errorf("read RSDP: %w", err)
		}
		if length := binary.LittleEndian.Uint32(b[20:]); length != rsdpBytes || sum(b) != 0 {
			return nil, fmt.Errorf("read RSDP: %#x is none, but %d bytes with a wrong checksum", rsdp, length)
		}
		if xsdt := binary.LittleEndian.Uint64(b[24:]); xsdt != 0 {
			address, signature, width = xsdt, "XSDT", 8
		}
	}
	table, err := readACPITable(read, address, signature)
	if err != nil {
		return nil, err
	}
	entries := table[acpiHeaderBytes:]
	if len(entries) > maxACPITables*width {
		return nil, fmt.Errorf("read %s: %d bytes of pointers", signature, len(entries))
	}
	var addresses []uint64
	for ; len(entries) >= width; entries = entries[width:] {
		var wide [8]byte
		copy(wide[:], entries[:width])
		addresses = append(addresses, binary.LittleEndian.Uint64(wide[:]))
	}
	return addresses, nil
}

// readACPITable copies a whole table and checks it.
func readACPITable(read readMemory, address uint64, signature string) ([]byte, error) {
	header, err := read(address, acpiHeaderBytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", signature, err)
	}
	length := binary.LittleEndian.Uint32(header[4:])
	if string(header[:4]) != signature || length < acpiHeaderBytes || length > maxACPITableBytes {
		return nil, fmt.Errorf("read %s: %#x is none, but %q of %d bytes", signature, address, header[:4], length)
	}
	table, err := read(address, int(length))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", signature, err)
	}
	if sum(table) != 0 {
		return nil, fmt.Errorf("read %s: wrong checksum", signature)
	}
	return table, nil
}

// sum adds all bytes up, which gives 0 for what carries a right checksum.
func sum(b []byte) (s uint8) {
	for _, c := range b {
		s += c
	}
	return s
}
