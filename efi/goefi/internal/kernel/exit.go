package kernel

// EFI_STATUS values (UEFI 2.10 Appendix D). Errors have the top bit set; those with the next bit set too are for OEMs.
const (
	statusSuccess        = 0
	errorBit             = 1 << 63
	oemError             = errorBit | 1<<62
	statusUnsupported    = errorBit | 3
	statusOutOfResources = errorBit | 9
	statusAborted        = errorBit | 21
)

// panicExit is the exit code of a Go program that ends with an unrecovered panic or a fatal error of the runtime.
const panicExit = 2

// exitStatus is what the firmware gets for an exit code of the program: EFI_SUCCESS for 0, EFI_ABORTED for 2, which is a panic,
// and an error in the OEM range that carries the code for all others.
func exitStatus(code uintptr) uintptr {
	switch code & 0xff {
	case 0:
		return statusSuccess
	case panicExit:
		return statusAborted
	}
	return oemError | code&0xff
}

// Fatal ends the program after a line on the console and the serial port. The line says what happened.
func (k *Kernel) Fatal(line string) {
	k.Report(line)
	k.Exit(statusAborted)
}

// Refuse ends a program that cannot run on this machine, before it has started. The line says what and what to do.
func (k *Kernel) Refuse(line string) {
	k.Report(line)
	k.Exit(statusUnsupported)
}
