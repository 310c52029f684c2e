package goefi

import (
	"bytes"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		name string
		cr4  uint64
		want string
	}{
		{"OVMF", 0x668, ""},
		{"global pages, AVX, SMEP, SMAP", 0x668 | cr4PGE | cr4OSXSAVE | 1<<20 | 1<<21, ""},
		{"5-level paging", 0x668 | cr4LA57, "LA57"},
		{"PCID", 0x668 | cr4PCIDE, "PCID"},
		{"CET", 0x668 | cr4CET, "CET"},
	} {
		got := refusal(&cpuState{cr4: c.cr4})
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
		if got != "" && (!strings.HasPrefix(got, "goefi: cannot run: ") || !strings.HasSuffix(got, "\n")) {
			t.Errorf("%s: %q is no line for a user", c.name, got)
		}
	}
}

func TestHertz(t *testing.T) {
	ratio := cpuidLeaf{a: 2, b: 176}
	for _, c := range []struct {
		name   string
		leaves clockLeaves
		want   uint64
	}{
		{"nothing", clockLeaves{}, 0},
		{"crystal and ratio", clockLeaves{crystal: cpuidLeaf{a: 2, b: 176, c: 24_000_000}}, 2_112_000_000},
		{"ratio and nominal frequency", clockLeaves{crystal: ratio, frequency: cpuidLeaf{a: 2100}}, 2_100_000_000},
		{"nominal frequency without ratio", clockLeaves{frequency: cpuidLeaf{a: 2100}}, 0},
		{"ratio alone", clockLeaves{crystal: ratio}, 0},
		{"hypervisor", clockLeaves{hypervisor: cpuidLeaf{a: 2_893_204}, crystal: cpuidLeaf{a: 2, b: 176, c: 24_000_000}}, 2_893_204_000},
		{"a hypervisor's leaf that is something else", clockLeaves{hypervisor: cpuidLeaf{a: 7}}, 0},
		{"too fast", clockLeaves{hypervisor: cpuidLeaf{a: 0xffffffff}}, 0},
		{"no denominator", clockLeaves{crystal: cpuidLeaf{b: 176, c: 24_000_000}}, 0},
	} {
		if got := c.leaves.hertz(); got != c.want {
			t.Errorf("%s: %d Hz, want %d", c.name, got, c.want)
		}
	}
}

func TestHaltable(t *testing.T) {
	for _, c := range []struct {
		leaves clockLeaves
		want   bool
	}{
		{clockLeaves{}, false},
		{clockLeaves{power: cpuidLeaf{d: cpuidInvariant}}, true},
		{clockLeaves{features: cpuidLeaf{c: cpuidHypervisor}}, true},
	} {
		if got := c.leaves.haltable(); got != c.want {
			t.Errorf("%+v: %v", c.leaves, got)
		}
	}
}

func TestReadClockLeavesOfThisProcessor(t *testing.T) {
	if l := readClockLeaves(); l.features.d>>4&1 == 0 { // every x86-64 processor has a counter
		t.Errorf("features are %#x", l.features)
	}
	if a, b := readCounter(), readCounter(); b <= a {
		t.Errorf("the counter goes from %d to %d", a, b)
	}
}

func TestDescriptors(t *testing.T) {
	const base = 0x123456789abcd000
	// Intel SDM volume 3 figure 8-4: limit, base in three parts, present and type.
	d := taskDescriptor(base)
	if limit, low, typ := d&0xffff|d>>48&0xf<<16, d>>16&0xffffff|d>>56<<24, d>>40&0xff; limit != tssSize-1 || low != base&0xffffffff || typ != 0x89 {
		t.Errorf("task descriptor %#x: limit %#x, base %#x, type %#x", d, limit, low, typ)
	}
	if r := tableRegister(base, 0x1000); tableLimit(&r) != 0xfff || tableBase(&r) != base {
		t.Errorf("table register %#x: limit %#x, base %#x", r, tableLimit(&r), tableBase(&r))
	}
	task := onHeap([tssSize]byte{})
	setInterruptStack(addressOf(task), 3, 0x77778888)
	if got := mem.Load64(addressOf(task) + 0x34); got != 0x77778888 { // IST3
		t.Errorf("IST3 is %#x", got)
	}
}

