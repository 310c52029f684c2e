package kernel

import (
	"math/bits"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// An extent is consecutive physical memory that the firmware has given: a whole block where it could, fewer pages where not.
// Several blocks are asked for at a time, since each AllocatePages call is slow, but each becomes an extent of its own.
type extent struct {
	base  uintptr // 0: the entry is unused
	pages uint32
	free  uint32
	used  [pagesPerBlock / 64]uint64 // a bit for each page
}

// extentList is a page full of extents, in a chain.
type extentList struct {
	next    uintptr // address of the following list
	extents [50]extent
}

// takePage takes a free page; there is one.
func (e *extent) takePage() uintptr {
	for i := range e.used {
		if free := ^e.used[i]; free != 0 {
			bit := bits.TrailingZeros64(free)
			e.used[i] |= 1 << (bit & 63)
			e.free--
			return e.base + (uintptr(i)*64+uintptr(bit))*pageSize
		}
	}
	return 0
}

func (e *extent) takeAll() {
	e.free = 0
	for i := range e.used {
		e.used[i] = ^uint64(0)
	}
}

// put marks n pages from the given one as free.
func (e *extent) put(page, n uintptr) {
	e.free += uint32(n)
	for ; n > 0; page, n = page+1, n-1 {
		e.used[page/64%uintptr(len(e.used))] &^= 1 << (page % 64)
	}
}

// addExtent enters memory into the lists; all of it is free.
func (k *Kernel) addExtent(base, pages uintptr) bool {
	e := k.unusedExtent()
	if e == nil {
		return false
	}
	*e = extent{base: base, pages: uint32(pages), free: uint32(pages)}
	for page := pages; page < pagesPerBlock; page++ {
		e.used[page/64%uintptr(len(e.used))] |= 1 << (page % 64) // not there
	}
	k.frames.pages += pages
	k.frames.free += pages
	return true
}

// firstExtent and nextExtent go through all entries, used or not; nil is the end.
func (k *Kernel) firstExtent() *extent {
	if k.frames.lists == 0 {
		return nil
	}
	return &mem.At[extentList](k.frames.lists).extents[0]
}

func (k *Kernel) nextExtent(e *extent) *extent {
	at := address(e) + unsafe.Sizeof(extent{})
	list := address(e) &^ (pageSize - 1)
	if at < list+unsafe.Sizeof(extentList{}) {
		return mem.At[extent](at)
	}
	if next := mem.LoadWord(list); next != 0 {
		return &mem.At[extentList](next).extents[0]
	}
	return nil
}

// unusedExtent finds an entry without memory, in a new list if need be.
func (k *Kernel) unusedExtent() *extent {
	for e := k.firstExtent(); e != nil; e = k.nextExtent(e) {
		if e.base == 0 {
			return e
		}
	}
	list := k.firmwarePages(1)
	if list == 0 {
		return nil
	}
	mem.Zero(list, pageSize)
	l := mem.At[extentList](list)
	l.next = k.frames.lists
	k.frames.lists = list
	return &l.extents[0]
}

// findExtent finds an extent with that many free pages, one or a whole block. For a single page an extent that is in use
// already is preferred, so that blocks stay whole.
func (k *Kernel) findExtent(pages uint32) *extent {
	var whole *extent
	for e := k.firstExtent(); e != nil; e = k.nextExtent(e) {
		switch {
		case e.free < pages:
		case e.free == pages || e.free < e.pages:
			return e
		default:
			whole = e
		}
	}
	return whole
}

// wholeExtent finds an extent of which nothing is used, or nil.
func (k *Kernel) wholeExtent() *extent {
	for e := k.firstExtent(); e != nil; e = k.nextExtent(e) {
		if e.base != 0 && e.free == e.pages {
			return e
		}
	}
	return nil
}

// extentOf finds the extent of a page, or nil.
func (k *Kernel) extentOf(phys uintptr) *extent {
	if e := k.recentExtent(); e != nil && e.holds(phys) {
		return e
	}
	for e := k.firstExtent(); e != nil; e = k.nextExtent(e) {
		if e.holds(phys) {
			return e
		}
	}
	return nil
}

// holds reports whether a page is one of the extent.
func (e *extent) holds(phys uintptr) bool { return phys-e.base < uintptr(e.pages)*pageSize }

// recentExtent is the one that the last single page came from.
func (k *Kernel) recentExtent() *extent {
	if k.frames.recent == 0 {
		return nil
	}
	return mem.At[extent](k.frames.recent)
}
