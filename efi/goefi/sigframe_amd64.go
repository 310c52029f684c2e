package goefi

import (
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/kernel"
	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// signalFrame is what a Linux signal handler finds on its stack (Linux arch/x86/include/asm/sigframe.h, struct rt_sigframe; the
// parts are struct ucontext and struct sigcontext_64 of the uapi headers). The FXSAVE image follows, 64-byte aligned.
type signalFrame struct {
	restorer uint64 // the handler returns to it
	flags    uint64
	_        uint64
	alt      kernel.AltStack

	r8, r9, r10, r11, r12, r13, r14, r15 uint64
	di, si, bp, bx, dx, ax, cx, sp       uint64
	ip, rflags                           uint64
	cs, _, _, ss                         uint16
	trapError, trapNumber, oldMask, cr2  uint64
	fp                                   uintptr
	_                                    [8]uint64

	mask uint64
	_    uint64

	// siginfo_t
	signal, _, code, _ int32
	address            uint64
	_                  [13]uint64
}

const (
	redZone     = 128 // below RSP (System V ABI for x86-64 §3.2.2)
	frameAlign  = 16
	fpAlign     = 64
	contextInto = unsafe.Offsetof(signalFrame{}.flags)  // RDX of a handler
	infoInto    = unsafe.Offsetof(signalFrame{}.signal) // RSI of a handler
)

// PushSignal makes the thread continue in its signal handler.
func (*machine) PushSignal(thread int, d *kernel.Delivery) {
	c, cause := contextOf(thread), lastTrap // a first touch of the stack below is a trap too
	c.fill()
	fp := (uintptr(d.Stack(c.sp, redZone)) - fxSize) &^ (fpAlign - 1)
	// A function is entered with RSP 8 above a multiple of 16, as if called.
	at := (fp-unsafe.Sizeof(signalFrame{}))&^(frameAlign-1) - 8
	mem.Zero(at, unsafe.Sizeof(signalFrame{}))
	mem.Copy(fp, c.fp, fxSize)

	f := mem.At[signalFrame](at)
	c.storeTo(f)
	f.restorer, f.alt, f.mask, f.oldMask, f.fp = d.Action.Restorer, d.Alt, d.Mask, d.Mask, fp
	f.signal, f.code, f.address = int32(d.Signal), d.Code, d.Address
	f.trapError, f.trapNumber, f.cr2 = cause.code, cause.vector, cause.address

	c.di, c.si, c.dx, c.ax = d.Signal, uint64(at+infoInto), uint64(at+contextInto), 0
	c.sp, c.ip, c.flags = uint64(at), d.Action.Handler, flagInterrupts|flagAlwaysSet
}

const flagAlwaysSet = 1 << 1

// PopSignal continues what a signal interrupted. The handler has popped the restorer, so RSP points behind it.
func (*machine) PopSignal(thread int) (mask uint64) {
	c := contextOf(thread)
	f := mem.At[signalFrame](uintptr(c.sp) - contextInto)
	c.loadFrom(f)
	mem.Copy(c.fp, f.fp, fxSize)
	c.full = 1
	return f.mask
}

func (c *context) storeTo(f *signalFrame) {
	f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15 = c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15
	f.di, f.si, f.bp, f.bx, f.dx, f.ax, f.cx, f.sp = c.di, c.si, c.bp, c.bx, c.dx, c.ax, c.cx, c.sp
	f.ip, f.rflags, f.cs, f.ss = c.ip, c.flags, uint16(firmwareState.cs), uint16(firmwareState.ss)
}

func (c *context) loadFrom(f *signalFrame) {
	c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15 = f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15
	c.di, c.si, c.bp, c.bx, c.dx, c.ax, c.cx, c.sp = f.di, f.si, f.bp, f.bx, f.dx, f.ax, f.cx, f.sp
	c.ip, c.flags = f.ip, f.rflags|flagInterrupts
}
