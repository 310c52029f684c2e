package goefi

//lint:file-ignore U1000 Assembly uses what nothing in Go does.

// cpuState is the processor state that the firmware and Go code do not share. Assembly reaches the fields by their names.
type cpuState struct {
	cr3, cr4                         uint64
	efer, star, lstar, fmask, fsBase uint64    // model-specific registers
	cs, ss, tr                       uint64    // selectors
	gdtr, idtr                       [2]uint64 // as SGDT and SIDT store them: 16-bit limit, then the base
}

var (
	firmwareState cpuState // as it was when the application was entered
	goState       cpuState // while Go code runs

	// callState is what differs from goState in a firmware call: cr3, cr4 and idtr only. The descriptor tables of Go code
	// contain the firmware's, so they may stay.
	callState cpuState
)

// Bits of control registers and of EFER (Intel SDM volume 3 §2.5, §2.2.1).
const (
	cr4PGE     = 1 << 7
	cr4LA57    = 1 << 12
	cr4PCIDE   = 1 << 17
	cr4OSXSAVE = 1 << 18
	cr4CET     = 1 << 23

	eferSCE = 1 << 0
	eferNXE = 1 << 11
)

// Flags that SYSCALL clears: trap, interrupt, direction, nested task, alignment check.
const syscallFlagMask = 1<<8 | 1<<9 | 1<<10 | 1<<14 | 1<<18

// limit and base of a table register as it is stored.
func tableLimit(r *[2]uint64) uintptr { return uintptr(r[0] & 0xffff) }
func tableBase(r *[2]uint64) uintptr  { return uintptr(r[0]>>16 | r[1]<<48) }

func tableRegister(base uintptr, size uint64) [2]uint64 {
	return [2]uint64{(size-1)&0xffff | uint64(base)<<16, uint64(base) >> 48}
}

// saveState stores the processor's state in s.
func saveState(s *cpuState)

// loadState makes s the processor's state. It is in assembly because the thread pointer, and with it the current goroutine,
// changes on the way.
//
// Preconditions: interrupts are off; the code that runs and its stack are mapped alike in both address spaces. A task register
// of 0 stays as it is, for there is no way to load it.
func loadState(s *cpuState)

// prepareStates derives the state for Go code from the firmware's. It reports false if there is no memory for the tables.
//
// AVX is hidden from Go, since traps save only what FXSAVE knows. Global pages are off, so that entries of the firmware's
// translations do not outlive the switch to ours; the change of the bit flushes them.
func prepareStates() bool {
	goState = firmwareState
	goState.cr4 &^= cr4OSXSAVE | cr4PGE
	goState.efer |= eferSCE
	goState.star = firmwareState.cs << 32
	goState.lstar = syscallEntryPC
	goState.fmask = syscallFlagMask
	goState.fsBase = kernelThreadPointer
	return preparePageTables() && prepareDescriptors()
}

// forgetStates makes the firmware's own state the one for everything, for the last calls before the program leaves.
func forgetStates() {
	goState, callState = firmwareState, firmwareState
}
