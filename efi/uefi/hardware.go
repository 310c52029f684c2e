package uefi

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Hardware reaches registers of the machine: PCI configuration space, ports and
// memory, and the ACPI tables that say where some of them are. Nobody keeps a
// driver of the firmware from using the same ones.
//
// A function of a PCI device is named by its segment (16 bits), bus (8), device
// (5) and function (3) in one number. Accesses are of 1, 2 or 4 bytes at multiples
// of that.
type Hardware struct {
	sys       *System
	functions map[uint32]uintptr // EFI_PCI_IO_PROTOCOL by location
	spaces    []registerSpaces   // to be tried in order
}

// registerSpaces is a protocol's way to memory and ports.
type registerSpaces struct {
	iface                                  uintptr
	memRead, memWrite, portRead, portWrite uintptr
}

// Hardware lists the PCI functions that the firmware has found and finds its way
// to memory and ports: EFI_CPU_IO2_PROTOCOL (PI 1.8, volume 2), which reaches all
// of them, or the PCI root bridges, which reach what is behind them (UEFI 2.10
// §14.2).
func (s *System) Hardware() (*Hardware, error) {
	h := &Hardware{sys: s, functions: make(map[uint32]uintptr)}
	if err := h.findFunctions(); err != nil {
		return nil, fmt.Errorf("list PCI functions: %w", err)
	}
	if err := h.findSpaces(); err != nil {
		return nil, fmt.Errorf("find a way to registers: %w", err)
	}
	return h, nil
}

func (h *Hardware) findFunctions() error {
	handles, err := h.sys.Handles(PCIIOProtocol)
	if err != nil {
		return err
	}
	for _, handle := range handles {
		iface, err := h.sys.protocol(handle, PCIIOProtocol)
		if err != nil {
			return err
		}
		location, err := h.sys.pciLocation(iface)
		if err != nil {
			return err
		}
		h.functions[location] = iface
	}
	return nil
}

// pciLocation is EFI_PCI_IO_PROTOCOL.GetLocation (UEFI 2.10 §14.4).
func (s *System) pciLocation(iface uintptr) (uint32, error) {
	var segment, bus, device, function uintptr
	status := s.call(raw.At[raw.PCIIOProtocol](iface).GetLocation, gate.Word(iface),
		gate.Pointer(&segment), gate.Pointer(&bus), gate.Pointer(&device), gate.Pointer(&function))
	if status.IsError() {
		return 0, fmt.Errorf("get location: %w", status)
	}
	if segment > 0xffff || bus > 0xff || device > 0x1f || function > 7 {
		return 0, fmt.Errorf("get location: the firmware says %x:%x:%x.%x", segment, bus, device, function)
	}
	return uint32(segment<<16 | bus<<8 | device<<3 | function), nil
}

func (h *Hardware) findSpaces() error {
	for _, protocol := range []GUID{CPUIO2Protocol, PCIRootBridgeIOProtocol} {
		handles, err := h.sys.Handles(protocol)
		if err != nil {
			return err
		}
		for _, handle := range handles {
			iface, err := h.sys.protocol(handle, protocol)
			if err != nil {
				return err
			}
			h.spaces = append(h.spaces, spacesOf(protocol, iface))
		}
		if len(handles) > 0 {
			break
		}
	}
	return nil
}

func spacesOf(protocol GUID, iface uintptr) registerSpaces {
	if protocol == CPUIO2Protocol {
		p := raw.At[raw.CPUIO2Protocol](iface)
		return registerSpaces{iface, p.MemRead, p.MemWrite, p.IoRead, p.IoWrite}
	}
	p := raw.At[raw.PCIRootBridgeIOProtocol](iface)
	return registerSpaces{iface, p.MemRead, p.MemWrite, p.IoRead, p.IoWrite}
}

// PCIFunctions lists the locations of the PCI functions, in ascending order.
func (h *Hardware) PCIFunctions() ([]uint32, error) {
	return slices.Sorted(maps.Keys(h.functions)), nil
}

