package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

const (
	pagesPerBlock = BlockSize / pageSize

	// reserve is how many pages are always in hand when Go code or the firmware runs. What they first touch in kernel context
	// or inside of a firmware call comes out of it, for no memory can be asked for there.
	reserve = 256

	// idle is how many pages may be in hand for nothing, after the runtime has said that it needs less.
	idle = 4 * pagesPerBlock
)

// frames is the physical memory of the program. All of it came from the firmware in extents.
type frames struct {
	lists  uintptr // address of the first extentList
	pages  uintptr // in all extents
	free   uintptr // of them, in hand
	recent uintptr // address of the extent that the last single page came from
}

// AllocatePage returns a zeroed page out of those in hand, or 0.
func (k *Kernel) AllocatePage() uintptr {
	e := k.recentExtent()
	if e == nil || e.free == 0 {
		if e = k.findExtent(1); e == nil {
			return 0
		}
		k.frames.recent = address(e)
	}
	page := e.takePage()
	k.frames.free--
	mem.Zero(page, pageSize)
	return page
}

// allocateBlock returns a zeroed block out of those in hand, or 0.
func (k *Kernel) allocateBlock() uintptr {
	e := k.findExtent(pagesPerBlock)
	if e == nil {
		return 0
	}
	e.takeAll()
	k.frames.free -= pagesPerBlock
	mem.Zero(e.base, BlockSize)
	return e.base
}

// release takes back a page or block that is no longer used. An extent of which nothing is used any more goes back to the
// firmware at once, unless that would touch the reserve.
func (k *Kernel) release(phys, size uintptr) {
	e := k.extentOf(phys)
	if e == nil {
		return
	}
	e.put((phys-e.base)/pageSize, size/pageSize)
	k.frames.free += size / pageSize
	k.stats.Released += uint64(size / pageSize)
	if e.free == e.pages && k.frames.free >= reserve+uintptr(e.pages) {
		k.giveBack(e)
	}
}

// trim returns memory that was taken for parts of the heap which have never been touched.
func (k *Kernel) trim() {
	for k.frames.free > idle+pagesPerBlock {
		e := k.wholeExtent()
		if e == nil {
			return
		}
		k.giveBack(e)
	}
}

// giveBack returns an extent of which nothing is used.
func (k *Kernel) giveBack(e *extent) {
	pages := uintptr(e.pages)
	k.bootService(serviceFreePages, e.base, pages, 0, 0)
	k.frames.free -= pages
	k.frames.pages -= pages
	*e = extent{}
}

// Reserve gets the first memory, for the machine's tables.
func (k *Kernel) Reserve() bool { return k.ensure(reserve) }

// refill restores the reserve if the firmware has memory; if not, the program goes on with what there is.
func (k *Kernel) refill() {
	if k.frames.free < reserve {
		k.ensure(reserve)
	}
}

// ensure gets that many pages in hand from the firmware, in pieces as large as they come.
func (k *Kernel) ensure(pages uintptr) bool {
	for blocks := uintptr(1); k.frames.free < pages; {
		missing := roundUp(pages-k.frames.free, pagesPerBlock) / pagesPerBlock
		blocks = max(blocks, missing)
		for ; blocks > 0 && !k.takeBlocks(blocks); blocks /= 2 {
		}
		if blocks == 0 && !k.takePages(reserve) && !k.takePages(1) {
			return false
		}
	}
	return true
}

// takeBlocks gets aligned blocks from the firmware, which knows no alignment: what comes aligned by chance is kept, else more
// is asked for and the ends are given back.
func (k *Kernel) takeBlocks(n uintptr) bool {
	pages := n * pagesPerBlock
	base := k.firmwarePages(pages)
	if base == 0 {
		return false
	}
	if base%BlockSize != 0 {
		k.bootService(serviceFreePages, base, pages, 0, 0)
		if base = k.alignedPages(pages); base == 0 {
			return false
		}
	}
	for i := uintptr(0); i < n; i++ {
		if !k.addExtent(base+i*BlockSize, pagesPerBlock) {
			k.bootService(serviceFreePages, base+i*BlockSize, (n-i)*pagesPerBlock, 0, 0)
			return false
		}
	}
	return true
}

// alignedPages gets pages that begin on a block boundary, or returns 0.
func (k *Kernel) alignedPages(pages uintptr) uintptr {
	const spare = pagesPerBlock - 1
	base := k.firmwarePages(pages + spare)
	if base == 0 {
		return 0
	}
	aligned := roundUp(base, BlockSize)
	if head := (aligned - base) / pageSize; head != 0 {
		k.bootService(serviceFreePages, base, head, 0, 0)
	}
	if tail := spare - (aligned-base)/pageSize; tail != 0 {
		k.bootService(serviceFreePages, aligned+pages*pageSize, tail, 0, 0)
	}
	return aligned
}

// takePages gets fewer pages than a block, when the memory is full or in pieces.
func (k *Kernel) takePages(n uintptr) bool {
	base := k.firmwarePages(n)
	if base == 0 {
		return false
	}
	if !k.addExtent(base, n) {
		k.bootService(serviceFreePages, base, n, 0, 0)
		return false
	}
	return true
}

// firmwarePages asks the firmware for pages (UEFI 2.10 §7.2.1 AllocatePages) and returns 0 if it has none.
func (k *Kernel) firmwarePages(n uintptr) uintptr {
	const (
		allocateAnyPages = 0
		loaderData       = 2
	)
	k.firmware.out = 0
	if k.bootService(serviceAllocatePages, allocateAnyPages, loaderData, n, address(&k.firmware.out)) != statusSuccess {
		return 0
	}
	return k.firmware.out
}

// GiveBack returns all memory to the firmware. Nothing of it may be in use any more, neither as a stack nor as a page table.
func (k *Kernel) GiveBack() {
	for e := k.firstExtent(); e != nil; e = k.nextExtent(e) {
		if e.base != 0 {
			k.giveBack(e)
		}
	}
	for list := k.frames.lists; list != 0; {
		next := mem.At[extentList](list).next
		k.bootService(serviceFreePages, list, 1, 0, 0)
		list = next
	}
	k.frames = frames{}
}