func TestGates(t *testing.T) {
	savedState, savedPC := firmwareState, trapStubsPC
	t.Cleanup(func() { firmwareState, trapStubsPC = savedState, savedPC })
	table := onHeap([2 * vectors]uint64{})
	firmwareState = cpuState{cs: 0x38, idtr: tableRegister(addressOf(table), uint64(unsafe.Sizeof(*table)))}
	trapStubsPC = 0x1234_5678_9abc
	for v := range uint64(vectors) {
		if firmwareHandler(v) != 0 {
			t.Fatalf("an absent gate %d leads somewhere", v)
		}
		setGate(addressOf(table), v)
		if got, want := firmwareHandler(v), uintptr(trapStubsPC+v*stubSize); got != want {
			t.Fatalf("gate %d leads to %#x, want %#x", v, got, want)
		}
		wantStack := map[uint64]uint64{vectorDoubleFault: stackDoubleFault, vectorNMI: stackNMI, vectorMachineCheck: stackMachineCheck}[v]
		if wantStack == 0 {
			wantStack = stackTrap
		}
		if gate := table[v*2]; gate>>16&0xffff != 0x38 || gate>>32&7 != wantStack || gate>>40&0xff != 0x8e {
			t.Fatalf("gate %d is %#x", v, gate)
		}
	}
	firmwareState.idtr = tableRegister(addressOf(table), 32*16)
	if firmwareHandler(31) == 0 || firmwareHandler(32) != 0 {
		t.Error("the limit of the table is not kept")
	}
}

// TestSignalFrameLayout compares with the offsets of struct rt_sigframe as Linux and Go's runtime have them.
func TestSignalFrameLayout(t *testing.T) {
	var f signalFrame
	ucontext := unsafe.Offsetof(f.flags)
	for name, c := range map[string]struct{ got, want uintptr }{
		"uc_stack":             {unsafe.Offsetof(f.alt) - ucontext, 16},
		"r8":                   {unsafe.Offsetof(f.r8) - ucontext, 40},
		"rsp":                  {unsafe.Offsetof(f.sp) - ucontext, 40 + 15*8},
		"rip":                  {unsafe.Offsetof(f.ip) - ucontext, 40 + 16*8},
		"cr2":                  {unsafe.Offsetof(f.cr2) - ucontext, 40 + 22*8},
		"fpstate":              {unsafe.Offsetof(f.fp) - ucontext, 40 + 23*8},
		"uc_sigmask":           {unsafe.Offsetof(f.mask) - ucontext, 40 + 32*8},
		"si_code after signal": {unsafe.Offsetof(f.code) - unsafe.Offsetof(f.signal), 8},
		"si_addr after signal": {unsafe.Offsetof(f.address) - unsafe.Offsetof(f.signal), 16},
		"siginfo_t":            {unsafe.Sizeof(f) - unsafe.Offsetof(f.signal), 128},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d, want %d", name, c.got, c.want)
		}
	}
}

func TestSignalFrameRoundTrip(t *testing.T) {
	saved := contexts[5]
	t.Cleanup(func() { contexts[5] = saved })
	random := rand.New(rand.NewSource(3))
	for range 100 {
		stack := onHeap([16 << 10]byte{})
		fp := onHeap([fxSize]byte{})
		if _, err := random.Read(fp[:]); err != nil {
			t.Fatal(err)
		}
		c := &contexts[5]
		*c = context{fp: addressOf(fp), full: 1}
		for _, r := range []*uint64{&c.ax, &c.bx, &c.cx, &c.dx, &c.si, &c.di, &c.bp, &c.r8, &c.r9, &c.r10, &c.r11, &c.r12, &c.r13, &c.r14, &c.r15, &c.ip} {
			*r = random.Uint64()
		}
		c.flags = random.Uint64()&0xcd5 | flagInterrupts
		c.sp = uint64(addressOf(stack)) + 12<<10 + uint64(random.Intn(100))*8
		want, wantFP, mask := *c, *fp, random.Uint64()

		d := &kernel.Delivery{Signal: 23, Code: -6, Address: 0x99, Mask: mask, Action: kernel.Action{Handler: 0x4444, Restorer: 0x5555}}
		amd64.PushSignal(5, d)
		if c.ip != 0x4444 || c.di != 23 || c.sp%16 != 8 || c.sp+frameSize > want.sp-redZone || mem.Load64(uintptr(c.sp)) != 0x5555 {
			t.Fatalf("the handler would start with %+v", *c)
		}
		if info := uintptr(c.si); int32(mem.Load32(info)) != 23 || int32(mem.Load32(info+8)) != -6 || mem.Load64(info+16) != 0x99 {
			t.Fatal("siginfo is wrong")
		}
		if ucontext := uintptr(c.dx); mem.Load64(ucontext+40+16*8) != want.ip || mem.Load64(ucontext+40+15*8) != want.sp {
			t.Fatal("ucontext is wrong")
		}
		// The handler runs, changes everything, and returns through the restorer.
		frame := c.sp
		clear(fp[:])
		*c = context{fp: c.fp, sp: frame + 8}
		if got := amd64.PopSignal(5); got != mask || *c != want || !bytes.Equal(fp[:], wantFP[:]) {
			t.Fatalf("mask %#x, context %+v; want %#x, %+v", got, *c, mask, want)
		}
	}
}

