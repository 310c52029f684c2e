package kernel

import (
	"syscall"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// mmap gives address space. Only anonymous private memory exists. Since Go 1.26 the runtime spreads its hints over the whole
// address space; a hint is honoured wherever the firmware has nothing in the same slot.
func (k *Kernel) mmap(hint, size, protection, flags uintptr) int64 {
	size = roundUp(size, pageSize)
	switch {
	case size == 0 || hint%pageSize != 0 || flags&syscall.MAP_ANON == 0:
		return errInvalid
	case protection&syscall.PROT_EXEC != 0:
		return errAccess
	case flags&syscall.MAP_FIXED != 0:
		return k.mapFixed(hint, size, protection)
	}
	access := none
	if protection&syscall.PROT_WRITE != 0 {
		access = sparse
	}
	start := hint
	if hint == 0 || !k.usable(hint, size) || k.areas.overlaps(hint, hint+size) {
		start = k.freeSpace(size)
	}
	if start == 0 || !k.areas.insert(start, start+size, access) {
		return errNoMemory
	}
	return int64(start)
}

// mapFixed changes what a range is good for. The runtime makes parts of its reserved space writable in this way, for the heap:
// the memory is taken from the firmware now, so that the runtime hears when there is no more, but cleared and mapped on first
// touch.
func (k *Kernel) mapFixed(start, size, protection uintptr) int64 {
	if !k.usable(start, size) {
		return errNoMemory
	}
	access := none
	if protection&syscall.PROT_WRITE != 0 {
		access = blocky
		if !k.ensure(size/pageSize + reserve) {
			return errNoMemory
		}
	}
	if !k.areas.remove(start, start+size) {
		return errNoMemory
	}
	k.discard(start, start+size)
	if !k.areas.insert(start, start+size, access) {
		return errNoMemory
	}
	return int64(start)
}

// usable reports whether the range lies in slots that the firmware does not use.
func (k *Kernel) usable(start, size uintptr) bool {
	end := start + size
	if end < start || start < SlotSize || (end-1)/SlotSize >= uintptr(k.Machine.Slots()) {
		return false
	}
	for slot := start / SlotSize; slot <= (end-1)/SlotSize; slot++ {
		if !k.Machine.SlotFree(int(slot)) {
			return false
		}
	}
	return true
}

// freeSpace finds room for a mapping without a usable hint, from the highest slot down. Mappings of a block or more begin on a
// block boundary.
func (k *Kernel) freeSpace(size uintptr) uintptr {
	align := uintptr(pageSize)
	if size >= BlockSize {
		align = BlockSize
	}
	for slot := k.Machine.Slots() - 1; slot > 0; slot-- {
		if !k.Machine.SlotFree(slot) {
			continue
		}
		low := uintptr(slot) * SlotSize
		if start := k.areas.gap(low, low+SlotSize, size, align); start != 0 {
			return start
		}
	}
	return 0
}

func (k *Kernel) munmap(start, size uintptr) int64 {
	size = roundUp(size, pageSize)
	if start%pageSize != 0 || size == 0 || start+size < start {
		return errInvalid
	}
	if !k.areas.remove(start, start+size) {
		return errNoMemory
	}
	k.discard(start, start+size)
	return 0
}

// madvise serves MADV_DONTNEED, on whose zeroes Go 1.26 relies. Advice about huge pages needs no answer.
func (k *Kernel) madvise(start, size, advice uintptr) int64 {
	if start%pageSize != 0 || start+size < start {
		return errInvalid
	}
	if advice == syscall.MADV_DONTNEED {
		k.discard(start, start+roundUp(size, pageSize))
		k.trim()
	}
	return 0
}

// discard frees the memory behind a range, which afterwards reads as zero if it can be read at all.
func (k *Kernel) discard(start, end uintptr) {
	for at := start; at < end; {
		phys, size := k.Machine.Lookup(at)
		base := at &^ (size - 1)
		switch {
		case phys == 0:
			at = base + size
		case base >= start && base+size <= end:
			k.Machine.Unmap(base)
			k.release(phys&^(size-1), size)
			at = base + size
		case !k.Machine.Split(base):
			rest := min(base+size, end)
			mem.Zero(at, rest-at)
			at = rest
		}
	}
}

// PageFault backs the page that was touched at addr, if the program may touch it. Away from Go code, that is in kernel
// context and in a firmware call, only single pages are used, and only those in hand.
func (k *Kernel) PageFault(addr uintptr, inGo bool) bool {
	area := k.areas.find(addr)
	if area.access == none {
		return false
	}
	k.stats.PageFaults++
	if !inGo {
		k.stats.InFirmware++
		return k.backPage(addr) || k.exhausted()
	}
	k.refill()
	if area.access == blocky && k.backBlock(addr, &area) || k.backPage(addr) {
		return true
	}
	k.Report("goefi: out of memory: the firmware has no free pages left; the program ends\n")
	k.Exit(statusOutOfResources)
	return true
}

// exhausted says on the serial port, all that can be used in the middle of a firmware call, why the fault is not served.
func (k *Kernel) exhausted() bool {
	const line = "goefi: the firmware touched too much Go memory that the program had not touched before\r\n"
	for i := range len(line) {
		k.Machine.Serial(line[i])
	}
	return false
}

// backBlock backs the block around addr, if all of it lies in the area and nothing in it is backed by pages yet.
func (k *Kernel) backBlock(addr uintptr, in *area) bool {
	start := addr &^ (BlockSize - 1)
	if start < in.start || start+BlockSize > in.end {
		return false
	}
	if _, size := k.Machine.Lookup(start); size < BlockSize {
		return false
	}
	block := k.allocateBlock()
	if block == 0 {
		return false
	}
	if !k.Machine.MapBlock(start, block) {
		k.release(block, BlockSize)
		return false
	}
	return true
}

func (k *Kernel) backPage(addr uintptr) bool {
	page := k.AllocatePage()
	if page == 0 {
		return false
	}
	if !k.Machine.MapPage(addr&^(pageSize-1), page) {
		k.release(page, pageSize)
		return false
	}
	return true
}

// MapStack makes a stack of the given size with nothing below it, so that an overflow faults, and returns its upper end. Its
// memory is there from the start: on it the processor stores the frame of a page fault.
func (k *Kernel) MapStack(size uintptr) uintptr {
	start := k.freeSpace(size + 2*pageSize)
	if start == 0 || !k.areas.insert(start, start+size+2*pageSize, none) || !k.ensure(size/pageSize+reserve) {
		return 0
	}
	low, top := start+pageSize, start+pageSize+size
	for at := low; at < top; at += pageSize {
		if !k.backPage(at) {
			return 0
		}
	}
	return top
}
