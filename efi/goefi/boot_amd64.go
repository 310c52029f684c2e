package goefi

//lint:file-ignore U1000 Assembly uses what nothing in Go does.

// What assembly sets or reads. All of it has static initial values, for it is used before the runtime starts.
var (
	kernelSP            uint64      // top of the stack in kernel context: the firmware's, below the entry's caller
	kernelThreadPointer uint64      // FS base in kernel context: the word below it is the address of kernelG
	kernelTLS           [1]uint64   // that word
	kernelG             [128]uint64 // a goroutine structure of zeroes; its stack guard of 0 lets all stack checks pass

	inKernel   uint8 // kernel context or firmware runs, not Go code
	inFirmware uint8 // the firmware runs
	leaving    uint8 // the program is to return to the firmware

	current uintptr // address of the running thread's context

	syscallNumber uint64 // for a moment in syscallEntry

	caller callerState

	// Addresses of code, as it was loaded.
	programEntryPC, syscallEntryPC, trapStubsPC uint64
)

// callerState is what a function has to give back to its caller in the Microsoft x64 calling convention.
type callerState struct {
	bx, bp, di, si, sp, r12, r13, r14, r15, flags uint64
	xmm                                           [10][2]uint64 // X6 to X15
}

// boot prepares everything for the first thread. It runs on the firmware's stack with interrupts off.
func boot(image, table uintptr) {
	forgetStates() // until the tables below are there, everything runs in the firmware's own
	clockStart = readCounter()
	kern.Attach(image, table)
	switch line := refusal(&firmwareState); {
	case line != "":
		kern.Refuse(line)
	case !prepareClock():
		kern.Refuse("goefi: cannot run: the processor's time-stamp counter stands still\n")
	case !kern.Reserve() || !prepareStates():
		kern.Refuse("goefi: cannot run: not enough memory for page tables and stacks\n")
	default:
		kern.Start()
	}
	settle()
}

// systemCall serves the system call of the current thread.
func systemCall() {
	kern.SystemCall()
	settle()
}

// settle tells assembly what comes next.
func settle() {
	if _, exiting := kern.Exiting(); exiting {
		leaving = 1
	}
	selectCurrent()
}

// cleanUp gives everything back to the firmware, whose own state is loaded already, and returns the application's status.
func cleanUp() (status uintptr) {
	forgetStates()
	kern.GiveBack()
	status, _ = kern.Exiting()
	return status
}
