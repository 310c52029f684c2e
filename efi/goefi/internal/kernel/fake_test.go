package kernel

import (
	"os"
	"syscall"
	"testing"
	"unicode/utf16"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// fakeMachine is a processor and a firmware in the memory of the test. Physical memory is a file, which the fake maps where the
// kernel says: its addresses are real, so the kernel works on them as it does on a machine.
type fakeMachine struct {
	t       testing.TB
	now     uint64
	regs    [MaxThreads]fakeRegisters
	random  []uint64 // words that Random returns
	serial  []byte
	waits   int
	windows int

	file     *os.File
	physical uintptr // where all of it is mapped; physical addresses are these
	taken    []bool  // pages that the firmware has given away
	limit    int     // pages that it still gives away
	maps     map[uintptr]fakeMapping
	noTables bool // there is no memory for tables
	guarded  map[uintptr]string

	tables   []uint64 // the system table and what it leads to
	screen   []uint16
	options  []uint16 // load options
	filePath []byte
	shell    []string
	rng      func(b []byte) uintptr // EFI_RNG_PROTOCOL, if any
	clock    [16]byte               // EFI_TIME
	calls    map[uintptr]int
}

type fakeRegisters struct {
	number    uint64
	args      [6]uint64
	result    int64
	stack     uintptr
	clonedOf  int
	delivered []Delivery
	mask      uint64 // for PopSignal
}

type fakeMapping struct{ phys, size uintptr }

const (
	physicalSize = 64 << 20
	fakeSlot     = 0x20 // the only free slot; nothing of Linux lies there
	fakeSlots    = fakeSlot + 1
)

// Addresses of the fake's functions.
const (
	fakeAllocatePages uintptr = 0x1001 + iota
	fakeFreePages
	fakeHandleProtocol
	fakeLocateProtocol
	fakeStall
	fakeGetTime
	fakeOutputString
	fakeGetRNG
	fakeOther
)

// newKernel makes a kernel on a fake machine, attached but not started.
func newKernel(t testing.TB) (*Kernel, *fakeMachine) {
	t.Helper()
	m := &fakeMachine{
		t: t, limit: physicalSize / pageSize, taken: make([]bool, physicalSize/pageSize), maps: map[uintptr]fakeMapping{},
		guarded: map[uintptr]string{}, calls: map[uintptr]int{}, random: []uint64{1, 2, 3, 4},
	}
	var err error
	if m.file, err = os.CreateTemp(t.TempDir(), "memory"); err != nil {
		t.Fatal(err)
	}
	if err := m.file.Truncate(physicalSize); err != nil {
		t.Fatal(err)
	}
	// One block more than needed, so that an aligned part can be found.
	whole := m.mmap(0, physicalSize+BlockSize, 0, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	m.physical = m.mmap(roundUp(whole, BlockSize), physicalSize, 0, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_FIXED)
	k := &Kernel{Machine: m}
	t.Cleanup(func() {
		for virt, at := range m.maps {
			m.munmap(virt, at.size)
		}
		m.munmap(whole, physicalSize+BlockSize)
		if err := m.file.Close(); err != nil {
			t.Error(err)
		}
	})
	k.Attach(0x77, m.systemTable())
	return k, m
}

func (m *fakeMachine) mmap(at, size, offset uintptr, protection, flags int) uintptr {
	m.t.Helper()
	fd := m.file.Fd()
	if flags&syscall.MAP_ANON != 0 {
		fd = ^uintptr(0)
	}
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP, at, size, uintptr(protection), uintptr(flags), fd, offset)
	if errno != 0 {
		m.t.Fatalf("map %#x bytes at %#x: %v", size, at, errno)
	}
	return got
}

func (m *fakeMachine) munmap(at, size uintptr) {
	if _, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, at, size, 0); errno != 0 {
		m.t.Errorf("unmap %#x bytes at %#x: %v", size, at, errno)
	}
}

// systemTable lays out the tables with the fake's function addresses in them.
func (m *fakeMachine) systemTable() uintptr {
	m.tables = make([]uint64, 256)
	base := address(&m.tables[0])
	const boot, runtime, conOut = 512, 1024, 1280 // offsets in bytes
	set := func(offset, value uintptr) { m.tables[offset/8] = uint64(value) }
	set(tableBootServices, base+boot)
	set(tableRuntimeServices, base+runtime)
	set(tableConOut, base+conOut)
	set(boot+serviceAllocatePages, fakeAllocatePages)
	set(boot+serviceFreePages, fakeFreePages)
	set(boot+serviceHandleProtocol, fakeHandleProtocol)
	set(boot+serviceLocateProtocol, fakeLocateProtocol)
	set(boot+serviceStall, fakeStall)
	set(runtime+serviceGetTime, fakeGetTime)
	set(conOut+outputString, fakeOutputString)
	return base
}

