package fakefw

import (
	"fmt"
	"maps"
	"slices"
	"syscall"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// ownBytes is the room for the firmware's own tables and protocols.
const ownBytes = 1 << 20

// limitBytes is the memory of the machine that programs can allocate.
const limitBytes = 2 << 30

// memory is what the firmware hands out. Each allocation is a mapping of its own
// outside the Go heap, gone when freed: a use after that is a fault.
type memory struct {
	own     []byte
	used    int
	program []byte // the image of the program; nil if it has none
	pages   map[uintptr][]byte
	pool    map[uintptr][]byte
	total   int
}

func (m *memory) init() {
	m.own = mapMemory(ownBytes)
	m.pages, m.pool = make(map[uintptr][]byte), make(map[uintptr][]byte)
}

func (m *memory) close() {
	unmap(m.own)
	m.unloadProgram()
	for _, b := range m.pages {
		unmap(b)
	}
	for _, b := range m.pool {
		unmap(b)
	}
	*m = memory{}
}

// loadProgram makes room for the image of the program, in place of another.
func (m *memory) loadProgram(size int) []byte {
	m.unloadProgram()
	m.program = mapMemory(size)
	return m.program
}

func (m *memory) unloadProgram() {
	if m.program != nil {
		unmap(m.program)
	}
}

func mapMemory(size int) []byte {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Sprintf("fakefw: map %d bytes: %v", size, err))
	}
	return b
}

func unmap(b []byte) {
	if err := syscall.Munmap(b); err != nil {
		panic(fmt.Sprintf("fakefw: unmap %d bytes: %v", len(b), err))
	}
}

// allocate makes a zeroed allocation of whole pages.
func (m *memory) allocate(kind map[uintptr][]byte, size int) (uintptr, bool) {
	size = (max(size, 1) + raw.PageSize - 1) / raw.PageSize * raw.PageSize
	if m.total+size > limitBytes {
		return 0, false
	}
	b := mapMemory(size)
	m.total += size
	kind[raw.Address(b)] = b
	return raw.Address(b), true
}

func (m *memory) free(kind map[uintptr][]byte, addr uintptr) uefi.Status {
	b, ok := kind[addr]
	if !ok {
		return uefi.ErrNotFound
	}
	delete(kind, addr)
	m.total -= len(b)
	unmap(b)
	return uefi.Success
}

// within reports whether the range lies in one allocation.
func within(kind map[uintptr][]byte, addr, size uintptr) bool {
	for start, b := range kind {
		if addr >= start && addr+size >= addr && addr+size <= start+uintptr(len(b)) {
			return true
		}
	}
	return false
}

// place puts a T into the firmware's own memory.
func place[T any](fw *Firmware, v T) (uintptr, *T) {
	size := int(raw.SizeOf[T]()+15) &^ 15
	if fw.memory.used+size > len(fw.memory.own) {
		panic("fakefw: the firmware's own memory is full")
	}
	addr := raw.Address(fw.memory.own[fw.memory.used:])
	fw.memory.used += size
	p := raw.At[T](addr)
	*p = v
	return addr, p
}

// deviceMemory is memory that a device transfers from or to. That must be pages;
// anything else works on no real machine.
func (fw *Firmware) deviceMemory(what string, addr, size uintptr) []byte {
	if size != 0 && !within(fw.memory.pages, addr, size) {
		panic(fmt.Sprintf("fakefw: %s: %d bytes at %#x are not in allocated pages", what, size, addr))
	}
	return raw.Bytes(addr, int(size))
}

func (fw *Firmware) allocatePages(args []uintptr) uefi.Status {
	how, kind, count, result := args[0], args[1], args[2], raw.At[uint64](args[3])
	if how != raw.AllocateAnyPages || kind != raw.LoaderData {
		return uefi.ErrInvalidParameter
	}
	if count > limitBytes/raw.PageSize {
		return uefi.ErrOutOfResources
	}
	addr, ok := fw.memory.allocate(fw.memory.pages, int(count)*raw.PageSize)
	if !ok {
		return uefi.ErrOutOfResources
	}
	b := fw.memory.pages[addr]
	for i := range min(len(b), raw.PageSize) {
		b[i] = 0xaf // contents are undefined: do not let anyone rely on zeros
	}
	*result = uint64(addr)
	return uefi.Success
}

func (fw *Firmware) freePages(args []uintptr) uefi.Status {
	if b, ok := fw.memory.pages[args[0]]; ok && uintptr(len(b)) != args[1]*raw.PageSize {
		return uefi.ErrInvalidParameter
	}
	return fw.memory.free(fw.memory.pages, args[0])
}

// newPool copies b into a pool allocation, which the caller of the firmware frees.
func (fw *Firmware) newPool(b []byte) uintptr {
	addr, ok := fw.memory.allocate(fw.memory.pool, len(b))
	if !ok {
		panic("fakefw: no memory for the pool")
	}
	copy(fw.memory.pool[addr], b)
	return addr
}

func (fw *Firmware) freePool(args []uintptr) uefi.Status {
	if status := fw.memory.free(fw.memory.pool, args[0]); status != uefi.Success {
		return uefi.ErrInvalidParameter
	}
	return uefi.Success
}

// descriptorStride is larger than the descriptor, as on real firmware.
const descriptorStride = 48

func (fw *Firmware) getMemoryMap(args []uintptr) uefi.Status {
	size, buffer := raw.At[uintptr](args[0]), args[1]
	*raw.At[uintptr](args[3]), *raw.At[uint32](args[4]) = descriptorStride, 1
	descriptors := []raw.MemoryDescriptor{
		{Type: uint32(uefi.ConventionalMemory), PhysicalStart: 0x100000, NumberOfPages: limitBytes / raw.PageSize},
	}
	for _, addr := range slices.Sorted(maps.Keys(fw.memory.pages)) {
		descriptors = append(descriptors, raw.MemoryDescriptor{
			Type: raw.LoaderData, PhysicalStart: uint64(addr), NumberOfPages: uint64(len(fw.memory.pages[addr]) / raw.PageSize),
		})
	}
	if fw.tablesHere {
		descriptors = append(descriptors, raw.MemoryDescriptor{
			Type: acpiReclaim, PhysicalStart: uint64(raw.Address(fw.memory.own)), NumberOfPages: ownBytes / raw.PageSize,
		})
	}
	room := *size
	*size = uintptr(len(descriptors) * descriptorStride)
	if room < *size {
		return uefi.ErrBufferTooSmall
	}
	*raw.At[uintptr](args[2]) = uintptr(len(fw.calls)) // map key
	for i := range descriptors {
		copy(raw.Bytes(buffer+uintptr(i*descriptorStride), descriptorStride), raw.Encode(&descriptors[i]))
	}
	return uefi.Success
}
