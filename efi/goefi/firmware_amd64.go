package goefi

// CallFirmware opens interrupts for the call. Pointers into Go memory are good: the tables for firmware calls map it.
func (*machine) CallFirmware(fn, args uintptr) uintptr { return firmwareCall(fn, args) }

// CallNative refreshes what depends on the firmware's tables afterwards, since the program that was started may have changed
// them.
func (*machine) CallNative(fn, args uintptr) uintptr {
	status := nativeCall(fn, args)
	copyFirmwareIDT()
	return status
}

// firmwareCall calls fn in the firmware's address space with ours added.
//
// Preconditions: kernel context, interrupts off. They are off again afterwards.
func firmwareCall(fn, args uintptr) uintptr

// nativeCall is firmwareCall with all of the firmware's processor state.
func nativeCall(fn, args uintptr) uintptr

// callGate calls fn in the Microsoft x64 calling convention, which is UEFI's (UEFI 2.10 §2.3.4.2), with the twelve words at args.
// It touches no processor state, so it can be tested on any host.
func callGate(fn, args uintptr) uintptr

// loadFile2Address is where loadFile2 is. In Go its name would stand for a wrapper with Go's calling convention.
func loadFile2Address() uintptr