// system makes a system call of the current thread and returns the thread that made it.
func (m *fakeMachine) system(k *Kernel, number uint64, args ...uint64) int {
	thread := k.Current()
	r := &m.regs[thread]
	r.number, r.args = number, [6]uint64{}
	copy(r.args[:], args)
	k.SystemCall()
	return thread
}

// Registers.

func (m *fakeMachine) CallNumber(thread int) uint64      { return m.regs[thread].number }
func (m *fakeMachine) Argument(thread, i int) uint64     { return m.regs[thread].args[i] }
func (m *fakeMachine) SetResult(thread int, value int64) { m.regs[thread].result = value }
func (m *fakeMachine) OwnCall(int) int64                 { return errNoSys }
func (m *fakeMachine) Start(thread int, stack uintptr)   { m.regs[thread].stack = stack }
func (m *fakeMachine) Clone(child, parent int)           { m.regs[child] = fakeRegisters{clonedOf: parent} }
func (m *fakeMachine) PopSignal(thread int) uint64       { return m.regs[thread].mask }
func (m *fakeMachine) PushSignal(thread int, d *Delivery) {
	m.regs[thread].delivered = append(m.regs[thread].delivered, *d)
}

// Clock. Time passes only when the kernel waits.

func (m *fakeMachine) Now() uint64   { return m.now }
func (m *fakeMachine) Ticks() uint64 { return m.now }
func (m *fakeMachine) Window()       { m.windows++; m.now += 1_000_000 }
func (m *fakeMachine) Wait()         { m.waits++; m.now += 10_000_000 }

// AddressSpace.

func (m *fakeMachine) Slots() int             { return fakeSlots }
func (m *fakeMachine) SlotFree(slot int) bool { return slot == fakeSlot }

func (m *fakeMachine) MapPage(virt, phys uintptr) bool { return m.enter(virt, phys, pageSize) }

func (m *fakeMachine) MapBlock(virt, phys uintptr) bool {
	for at := virt; at < virt+BlockSize; at += pageSize {
		if _, ok := m.maps[at]; ok {
			return false
		}
	}
	return m.enter(virt, phys, BlockSize)
}

func (m *fakeMachine) enter(virt, phys, size uintptr) bool {
	if m.noTables {
		return false
	}
	if was, ok := m.maps[virt]; ok {
		m.t.Errorf("%#x is mapped to %#x already", virt, was.phys)
	}
	m.mmap(virt, size, phys-m.physical, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_FIXED)
	m.maps[virt] = fakeMapping{phys, size}
	return true
}

func (m *fakeMachine) Lookup(virt uintptr) (phys, size uintptr) {
	if at, ok := m.maps[virt&^(BlockSize-1)]; ok && at.size == BlockSize {
		return at.phys, BlockSize
	}
	if at, ok := m.maps[virt&^(pageSize-1)]; ok {
		return at.phys, pageSize
	}
	block := virt &^ (BlockSize - 1)
	for at := block; at < block+BlockSize; at += pageSize {
		if _, ok := m.maps[at]; ok {
			return 0, pageSize
		}
	}
	return 0, BlockSize
}

func (m *fakeMachine) Unmap(virt uintptr) {
	at, ok := m.maps[virt]
	if !ok {
		m.t.Fatalf("unmap of %#x, which is not mapped", virt)
	}
	m.munmap(virt, at.size)
	delete(m.maps, virt)
}

func (m *fakeMachine) Split(virt uintptr) bool {
	at := m.maps[virt]
	if m.noTables || at.size != BlockSize {
		return false
	}
	for offset := uintptr(0); offset < BlockSize; offset += pageSize {
		m.maps[virt+offset] = fakeMapping{at.phys + offset, pageSize}
	}
	return true
}

func (m *fakeMachine) Hide(virt uintptr) bool { m.guarded[virt] = "hidden"; return true }

func (m *fakeMachine) Protect(virt uintptr, write, execute bool) bool {
	rights := "r"
	if write {
		rights += "w"
	}
	if execute {
		rights += "x"
	}
	m.guarded[virt] = rights
	return true
}