const frameSize = uint64(unsafe.Sizeof(signalFrame{})) + fxSize

func TestFillCompletesASystemCall(t *testing.T) {
	fp := onHeap([fxSize]byte{1, 2, 3})
	c := context{cx: 0x1000, r11: 0x46, fp: addressOf(fp)}
	c.fill()
	if c.full != 1 || c.ip != 0x1000 || c.flags != 0x246 || mem.Load16(c.fp) != 0x37f || mem.Load32(c.fp+24) != 0x1f80 {
		t.Errorf("%+v", c)
	}
	c.ip = 5
	if c.fill(); c.ip != 5 {
		t.Error("a full context is filled again")
	}
}

func TestCloneAndOwnCalls(t *testing.T) {
	saved := contexts
	t.Cleanup(func() { contexts = saved })
	contexts[1] = context{ax: 56, di: 0x80000, si: 0x9000, r8: 0x7000, cx: 0x1234, r12: 9, fp: 1, fs: 3}
	contexts[2] = context{fp: 2}
	amd64.Clone(2, 1)
	if got, want := contexts[2], (context{di: 0x80000, si: 0x9000, r8: 0x7000, cx: 0x1234, r12: 9, fp: 2, fs: 0x7000, sp: 0x9000}); got != want {
		t.Errorf("the child is %+v, want %+v", got, want)
	}
	for i, want := range []uint64{1, 2, 3, 4, 5, 6} {
		contexts[1] = context{di: 1, si: 2, dx: 3, r10: 4, r8: 5, r9: 6}
		if got := amd64.Argument(1, i); got != want {
			t.Errorf("argument %d is %d", i, got)
		}
	}
	contexts[1] = context{ax: 158, di: 0x1002, si: 0x55}
	if got := amd64.OwnCall(1); got != 0 || contexts[1].fs != 0x55 {
		t.Errorf("arch_prctl returns %d, the thread pointer is %#x", got, contexts[1].fs)
	}
	contexts[1] = context{ax: 158, di: 0x1003}
	if got := amd64.OwnCall(1); got != -22 {
		t.Errorf("another arch_prctl returns %d", got)
	}
	contexts[1] = context{ax: 157}
	if got := amd64.OwnCall(1); got != -38 {
		t.Errorf("another call returns %d", got)
	}
}

func TestIdentifyTraps(t *testing.T) {
	saved := trapStubsPC
	t.Cleanup(func() { trapStubsPC = saved })
	trapStubsPC = 0x10000
	top := onHeap([8]uint64{2: 0x1234}) // the error code, 48 bytes below the end
	for v := range uint64(vectors) {
		got := trap{ret: trapStubsPC + (v+1)*stubSize, top: uint64(addressOf(top)) + 64}
		got.identify()
		want := uint64(0)
		if strings.Contains(" 8 10 11 12 13 14 17 21 29 30 ", " "+strconv.FormatUint(v, 10)+" ") {
			want = 0x1234
		}
		if got.vector != v || got.code != want {
			t.Errorf("vector %d: %d with code %#x", v, got.vector, got.code)
		}
	}
}
