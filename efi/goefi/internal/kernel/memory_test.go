package kernel

import (
	"math/rand"
	"strings"
	"syscall"
	"testing"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

const (
	readWrite = syscall.PROT_READ | syscall.PROT_WRITE
	anonymous = syscall.MAP_ANON | syscall.MAP_PRIVATE
	fixed     = anonymous | syscall.MAP_FIXED
	fakeLow   = fakeSlot * SlotSize
)

// touch writes a byte as Go code would: a page that is absent faults first.
func touch(t *testing.T, k *Kernel, addr uintptr, value byte) {
	t.Helper()
	fault(t, k, addr)
	mem.Store8(addr, value)
}

// fault makes an address accessible, or fails the test.
func fault(t *testing.T, k *Kernel, addr uintptr) {
	t.Helper()
	if phys, _ := k.Machine.Lookup(addr); phys == 0 && !k.PageFault(addr, true) {
		t.Fatalf("the fault at %#x is not served", addr)
	}
	if _, exiting := k.Exiting(); exiting {
		t.Fatalf("the fault at %#x ends the program", addr)
	}
}

func TestMmapRefuses(t *testing.T) {
	k, _ := started(t)
	for _, c := range []struct {
		name                    string
		addr, size, prot, flags uintptr
		want                    int64
	}{
		{"nothing", 0, 0, readWrite, anonymous, errInvalid},
		{"a file", 0, pageSize, readWrite, syscall.MAP_PRIVATE, errInvalid},
		{"an odd address", fakeLow + 1, pageSize, readWrite, fixed, errInvalid},
		{"code", 0, pageSize, syscall.PROT_EXEC, anonymous, errAccess},
		{"the firmware's slot", 5 * SlotSize, pageSize, readWrite, fixed, errNoMemory},
		{"beyond the address space", fakeSlots * SlotSize, pageSize, readWrite, fixed, errNoMemory},
		{"over the end", ^uintptr(0) &^ (pageSize - 1), 2 * pageSize, readWrite, fixed, errNoMemory},
		{"more than there is", fakeLow, 2 * physicalSize, readWrite, fixed, errNoMemory},
		{"larger than a slot", 0, 2 * SlotSize, readWrite, anonymous, errNoMemory},
	} {
		if got := k.mmap(c.addr, c.size, c.prot, c.flags); got != c.want {
			t.Errorf("%s: %#x, want %d", c.name, got, c.want)
		}
	}
}

func TestMmapPlaces(t *testing.T) {
	k, _ := started(t)
	hint := uintptr(fakeLow + 7<<30)
	if got := k.mmap(hint, 64<<20, 0, anonymous); got != int64(hint) {
		t.Errorf("a good hint gives %#x, want %#x", got, hint)
	}
	if got := k.mmap(hint, 64<<20, 0, anonymous); got == int64(hint) || got < fakeLow {
		t.Errorf("a taken hint gives %#x", got)
	}
	if got := k.mmap(3*SlotSize, pageSize, 0, anonymous); got < fakeLow {
		t.Errorf("a hint in the firmware's slot gives %#x", got)
	}
	if got := k.mmap(0, 3*BlockSize, readWrite, anonymous); got%BlockSize != 0 {
		t.Errorf("a large mapping is at %#x, want a block boundary", got)
	}
}

// TestHeapAsTheRuntimeUsesIt reserves, maps, uses, releases and uses again.
func TestHeapAsTheRuntimeUsesIt(t *testing.T) {
	k, m := started(t)
	const size = 8 << 20
	heap := uintptr(fakeLow + 1<<30)
	k.mmap(heap, 64<<20, 0, anonymous)
	if k.PageFault(heap, true) {
		t.Fatal("reserved memory can be touched")
	}
	if got := k.mmap(heap, size, readWrite, fixed); got != int64(heap) {
		t.Fatalf("mmap: %d", got)
	}
	for at := heap; at < heap+size; at += pageSize {
		fault(t, k, at)
		if v := mem.Load64(at + 8); v != 0 {
			t.Fatalf("fresh memory at %#x is %#x", at, v)
		}
		mem.Store64(at+8, uint64(at))
	}
	if _, got := m.Lookup(heap); got != BlockSize {
		t.Errorf("the heap is backed by pieces of %#x bytes, want blocks", got)
	}
	full := k.Stats().Pages

	// Two whole blocks and parts of two others are released; only those become zero.
	from, to := heap+BlockSize/2, heap+3*BlockSize+5*pageSize
	k.madvise(from, to-from, syscall.MADV_DONTNEED)
	for at := heap; at < heap+size; at += pageSize {
		fault(t, k, at)
		want := uint64(at)
		if at >= from && at < to {
			want = 0
		}
		if v := mem.Load64(at + 8); v != want {
			t.Fatalf("after madvise %#x holds %#x, want %#x", at, v, want)
		}
	}
	k.madvise(heap, size, syscall.MADV_DONTNEED)
	if now := k.Stats().Pages; full-now < size/pageSize/2 {
		t.Errorf("%d pages before all was released, %d after", full, now)
	}
	if k.munmap(heap, 64<<20) != 0 || k.PageFault(heap, true) {
		t.Error("memory can be touched after munmap")
	}
}

func TestMadviseWithoutMemoryForTables(t *testing.T) {
	k, m := started(t)
	heap := uintptr(fakeLow + 1<<30)
	k.mmap(heap, BlockSize, readWrite, fixed)
	touch(t, k, heap+8, 1)
	touch(t, k, heap+4*pageSize, 2)
	m.noTables = true // the block cannot be split: part of it is cleared where it is
	k.madvise(heap+pageSize, BlockSize-pageSize, syscall.MADV_DONTNEED)
	if a, b := mem.Load8(heap+8), mem.Load8(heap+4*pageSize); a != 1 || b != 0 {
		t.Errorf("the bytes are %d and %d, want 1 and 0", a, b)
	}
}

// TestRandomOperations compares the kernel with a map of what each page holds.
func TestRandomOperations(t *testing.T) {
	k, m := started(t)
	random := rand.New(rand.NewSource(1))
	const pages = 4 * pagesPerBlock
	base := uintptr(fakeLow + 1<<30)
	type page struct {
		mapped bool
		value  byte
	}
	var model [pages]page
	for step := range 3000 {
		first := random.Intn(pages)
		n := 1 + random.Intn(min(pages-first, 1+random.Intn(pages)))
		start, size := base+uintptr(first)*pageSize, uintptr(n)*pageSize
		switch op := random.Intn(8); op {
		case 0, 1:
			protection := uintptr(0)
			if op == 1 {
				protection = readWrite
			}
			if got := k.mmap(start, size, protection, fixed); got != int64(start) {
				t.Fatalf("step %d: mmap returns %d", step, got)
			}
			for i := first; i < first+n; i++ {
				model[i] = page{mapped: op == 1}
			}
		case 2:
			k.munmap(start, size)
			for i := first; i < first+n; i++ {
				model[i] = page{}
			}
		case 3:
			k.madvise(start, size, syscall.MADV_DONTNEED)
			for i := first; i < first+n; i++ {
				model[i].value = 0
			}
		default:
			if !model[first].mapped {
				if k.PageFault(start, true) {
					t.Fatalf("step %d: page %d can be touched but is not mapped", step, first)
				}
				continue
			}
			inGo := op != 4
			if phys, _ := m.Lookup(start); phys == 0 && !k.PageFault(start, inGo) {
				t.Fatalf("step %d: the fault at page %d is not served", step, first)
			}
			if got := mem.Load8(start + 99); got != model[first].value {
				t.Fatalf("step %d: page %d holds %d, want %d", step, first, got, model[first].value)
			}
			model[first].value = byte(step)
			mem.Store8(start+99, byte(step))
		}
		k.Settle()
		checkFrames(t, k, m)
	}
	for virt := range m.maps {
		m.Unmap(virt)
	}
	if k.GiveBack(); m.inUse() != 0 {
		t.Errorf("%d pages are not given back", m.inUse())
	}
}

// checkFrames compares the kernel's count of memory with the firmware's.
func checkFrames(t *testing.T, k *Kernel, m *fakeMachine) {
	t.Helper()
	pages, free, lists := uintptr(0), uintptr(0), 0
	for list := k.frames.lists; list != 0; list = mem.At[extentList](list).next {
		lists++
		for i := range mem.At[extentList](list).extents {
			e := &mem.At[extentList](list).extents[i]
			pages += uintptr(e.pages)
			free += uintptr(e.free)
		}
	}
	if pages != k.frames.pages || free != k.frames.free || int(pages)+lists != m.inUse() {
		t.Fatalf("extents have %d pages, %d free, in %d lists; the counts are %d and %d; the firmware has given %d",
			pages, free, lists, k.frames.pages, k.frames.free, m.inUse())
	}
	if free < reserve {
		t.Fatalf("%d pages are in hand, want %d", free, reserve)
	}
}

func TestFragmentedMemory(t *testing.T) {
	k, m := newKernel(t)
	for i := range m.taken {
		m.taken[i] = i%100 == 7 // no whole block anywhere
	}
	if !k.ensure(3 * pagesPerBlock) {
		t.Fatal("no memory, though most of it is free")
	}
	if k.allocateBlock() != 0 {
		t.Fatal("there is a block")
	}
	seen := map[uintptr]bool{}
	for k.frames.free > 0 {
		page := k.AllocatePage()
		if page == 0 || seen[page] || page%pageSize != 0 || mem.Load64(page) != 0 {
			t.Fatalf("page %#x: seen %v", page, seen[page])
		}
		seen[page] = true
	}
	if k.AllocatePage() != 0 {
		t.Error("a page comes out of nothing")
	}
	k.GiveBack()
	for i, taken := range m.taken {
		if taken != (i%100 == 7) {
			t.Fatalf("page %d is taken: %v", i, taken)
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	k, m := started(t)
	heap := uintptr(fakeLow + 1<<30)
	k.mmap(heap, BlockSize, readWrite, anonymous)
	m.limit = 0
	at := heap
	for ; at < heap+BlockSize; at += pageSize {
		if !k.PageFault(at, true) {
			t.Fatal("a fault in a good place is not served")
		}
		if _, exiting := k.Exiting(); exiting {
			break
		}
	}
	if status, exiting := k.Exiting(); !exiting || status != statusOutOfResources {
		t.Errorf("exiting %v with %#x, want EFI_OUT_OF_RESOURCES", exiting, status)
	}
	if !strings.Contains(string(m.serial), "out of memory") {
		t.Errorf("the serial port shows %q", m.serial)
	}
}

func TestFaultInFirmwareUsesTheReserve(t *testing.T) {
	k, m := started(t)
	heap := uintptr(fakeLow + 1<<30)
	k.mmap(heap, 4*BlockSize, readWrite, fixed)
	k.Settle()
	before := m.calls[fakeAllocatePages]
	for at := heap; at < heap+reserve*pageSize; at += pageSize {
		if !k.PageFault(at, false) {
			t.Fatal("the fault is not served")
		}
		if _, size := m.Lookup(at); size != pageSize {
			t.Fatal("a whole block was cleared during a firmware call")
		}
	}
	for k.frames.free > 0 {
		k.AllocatePage()
	}
	if k.PageFault(heap+BlockSize, false) {
		t.Error("a fault is served out of nothing")
	}
	if !strings.Contains(string(m.serial), "too much Go memory") {
		t.Errorf("the serial port shows %q", m.serial)
	}
	if m.calls[fakeAllocatePages] != before {
		t.Error("the firmware was asked for memory during a firmware call")
	}
}

func TestMapStackHasGuards(t *testing.T) {
	k, m := started(t)
	top := k.MapStack(4 * pageSize)
	for _, c := range []struct {
		at   uintptr
		want bool
	}{{top, false}, {top - 1, true}, {top - 4*pageSize, true}, {top - 4*pageSize - 1, false}} {
		if phys, _ := m.Lookup(c.at); (phys != 0) != c.want {
			t.Errorf("%#x below the top is mapped: %v", top-c.at, phys != 0)
		}
	}
	if k.PageFault(top, true) || k.PageFault(top-4*pageSize-1, true) {
		t.Error("a guard page can be touched")
	}
}

// TestAreas compares areas with a bit per page.
func TestAreas(t *testing.T) {
	random := rand.New(rand.NewSource(2))
	var a areas
	var model [600]access
	for step := range 20000 {
		first := random.Intn(len(model))
		last := first + 1 + random.Intn(min(20, len(model)-first))
		start, end := uintptr(first)*pageSize, uintptr(last)*pageSize
		kind := access(1 + random.Intn(2))
		switch free := !a.overlaps(start, end); {
		case free && a.insert(start, end, kind):
			for i := first; i < last; i++ {
				model[i] = kind + 1 // none is an area too
			}
		case random.Intn(2) == 0 && a.remove(start, end):
			clear(model[first:last])
		}
		probe := random.Intn(len(model))
		found := a.find(uintptr(probe) * pageSize)
		if want := model[probe]; (want == 0) != (found.end == 0) || want != 0 && found.access != want-1 {
			t.Fatalf("step %d: page %d is in %+v, want kind %d", step, probe, found, model[probe])
		}
		for i := 1; i < a.n; i++ {
			below, above := a.list[i-1], a.list[i]
			if below.end > above.start || below.start >= below.end || below.end == above.start && below.access == above.access {
				t.Fatalf("step %d: %+v is followed by %+v", step, below, above)
			}
		}
	}
}

func TestAreasFull(t *testing.T) {
	var a areas
	for i := range uintptr(maxAreas) {
		if !a.insert(i*3*pageSize, (i*3+2)*pageSize, sparse) {
			t.Fatalf("area %d does not fit", i)
		}
	}
	if before := a; a.insert(1<<40, 1<<40+pageSize, sparse) || a.remove(pageSize/2, pageSize) || a != before {
		t.Error("a change that needs one more area succeeds, or leaves traces")
	}
	if !a.remove(0, pageSize) {
		t.Error("a change that needs no more areas fails")
	}
}

func TestGap(t *testing.T) {
	var a areas
	a.insert(0x10000, 0x20000, sparse)
	a.insert(0x28000, 0x30000, none)
	for _, c := range []struct{ low, high, n, align, want uintptr }{
		{0x1000, 0x100000, 0x1000, 0x1000, 0x1000},
		{0x1000, 0x100000, 0x10000, 0x1000, 0x30000},
		{0x10000, 0x100000, 0x8000, 0x1000, 0x20000},
		{0x10000, 0x100000, 0x9000, 0x1000, 0x30000},
		{0x10000, 0x100000, 0x1000, 0x10000, 0x20000},
		{0x10000, 0x38000, 0x9000, 0x1000, 0},
		{0x10000, 0x100000, ^uintptr(0) - 0x1000, 0x1000, 0},
	} {
		if got := a.gap(c.low, c.high, c.n, c.align); got != c.want {
			t.Errorf("gap of %#x between %#x and %#x: %#x, want %#x", c.n, c.low, c.high, got, c.want)
		}
	}
}

func TestMemoryThatWasNeverTouchedGoesBack(t *testing.T) {
	k, m := started(t)
	heap := uintptr(fakeLow + 1<<30)
	before := m.inUse()
	k.mmap(heap, 16*BlockSize, readWrite, fixed)
	if m.inUse()-before < 15*pagesPerBlock {
		t.Fatalf("mapping 32 MiB of heap took %d pages", m.inUse()-before)
	}
	k.madvise(heap, 16*BlockSize, syscall.MADV_DONTNEED)
	if in := k.Stats().FreePages; in > idle+pagesPerBlock {
		t.Errorf("%d pages are still in hand", in)
	}
	checkFrames(t, k, m)
}
