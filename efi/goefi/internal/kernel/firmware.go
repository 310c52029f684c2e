package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// firmware is what is kept of the tables that the firmware passes to an application.
type firmware struct {
	image, table uintptr
	boot         uintptr // EFI_BOOT_SERVICES
	runtime      uintptr // EFI_RUNTIME_SERVICES
	conOut       uintptr // EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL

	arguments [MaxArguments]uintptr
	out       uintptr   // for results that come back through a pointer
	buffer    [4]uint64 // for small structures
}

// MaxArguments is how many arguments a firmware function can be called with. BlockIo, PCI and GOP functions take up to ten.
const MaxArguments = 12

// Offsets in EFI_SYSTEM_TABLE (UEFI 2.10 §4.3.1), in bytes, with 64-bit words.
const (
	tableConOut          = 64
	tableRuntimeServices = 88
	tableBootServices    = 96
)

// Offsets in EFI_BOOT_SERVICES (UEFI 2.10 §4.4.1) and EFI_RUNTIME_SERVICES (§4.5.1).
const (
	serviceAllocatePages  = 40
	serviceFreePages      = 48
	serviceHandleProtocol = 152
	serviceStall          = 248
	serviceLocateProtocol = 320

	serviceGetTime = 24
)

// Attach gives the kernel the arguments of the application's entry point (UEFI 2.10 §4.1.1). It comes before all else.
func (k *Kernel) Attach(image, table uintptr) {
	f := &k.firmware
	f.image, f.table = image, table
	f.boot = mem.LoadWord(table + tableBootServices)
	f.runtime = mem.LoadWord(table + tableRuntimeServices)
	f.conOut = mem.LoadWord(table + tableConOut)
}

// Image is the handle of this application.
func (k *Kernel) Image() uintptr { return k.firmware.image }

// SystemTable is the address of the EFI_SYSTEM_TABLE, or 0 outside of firmware.
func (k *Kernel) SystemTable() uintptr { return k.firmware.table }

// call calls a firmware function from kernel context.
func (k *Kernel) call(fn, a, b, c, d uintptr) uintptr {
	args := &k.firmware.arguments
	args[0], args[1], args[2], args[3] = a, b, c, d
	return k.Machine.CallFirmware(fn, address(args))
}

func (k *Kernel) bootService(offset, a, b, c, d uintptr) uintptr {
	return k.call(mem.LoadWord(k.firmware.boot+offset), a, b, c, d)
}

func (k *Kernel) runtimeService(offset, a, b uintptr) uintptr {
	return k.call(mem.LoadWord(k.firmware.runtime+offset), a, b, 0, 0)
}

// Stall waits, in the firmware (UEFI 2.10 §7.5.2).
func (k *Kernel) Stall(microseconds uintptr) { k.bootService(serviceStall, microseconds, 0, 0, 0) }

// protocol returns the interface of a protocol on a handle, or the first one of the system for handle 0; 0 if there is none.
func (k *Kernel) protocol(handle uintptr, guid *[2]uint64) uintptr {
	k.firmware.out = 0
	var status uintptr
	if handle != 0 {
		status = k.bootService(serviceHandleProtocol, handle, address(guid), address(&k.firmware.out), 0)
	} else {
		status = k.bootService(serviceLocateProtocol, address(guid), 0, address(&k.firmware.out), 0)
	}
	if status != statusSuccess {
		return 0
	}
	return k.firmware.out
}

// firmwareCall serves the private system call. The arguments are copied, because the calling thread's stack is not mapped in
// a native call.
func (k *Kernel) firmwareCall(fn, args uintptr, native bool) int64 {
	k.refill()
	copied := &k.firmware.arguments
	for i := range copied {
		copied[i] = mem.LoadWord(args + uintptr(i)*8)
	}
	if native {
		return int64(k.Machine.CallNative(fn, address(copied)))
	}
	return int64(k.Machine.CallFirmware(fn, address(copied)))
}
