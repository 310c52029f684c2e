package goefi

//lint:file-ignore U1000 Assembly uses what nothing in Go does.

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// trap is what the assembly notes about an exception or interrupt.
type trap struct {
	ret     uint64 // where the stub of the vector would return to: says which vector it is
	top     uint64 // upper end of the interrupt stack
	vector  uint64
	code    uint64 // error code, 0 for vectors without
	address uint64 // CR2
}

var lastTrap trap

// The processor stores a frame at the top of the interrupt stack: SS, RSP, RFLAGS, CS, RIP and, for some vectors, an error code.
const (
	frameSP   = 16 // below the top, in bytes
	frameIP   = 40
	frameCode = 48
)

// identify completes the notes about a trap.
func (t *trap) identify() {
	t.vector = (t.ret-trapStubsPC)/stubSize - 1
	t.code = 0
	if t.vector < 64 && withErrorCode>>t.vector&1 != 0 {
		t.code = mem.Load64(uintptr(t.top) - frameCode)
	}
}

// trapInGo serves an interrupt or exception that arrived in Go code. The thread's context is saved; the stack is the kernel's.
func trapInGo() {
	t := &lastTrap
	t.identify()
	if t.vector >= firstInterrupt {
		if handler := firmwareHandler(t.vector); handler != 0 {
			forwardInterrupt(handler)
		}
		kern.Tick()
	} else {
		exceptionInGo(t)
	}
	settle()
}

// Linux si_code values (include/uapi/asm-generic/siginfo.h).
const (
	codeKernel      = 0x80 // SI_KERNEL
	codeMapping     = 1    // SEGV_MAPERR
	codeAccess      = 2    // SEGV_ACCERR
	codeDivide      = 1    // FPE_INTDIV
	codeFloat       = 7    // FPE_FLTINV
	codeOpcode      = 1    // ILL_ILLOPC
	codeBreakpoint  = 1    // TRAP_BRKPT
	signalIllegal   = 4
	signalTrap      = 5
	signalFloat     = 8
	signalViolation = 11
)

// exceptionInGo turns an exception into the signal that Linux would send, and a page fault into memory where it may.
func exceptionInGo(t *trap) {
	c := contextOf(kern.Current())
	served := false
	switch t.vector {
	case vectorPageFault:
		served = t.code&present == 0 && kern.PageFault(uintptr(t.address), true)
		if served {
			kern.Settle()
			return
		}
		code := int32(codeMapping)
		if t.code&present != 0 {
			code = codeAccess
		}
		served = kern.Fault(signalViolation, code, t.address)
	case vectorDivide:
		served = kern.Fault(signalFloat, codeDivide, c.ip)
	case vectorFloat, vectorSIMD:
		served = kern.Fault(signalFloat, codeFloat, c.ip)
	case vectorOpcode:
		served = kern.Fault(signalIllegal, codeOpcode, c.ip)
	case vectorBreakpoint:
		served = kern.Fault(signalTrap, codeBreakpoint, c.ip)
	case vectorNMI, vectorDoubleFault, vectorMachineCheck:
	default:
		served = kern.Fault(signalViolation, codeKernel, 0)
	}
	if !served {
		fatalTrap(c.ip, c.sp)
	}
}

// Verdicts of trapInKernel.
const (
	trapServed  = iota // continue
	trapForward        // it is the firmware's
	trapFatal
)

// trapInKernel decides about an exception in kernel context or in the firmware: only the first touch of a page is served there.
func trapInKernel() (verdict uintptr) {
	t := &lastTrap
	t.identify()
	switch {
	case t.vector == vectorPageFault && t.code&present == 0 && kern.PageFault(uintptr(t.address), false):
		return trapServed
	case t.vector == vectorPageFault && inFirmware != 0:
		forwardHandler = firmwareHandler(t.vector)
		return trapForward
	}
	return trapFatal
}

// forwardHandler is where trapForward leads.
var forwardHandler uintptr

// trapFatalInKernel ends the program after an exception that nothing can be done about.
func trapFatalInKernel() {
	top := uintptr(lastTrap.top)
	fatalTrap(mem.Load64(top-frameIP), mem.Load64(top-frameSP))
}

func fatalTrap(ip, sp uint64) {
	t := &lastTrap
	kern.Report("goefi: exception ")
	kern.ReportHex(t.vector)
	kern.Report(" error code ")
	kern.ReportHex(t.code)
	kern.Report(" address ")
	kern.ReportHex(t.address)
	kern.Report(" at ")
	kern.ReportHex(ip)
	kern.Report(" stack ")
	kern.ReportHex(sp)
	kern.Report(" image ")
	kern.ReportHex(trapStubsPC)
	kern.Fatal("\ngoefi: the program cannot go on; it ends and returns to the firmware\n")
}

// forwardInterrupt runs the firmware's handler of an interrupt as if it had come just now, in the firmware's state.
//
// Preconditions: kernel context, interrupts off. They are off again afterwards.
func forwardInterrupt(handler uintptr)
