package fakefw

import (
	"encoding/binary"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Hardware is what answers accesses to registers, such as a Machine of package
// watchdogtest. A function is a PCI location as uefi.Hardware has it.
type Hardware interface {
	PCIFunctions() ([]uint32, error)
	ReadConfig(function uint32, offset, size int) (uint32, error)
	WriteConfig(function uint32, offset, size int, value uint32) error
	ReadPort(port uint16, size int) (uint32, error)
	WritePort(port uint16, size int, value uint32) error
	ReadMemory(address uint64, size int) (uint32, error)
	WriteMemory(address uint64, size int, value uint32) error
}

// AddHardware makes the machine have registers: a protocol for each PCI function
// that is there now, and one for ports and memory.
func (fw *Firmware) AddHardware(h Hardware) {
	functions, err := h.PCIFunctions()
	if err != nil {
		panic("fakefw: " + err.Error())
	}
	for _, f := range functions {
		fw.addFunction(h, f)
	}
	addr, _ := place(fw, fw.registers("CPUIO", h, 0, ^uint64(0)))
	fw.newHandle().install(uefi.CPUIO2Protocol, addr)
}

// AddRootBridge gives the ports and the memory of the hardware, this from first
// to last, to a PCI root bridge.
func (fw *Firmware) AddRootBridge(h Hardware, first, last uint64) {
	r := fw.registers("RootBridge", h, first, last)
	addr, _ := place(fw, raw.PCIRootBridgeIOProtocol{
		MemRead: r.MemRead, MemWrite: r.MemWrite, IoRead: r.IoRead, IoWrite: r.IoWrite,
	})
	fw.newHandle().install(uefi.PCIRootBridgeIOProtocol, addr)
}

// registers are the functions for ports and memory, this from first to last.
func (fw *Firmware) registers(name string, h Hardware, first, last uint64) raw.CPUIO2Protocol {
	within := func(access accessFunc) accessFunc {
		return func(address uint64, size int, value *uint32) error {
			if address < first || address > last {
				return uefi.ErrInvalidParameter
			}
			return access(address, size, value)
		}
	}
	readPort := func(address uint64, size int) (uint32, error) { return h.ReadPort(uint16(address), size) }
	writePort := func(address uint64, size int, value uint32) error {
		return h.WritePort(uint16(address), size, value)
	}
	return raw.CPUIO2Protocol{
		MemRead:  fw.registerAccess(name+".MemRead", within(read(h.ReadMemory))),
		MemWrite: fw.registerAccess(name+".MemWrite", within(write(h.WriteMemory))),
		IoRead:   fw.registerAccess(name+".IoRead", read(readPort)),
		IoWrite:  fw.registerAccess(name+".IoWrite", write(writePort)),
	}
}

// addFunction installs the protocol of a PCI function.
func (fw *Firmware) addFunction(h Hardware, location uint32) {
	addr, _ := place(fw, raw.PCIIOProtocol{
		PciRead: fw.registerAccess("PCIIO.PciRead", read(func(offset uint64, size int) (uint32, error) {
			return h.ReadConfig(location, int(offset), size)
		})),
		PciWrite: fw.registerAccess("PCIIO.PciWrite", write(func(offset uint64, size int, value uint32) error {
			return h.WriteConfig(location, int(offset), size, value)
		})),
		GetLocation: fw.register("PCIIO.GetLocation", func(args []uintptr) uefi.Status {
			for i, n := range []uint32{location >> 16, location >> 8 & 0xff, location >> 3 & 0x1f, location & 7} {
				*raw.At[uintptr](args[1+i]) = uintptr(n)
			}
			return uefi.Success
		}),
	})
	fw.newHandle().install(uefi.PCIIOProtocol, addr)
}

// accessFunc reads or writes a register.
type accessFunc func(address uint64, size int, value *uint32) error

func read(f func(address uint64, size int) (uint32, error)) accessFunc {
	return func(address uint64, size int, value *uint32) (err error) {
		*value, err = f(address, size)
		return err
	}
}

func write(f func(address uint64, size int, value uint32) error) accessFunc {
	return func(address uint64, size int, value *uint32) error { return f(address, size, *value) }
}

// registerAccess makes a function for one access of a width to an address, as the
// protocols share it. Only the bytes of the access are read and written.
func (fw *Firmware) registerAccess(name string, access accessFunc) uintptr {
	return fw.register(name, func(args []uintptr) uefi.Status {
		if args[1] > raw.WidthUint32 || args[3] != 1 || args[2]>>args[1]<<args[1] != args[2] {
			return uefi.ErrInvalidParameter
		}
		size := 1 << args[1]
		buffer := raw.Bytes(args[4], size)
		var wide [4]byte
		copy(wide[:], buffer)
		value := binary.LittleEndian.Uint32(wide[:])
		if err := access(uint64(args[2]), size, &value); err != nil {
			return uefi.ErrDeviceError
		}
		binary.LittleEndian.PutUint32(wide[:], value)
		copy(buffer, wide[:])
		return uefi.Success
	})
}

// acpiReclaim is EfiACPIReclaimMemory.
const acpiReclaim = 9

// SetACPITables gives the machine ACPI tables, each with its header.
func (fw *Firmware) SetACPITables(tables ...[]byte) {
	root := make([]byte, 36, 36+8*len(tables))
	copy(root, "XSDT")
	for _, t := range tables {
		root = binary.LittleEndian.AppendUint64(root, uint64(fw.placeBytes(t)))
	}
	binary.LittleEndian.PutUint32(root[4:], uint32(len(root)))
	root[9] = -sum(root)
	pointer := make([]byte, 36)
	copy(pointer, "RSD PTR ")
	pointer[15] = 2
	binary.LittleEndian.PutUint32(pointer[20:], uint32(len(pointer)))
	binary.LittleEndian.PutUint64(pointer[24:], uint64(fw.placeBytes(root)))
	pointer[8] = -sum(pointer[:20])
	pointer[32] = -sum(pointer)
	addr, _ := place(fw, raw.ConfigurationTable{VendorGUID: uefi.ACPITableGUID, VendorTable: fw.placeBytes(pointer)})
	fw.table.NumberOfTableEntries, fw.table.ConfigurationTable = 1, addr
	fw.tablesHere = true
}

func sum(b []byte) (s uint8) {
	for _, c := range b {
		s += c
	}
	return s
}
