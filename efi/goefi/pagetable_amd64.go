package goefi

import (
	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// Four-level page tables (Intel SDM volume 3 §4.5). There are two top-level tables. Both have the firmware's entries and ours in
// the slots that it leaves empty. The one for Go code replaces some of the firmware's lower tables by private copies, in which
// page 0 is hidden and our image is write-protected or not executable; the one for firmware calls does not.
type pageTables struct {
	goRoot, callRoot uintptr
	firmwareSlots    [slots / 64]uint64 // a bit for each slot that the firmware uses
	noExecute        uint64             // the NX bit, if the firmware has turned the feature on

	allocate func() uintptr     // a zeroed page for a table, or 0
	flush    func(virt uintptr) // forgets the translation of an address
}

var tables = pageTables{allocate: allocateTable, flush: invalidate}

func allocateTable() uintptr { return kern.AllocatePage() }

const (
	slots      = 256 // the lower half
	tableSlots = 512
	topLevel   = 4 // levels count down to 1, the pages

	present   = 1 << 0
	writable  = 1 << 1
	large     = 1 << 7 // a block, not a table, at levels 2 and 3
	ownTable  = 1 << 9 // ours; the processor ignores it
	patLarge  = 1 << 12
	patSmall  = 1 << 7
	nx        = 1 << 63
	frameMask = 0x000ffffffffff000
)

// levelShift is the number of address bits below an entry of the level.
func levelShift(level uint) uint { return (12 + 9*(level-1)) & 63 }

// entryOf is the address of the entry for virt in a table of the level.
func entryOf(table, virt uintptr, level uint) uintptr {
	return table + virt>>levelShift(level)%tableSlots*8
}

// preparePageTables makes our tables of the firmware's.
func preparePageTables() bool {
	if !tables.copy(uintptr(firmwareState.cr3)&frameMask, firmwareState.efer&eferNXE != 0) {
		return false
	}
	goState.cr3, callState.cr3 = uint64(tables.goRoot), uint64(tables.callRoot)
	return true
}

// copy makes the two top-level tables.
func (t *pageTables) copy(root uintptr, noExecute bool) bool {
	t.goRoot, t.callRoot = t.allocate(), t.allocate()
	if t.goRoot == 0 || t.callRoot == 0 {
		return false
	}
	mem.Copy(t.goRoot, root, mem.PageSize)
	mem.Copy(t.callRoot, root, mem.PageSize)
	for slot := range uintptr(slots) {
		if mem.Load64(root+slot*8)&present != 0 {
			t.firmwareSlots[slot/64] |= 1 << (slot % 64)
		}
	}
	if noExecute {
		t.noExecute = nx
	}
	return true
}

// Slots is the lower half of the address space: Go takes no pointers from the upper one.
func (*machine) Slots() int { return slots }

// SlotFree reports whether the firmware had nothing in a slot when we were entered.
func (*machine) SlotFree(slot int) bool {
	return tables.firmwareSlots[uint(slot)/64%uint(len(tables.firmwareSlots))]>>(uint(slot)%64)&1 == 0
}

// Lookup walks our part of the tables. Where nothing is mapped the size is that of the hole's level.
func (*machine) Lookup(virt uintptr) (phys, size uintptr) { return tables.lookup(virt) }

func (t *pageTables) lookup(virt uintptr) (phys, size uintptr) {
	table := t.goRoot
	for level := uint(topLevel); ; level-- {
		entry := mem.Load64(entryOf(table, virt, level))
		size = 1 << levelShift(level)
		switch {
		case entry&present == 0:
			return 0, size
		case level == 1 || entry&large != 0:
			return uintptr(entry&frameMask) &^ (size - 1), size
		}
		table = uintptr(entry & frameMask)
	}
}

// find returns the address of the entry for virt at a level, making tables on the way; 0 without memory for them, and also if a
// block is in the way.
func (t *pageTables) find(virt uintptr, level uint) uintptr {
	table := t.goRoot
	for at := uint(topLevel); at > level; at-- {
		place := entryOf(table, virt, at)
		entry := mem.Load64(place)
		switch {
		case entry&present == 0:
			page := t.allocate()
			if page == 0 {
				return 0
			}
			entry = uint64(page) | present | writable
			mem.Store64(place, entry)
			if at == topLevel {
				mem.Store64(entryOf(t.callRoot, virt, at), entry)
			}
		case entry&large != 0:
			return 0
		}
		table = uintptr(entry & frameMask)
	}
	return entryOf(table, virt, level)
}

// MapPage and MapBlock need no flush: the processor does not cache that nothing is mapped.
func (*machine) MapPage(virt, phys uintptr) bool {
	place := tables.find(virt, 1)
	if place == 0 {
		return false
	}
	mem.Store64(place, uint64(phys)|present|writable|tables.noExecute)
	return true
}

func (*machine) MapBlock(virt, phys uintptr) bool {
	place := tables.find(virt, 2)
	if place == 0 || mem.Load64(place)&present != 0 {
		return false
	}
	mem.Store64(place, uint64(phys)|present|writable|large|tables.noExecute)
	return true
}

// Unmap keeps the table that the entry was in: it is used again, or freed when the program ends.
func (*machine) Unmap(virt uintptr) {
	level := uint(1)
	if _, size := tables.lookup(virt); size == kernel.BlockSize {
		level = 2
	}
	mem.Store64(tables.find(virt, level), 0)
	tables.flush(virt)
}

func (*machine) Split(virt uintptr) bool {
	place, table := tables.find(virt, 2), tables.allocate()
	if place == 0 || table == 0 {
		return false
	}
	split(table, mem.Load64(place), 2)
	mem.Store64(place, uint64(table)|present|writable)
	tables.flush(virt)
	return true
}

// split fills a table with what a block at the level above it maps, with the same attributes.
func split(table uintptr, block uint64, level uint) {
	step := uint64(1) << levelShift(level-1)
	first := block & frameMask &^ (step*tableSlots - 1)
	flags := block &^ (frameMask | large)
	switch {
	case level > 2:
		flags |= large | block&patLarge
	case block&patLarge != 0: // the bit's place differs for pages
		flags |= patSmall
	}
	for i := range uint64(tableSlots) {
		mem.Store64(table+uintptr(i)*8, first+i*step|flags)
	}
}

// Hide makes a page absent.
func (*machine) Hide(virt uintptr) bool {
	place, ok := tables.private(virt)
	if place != 0 {
		mem.Store64(place, 0)
	}
	return ok
}

// Protect takes rights away; it gives none that the firmware does not. Writing is prevented if the firmware has set CR0.WP, as
// EDK2 does.
func (*machine) Protect(virt uintptr, write, execute bool) bool {
	place, ok := tables.private(virt)
	if place == 0 {
		return ok
	}
	entry := mem.Load64(place)
	if !write {
		entry &^= writable
	}
	if !execute {
		entry |= tables.noExecute
	}
	mem.Store64(place, entry)
	return true
}

// private is the address of the page's own entry in the tables for Go code. Tables of the firmware on the way are replaced
// by copies, blocks are split. It returns 0 and true where the firmware maps nothing, and false without memory.
//
// It is used before the tables are, so nothing needs to be flushed.
func (t *pageTables) private(virt uintptr) (place uintptr, ok bool) {
	table := t.goRoot
	for level := uint(topLevel); level > 1; level-- {
		place := entryOf(table, virt, level)
		entry := mem.Load64(place)
		if entry&present == 0 {
			return 0, true
		}
		if entry&ownTable == 0 {
			page := t.allocate()
			if page == 0 {
				return 0, false
			}
			if level < topLevel && entry&large != 0 {
				split(page, entry, level)
			} else {
				mem.Copy(page, uintptr(entry&frameMask), mem.PageSize)
			}
			entry = uint64(page) | present | writable | ownTable
			mem.Store64(place, entry)
		}
		table = uintptr(entry & frameMask)
	}
	return entryOf(table, virt, 1), true
}

// invalidate is the instruction INVLPG.
func invalidate(virt uintptr)
