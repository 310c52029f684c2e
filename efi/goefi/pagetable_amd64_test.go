package goefi

import (
	"syscall"
	"testing"

	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// tableMemory hands out zeroed pages, whose addresses stand for physical ones.
type tableMemory struct {
	next, end uintptr
	flushed   []uintptr
}

// useTables puts fresh tables in the place of the global ones, copied from a firmware's root.
func useTables(t *testing.T, pages int) *tableMemory {
	t.Helper()
	b, err := syscall.Mmap(-1, 0, pages*mem.PageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	m := &tableMemory{next: addressOf(&b[0]), end: addressOf(&b[0]) + uintptr(len(b))}
	saved := tables
	t.Cleanup(func() {
		tables = saved
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	})
	tables = pageTables{allocate: m.page, flush: func(virt uintptr) { m.flushed = append(m.flushed, virt) }}
	return m
}

func (m *tableMemory) page() uintptr {
	if m.next == m.end {
		return 0
	}
	m.next += mem.PageSize
	return m.next - mem.PageSize
}

// walk translates an address as the processor does and returns the entry's flags too.
func walk(root, virt uintptr) (phys uintptr, flags uint64, ok bool) {
	table := root
	flags = writable
	for level := uint(topLevel); ; level-- {
		entry := mem.Load64(table + virt>>(12+9*(level-1))&511*8)
		if entry&present == 0 {
			return 0, 0, false
		}
		flags = flags&(entry&writable) | (flags|entry)&nx | entry&(1<<3|1<<4|1<<8)
		if level == 1 || level < 4 && entry&large != 0 {
			size := uintptr(1) << (12 + 9*(level-1))
			pat := entry >> 7 & 1
			if level > 1 {
				pat = entry >> 12 & 1
			}
			return uintptr(entry&frameMask)&^(size-1) | virt&(size-1), flags | pat<<7, true
		}
		table = uintptr(entry & frameMask)
	}
}

// firmwareTables identity-maps 4 GiB in all three sizes, with unlike attributes.
func firmwareTables(m *tableMemory) (root uintptr) {
	const writeThrough, uncached, global = 1 << 3, 1 << 4, 1 << 8
	root = m.page()
	level3, level2, level1 := m.page(), m.page(), m.page()
	mem.Store64(root, uint64(level3)|present|writable)
	mem.Store64(level3, uint64(level2)|present|writable)
	mem.Store64(level2, uint64(level1)|present|writable)
	for i := range uint64(512) {
		mem.Store64(level1+uintptr(i)*8, i<<12|present|writable|global)
		if i > 0 {
			mem.Store64(level2+uintptr(i)*8, i<<21|present|writable|large|patLarge|writeThrough)
		}
	}
	mem.Store64(level2+511*8, 0) // a hole
	mem.Store64(level3+8, 1<<30|present|writable|large)
	mem.Store64(level3+16, 2<<30|present|writable|large|patLarge|uncached)
	mem.Store64(level3+24, 3<<30|present|large|nx) // read-only
	return root
}

var probes = []uintptr{0x1000, 0x5123, 0x1ff000, 0x200000, 0x2345678, 0x3fc00000, 1 << 30, 1<<30 + 0x12345, 2<<30 + 0x678000, 3<<30 + 0x1000, 1<<32 - 1}

func TestOurTablesTranslateAsTheFirmwares(t *testing.T) {
	m := useTables(t, 200)
	root := firmwareTables(m)
	if !tables.copy(root, true) {
		t.Fatal("no memory")
	}
	check := func(when string) {
		t.Helper()
		for _, virt := range probes {
			want, wantFlags, wantOK := walk(root, virt)
			for name, r := range map[string]uintptr{"Go": tables.goRoot, "call": tables.callRoot} {
				if got, flags, ok := walk(r, virt); got != want || flags != wantFlags || ok != wantOK {
					t.Errorf("%s: %#x in the %s tables is %#x with %#x, want %#x with %#x", when, virt, name, got, flags, want, wantFlags)
				}
			}
		}
	}
	check("copied")
	for _, virt := range probes { // private copies of everything, with nothing taken away
		if !amd64.Protect(virt&^(mem.PageSize-1), true, true) {
			t.Fatal("no memory")
		}
	}
	check("private")
	if _, _, ok := walk(tables.goRoot, 0x3fe00000); ok {
		t.Error("a hole of the firmware's is mapped")
	}
	if !amd64.Protect(0x3fe00000, false, false) {
		t.Error("protecting a hole fails")
	}
}

func TestHideAndProtect(t *testing.T) {
	m := useTables(t, 100)
	root := firmwareTables(m)
	tables.copy(root, true)
	const image = 1<<30 + 0x200000
	if !amd64.Hide(0) || !amd64.Protect(image, false, true) || !amd64.Protect(image+mem.PageSize, true, false) {
		t.Fatal("no memory")
	}
	for _, c := range []struct {
		virt            uintptr
		ok              bool
		writes, noExecs bool
	}{{0, false, false, false}, {0x1000, true, true, false}, {image, true, false, false}, {image + 0x1000, true, true, true}, {image + 0x2000, true, true, false}} {
		_, flags, ok := walk(tables.goRoot, c.virt)
		if ok != c.ok || ok && (flags&writable != 0) != c.writes || ok && (flags&nx != 0) != c.noExecs {
			t.Errorf("Go sees %#x: mapped %v, flags %#x", c.virt, ok, flags)
		}
		if _, flags, ok := walk(tables.callRoot, c.virt); !ok || flags&(writable|nx) != writable {
			t.Errorf("the firmware sees %#x: mapped %v, flags %#x", c.virt, ok, flags)
		}
	}
}

func TestMapUnmapSplit(t *testing.T) {
	m := useTables(t, 100)
	tables.copy(firmwareTables(m), true)
	const slot, block = 0x20 * kernel.SlotSize, kernel.BlockSize
	if amd64.SlotFree(0) || !amd64.SlotFree(0x20) {
		t.Fatal("the firmware's slot is taken for free, or a free one is not")
	}
	if phys, size := amd64.Lookup(slot); phys != 0 || size != kernel.SlotSize {
		t.Errorf("nothing is mapped, Lookup says %#x of %#x", phys, size)
	}
	if !amd64.MapBlock(slot+block, 0x40000000) || !amd64.MapPage(slot+3*block+0x5000, 0x12345000) {
		t.Fatal("no memory")
	}
	if amd64.MapBlock(slot+3*block, 0x40000000) || amd64.MapPage(slot+block+0x5000, 0x12345000) || amd64.MapBlock(slot+block, 0x50000000) {
		t.Error("something is mapped over something else")
	}
	expect := func(virt, phys, size uintptr) {
		t.Helper()
		if p, s := amd64.Lookup(virt); p != phys || s != size {
			t.Errorf("Lookup of %#x: %#x of %#x, want %#x of %#x", virt, p, s, phys, size)
		}
		for _, root := range []uintptr{tables.goRoot, tables.callRoot} {
			got, flags, ok := walk(root, virt)
			if ok != (phys != 0) || ok && (got&^(size-1) != phys || flags&(writable|nx) != writable|nx) {
				t.Errorf("the processor finds %#x at %#x with flags %#x", got, virt, flags)
			}
		}
	}
	expect(slot+block+0x1234, 0x40000000, block)
	expect(slot+3*block+0x5234, 0x12345000, mem.PageSize)
	expect(slot+3*block+0x6000, 0, mem.PageSize)
	expect(slot+5*block, 0, block)
	expect(slot+1<<30, 0, 1<<30)

	if !amd64.Split(slot + block) {
		t.Fatal("no memory")
	}
	expect(slot+block+0x7234, 0x40007000, mem.PageSize)
	amd64.Unmap(slot + block + 0x7000)
	expect(slot+block+0x7000, 0, mem.PageSize)
	expect(slot+block+0x8000, 0x40008000, mem.PageSize)
	amd64.MapBlock(slot+9*block, 0x40000000)
	amd64.Unmap(slot + 9*block)
	expect(slot+9*block, 0, block)
	if want := []uintptr{slot + block, slot + block + 0x7000, slot + 9*block}; len(m.flushed) != 3 || [3]uintptr(m.flushed) != [3]uintptr(want) {
		t.Errorf("flushed %#x, want %#x", m.flushed, want)
	}
}

func TestNoMemoryForTables(t *testing.T) {
	for pages := 4; pages < 20; pages++ {
		m := useTables(t, pages)
		root := firmwareTables(m)
		if !tables.copy(root, true) {
			continue
		}
		amd64.MapPage(0x20*kernel.SlotSize, 0x1000)
		amd64.MapBlock(0x21*kernel.SlotSize, 0x200000)
		amd64.Protect(2<<30, false, false)
		amd64.Protect(3<<30, false, false)
		for _, virt := range probes {
			want, _, _ := walk(root, virt)
			if got, _, _ := walk(tables.goRoot, virt); got != want {
				t.Fatalf("with %d pages %#x translates to %#x, want %#x", pages, virt, got, want)
			}
		}
	}
}

func TestWithoutNX(t *testing.T) {
	m := useTables(t, 50)
	tables.copy(firmwareTables(m), false)
	amd64.MapPage(0x20*kernel.SlotSize, 0x1000)
	if _, flags, _ := walk(tables.goRoot, 0x20*kernel.SlotSize); flags&nx != 0 {
		t.Error("a reserved bit is set")
	}
}