// ReadConfig reads from the configuration space of a PCI function.
func (h *Hardware) ReadConfig(function uint32, offset, size int) (value uint32, err error) {
	err = h.config(function, offset, size, false, &value)
	return value, err
}

// WriteConfig writes to the configuration space of a PCI function.
func (h *Hardware) WriteConfig(function uint32, offset, size int, value uint32) error {
	return h.config(function, offset, size, true, &value)
}

// configBytes is the size of a configuration space on PCI Express.
const configBytes = 4096

// config is EFI_PCI_IO_PROTOCOL.Pci.Read and Pci.Write (UEFI 2.10 §14.4).
func (h *Hardware) config(function uint32, offset, size int, write bool, value *uint32) error {
	name := fmt.Sprintf("PCI configuration %#x of %04x:%02x:%02x.%x", offset, function>>16, function>>8&0xff, function>>3&0x1f, function&7)
	iface, ok := h.functions[function]
	if !ok {
		return accessError(write, name, ErrNotFound)
	}
	width, err := widthOf(size, uint64(offset))
	if err == nil && (offset < 0 || offset+size > configBytes) {
		err = ErrInvalidParameter
	}
	if err != nil {
		return accessError(write, name, err)
	}
	p := raw.At[raw.PCIIOProtocol](iface)
	fn := p.PciRead
	if write {
		fn = p.PciWrite
	}
	if status := h.sys.call(fn, gate.Word(iface), gate.Word(width), gate.Word(offset), gate.Word(1), gate.Pointer(value)); status.IsError() {
		return accessError(write, name, status)
	}
	return nil
}

// ReadPort reads from a port.
func (h *Hardware) ReadPort(port uint16, size int) (value uint32, err error) {
	err = h.access(fmt.Sprintf("port %#x", port), registerSpaces.portReader, false, uint64(port), size, &value)
	return value, err
}

// WritePort writes to a port.
func (h *Hardware) WritePort(port uint16, size int, value uint32) error {
	return h.access(fmt.Sprintf("port %#x", port), registerSpaces.portWriter, true, uint64(port), size, &value)
}

// ReadMemory reads from a register in memory.
func (h *Hardware) ReadMemory(address uint64, size int) (value uint32, err error) {
	err = h.access(fmt.Sprintf("memory %#x", address), registerSpaces.memoryReader, false, address, size, &value)
	return value, err
}

// WriteMemory writes to a register in memory.
func (h *Hardware) WriteMemory(address uint64, size int, value uint32) error {
	return h.access(fmt.Sprintf("memory %#x", address), registerSpaces.memoryWriter, true, address, size, &value)
}

func (r registerSpaces) portReader() uintptr   { return r.portRead }
func (r registerSpaces) portWriter() uintptr   { return r.portWrite }
func (r registerSpaces) memoryReader() uintptr { return r.memRead }
func (r registerSpaces) memoryWriter() uintptr { return r.memWrite }

// access tries each way to the register until one leads there.
func (h *Hardware) access(name string, function func(registerSpaces) uintptr, write bool, address uint64, size int, value *uint32) error {
	width, err := widthOf(size, address)
	if err != nil {
		return accessError(write, name, err)
	}
	err = ErrUnsupported
	for _, r := range h.spaces {
		status := h.sys.call(function(r), gate.Word(r.iface), gate.Word(width), gate.Word(address), gate.Word(1), gate.Pointer(value))
		if !status.IsError() {
			return nil
		}
		err = status
	}
	return accessError(write, name, err)
}

// widthOf is the firmware's word for a size; both protocols use the same.
func widthOf(size int, address uint64) (uintptr, error) {
	width, ok := map[int]uintptr{1: raw.WidthUint8, 2: raw.WidthUint16, 4: raw.WidthUint32}[size]
	if !ok || address%uint64(size) != 0 {
		return 0, fmt.Errorf("%d bytes at %#x: %w", size, address, ErrInvalidParameter)
	}
	return width, nil
}

func accessError(write bool, name string, err error) error {
	if write {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return fmt.Errorf("read %s: %w", name, err)
}
