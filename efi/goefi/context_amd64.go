package goefi

import (
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// context is the saved processor state of a thread. Assembly reaches the fields by their names.
type context struct {
	ax, bx, cx, dx, si, di, bp, sp  uint64
	r8, r9, r10, r11, r12, r13, r14 uint64
	r15                             uint64
	ip, flags                       uint64  // valid if full
	fs                              uint64  // thread pointer
	full                            uint64  // 1: a trap saved everything; 0: a system call, CX and R11 say where to go on
	fp                              uintptr // FXSAVE area
}

const (
	maxThreads = kernel.MaxThreads
	fxSize     = 512
	fxAlign    = 16
)

var (
	contexts [maxThreads]context
	fxAreas  [maxThreads*fxSize + fxAlign]byte
)

const flagInterrupts = 1 << 9

// machine is this architecture for the kernel.
type machine struct{}

var (
	amd64 machine
	kern  = kernel.Kernel{Machine: &amd64}
)

func contextOf(thread int) *context { return &contexts[uint(thread)%maxThreads] }

// selectCurrent tells assembly which thread to continue.
//
// SAFETY: contexts is a static variable and never moves. The address is no Go pointer, so storing it needs no write barrier.
func selectCurrent() { current = uintptr(unsafe.Pointer(contextOf(kern.Current()))) }

// CallNumber, Argument and SetResult follow the system-call convention of Linux: number in RAX, arguments in RDI, RSI, RDX,
// R10, R8, R9, result in RAX (System V ABI for x86-64 §A.2.1).
func (*machine) CallNumber(thread int) uint64 { return contextOf(thread).ax }

func (*machine) Argument(thread, i int) uint64 {
	c := contextOf(thread)
	switch i {
	case 0:
		return c.di
	case 1:
		return c.si
	case 2:
		return c.dx
	case 3:
		return c.r10
	case 4:
		return c.r8
	}
	return c.r9
}

func (*machine) SetResult(thread int, value int64) { contextOf(thread).ax = uint64(value) }

// OwnCall serves arch_prctl, with which the runtime sets the first thread's pointer (settls).
func (*machine) OwnCall(thread int) int64 {
	const (
		sysArchPrctl = 158
		archSetFS    = 0x1002
		errInvalid   = -22
		errNoSys     = -38
	)
	c := contextOf(thread)
	switch {
	case c.ax != sysArchPrctl:
		return errNoSys
	case c.di != archSetFS:
		return errInvalid
	}
	c.fs = c.si
	return 0
}

// Start makes the thread begin at the runtime's entry point, as if a system call returned there.
func (*machine) Start(thread int, stack uintptr) {
	areas := (uintptr(unsafe.Pointer(&fxAreas)) + fxAlign - 1) &^ (fxAlign - 1)
	for i := range contexts {
		contexts[i].fp = areas + uintptr(i)*fxSize
	}
	c := contextOf(thread)
	c.cx, c.sp, c.fs = programEntryPC, uint64(stack), kernelThreadPointer
}

// Clone serves clone(2): the child's stack is in RSI, its thread pointer in R8.
func (*machine) Clone(child, parent int) {
	const cloneSetTLS = 0x80000
	c, p := contextOf(child), contextOf(parent)
	area := c.fp
	*c = *p
	c.fp, c.ax, c.sp = area, 0, p.si
	if p.di&cloneSetTLS != 0 {
		c.fs = p.r8
	}
}

// fill completes the context of a thread that is in a system call, so that a signal can interrupt it. Floating-point registers
// hold nothing there, by Go's calling convention.
func (c *context) fill() {
	if c.full != 0 {
		return
	}
	const (
		offsetMXCSR = 24
		defaultFCW  = 0x37f
		defaultCSR  = 0x1f80
	)
	c.full, c.ip, c.flags = 1, c.cx, c.r11|flagInterrupts
	mem.Zero(c.fp, fxSize)
	mem.Store16(c.fp, defaultFCW)
	mem.Store32(c.fp+offsetMXCSR, defaultCSR)
}