// Gate.

func (m *fakeMachine) Serial(c byte) { m.serial = append(m.serial, c) }

func (m *fakeMachine) Random() (uint64, bool) {
	if len(m.random) == 0 {
		return 0, false
	}
	word := m.random[0]
	m.random = append(m.random[1:], word)
	return word, true
}

func (m *fakeMachine) CallNative(fn, args uintptr) uintptr { return m.CallFirmware(fn, args) + 1 }

func (m *fakeMachine) CallFirmware(fn, args uintptr) uintptr {
	m.calls[fn]++
	a := mem.At[[MaxArguments]uintptr](args)
	switch fn {
	case fakeAllocatePages:
		return m.allocatePages(a[2], a[3])
	case fakeFreePages:
		return m.freePages(a[0], a[1])
	case fakeHandleProtocol:
		return m.handleProtocol(a[1], a[2])
	case fakeLocateProtocol:
		if m.rng == nil || *mem.At[[2]uint64](a[0]) != rngProtocol {
			return errorBit | 14 // EFI_NOT_FOUND
		}
		mem.StoreWord(a[2], m.shellTable(0, fakeGetRNG))
	case fakeGetTime:
		mem.Copy(a[0], address(&m.clock), 16)
	case fakeStall:
		m.now += uint64(a[0]) * 1000
	case fakeOutputString:
		for at := a[1]; mem.Load16(at) != 0; at += 2 {
			m.screen = append(m.screen, mem.Load16(at))
		}
	case fakeGetRNG:
		return m.rng(unsafe.Slice(mem.At[byte](a[3]), a[2]))
	default:
		return a[0] + 10*a[11]
	}
	return statusSuccess
}

// allocatePages gives the highest free pages, as firmware does.
func (m *fakeMachine) allocatePages(n, out uintptr) uintptr {
	free := 0
	for i := len(m.taken) - 1; i >= 0 && int(n) <= m.limit; i-- {
		if free++; m.taken[i] {
			free = 0
		}
		if free == int(n) {
			for j := range n {
				m.taken[i+int(j)] = true
			}
			m.limit -= int(n)
			base := m.physical + uintptr(i)*pageSize
			for at := base; at < base+n*pageSize; at += 8 {
				mem.Store64(at, 0xdeadbeefdeadbeef) // nobody promised zeroes
			}
			mem.StoreWord(out, base)
			return statusSuccess
		}
	}
	return statusOutOfResources
}

func (m *fakeMachine) freePages(base, n uintptr) uintptr {
	for i := range n {
		page := (base-m.physical)/pageSize + i
		if page >= uintptr(len(m.taken)) || !m.taken[page] {
			m.t.Errorf("page %#x is given back but was not taken", base+i*pageSize)
			return errorBit | 14
		}
		m.taken[page] = false
		m.limit++
	}
	return statusSuccess
}

// shellTable keeps two words for the firmware's answers.
func (m *fakeMachine) shellTable(first, second uintptr) uintptr {
	words := m.tables[200:202]
	words[0], words[1] = uint64(first), uint64(second)
	return address(&words[0])
}

func (m *fakeMachine) handleProtocol(guid, out uintptr) uintptr {
	switch *mem.At[[2]uint64](guid) {
	case shellParametersProtocol:
		if m.shell == nil {
			return errorBit | 3
		}
		argv := m.tables[210:]
		for i, s := range m.shell {
			text := append(utf16.Encode([]rune(s)), 0)
			argv[i] = uint64(address(&text[0]))
		}
		mem.StoreWord(out, m.shellTable(address(&argv[0]), uintptr(len(m.shell))))
	case loadedImageProtocol:
		image := m.tables[220:]
		image[imageFilePath/8] = 0
		if m.filePath != nil {
			image[imageFilePath/8] = uint64(address(&m.filePath[0]))
		}
		image[imageOptionsSize/8], image[imageOptions/8] = uint64(len(m.options)*2), 0
		if len(m.options) > 0 {
			image[imageOptions/8] = uint64(address(&m.options[0]))
		}
		image[imageBase/8] = uint64(fakePE(m))
		mem.StoreWord(out, address(&image[0]))
	}
	return statusSuccess
}

// inUse counts the pages that the firmware has given away.
func (m *fakeMachine) inUse() int {
	n := 0
	for _, taken := range m.taken {
		if taken {
			n++
		}
	}
	return n
}
