package fakefw

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
	"unicode/utf16"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// start is the machine's clock at New.
var start = time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)

// buildTables makes the system table and all that hangs off it.
func (fw *Firmware) buildTables() uintptr {
	var vendor [16]uint16
	copy(vendor[:], utf16.Encode([]rune("fakefw")))
	vendorAddr, _ := place(fw, vendor)
	conIn, conOut := fw.buildConsole()
	bootServices, _ := place(fw, fw.bootServices())
	runtimeServices, _ := place(fw, fw.runtimeServices())
	table, system := place(fw, raw.SystemTable{
		Hdr:            raw.TableHeader{Signature: raw.SystemTableSignature, Revision: 2<<16 | 100, HeaderSize: 120},
		FirmwareVendor: vendorAddr, FirmwareRevision: 0x10000,
		ConIn: conIn, ConOut: conOut, StdErr: conOut,
		BootServices: bootServices, RuntimeServices: runtimeServices,
	})
	fw.table = system
	fw.buildApp(table)
	fw.buildRNG()
	return table
}

func (fw *Firmware) bootServices() raw.BootServices {
	return raw.BootServices{
		Hdr:           raw.TableHeader{Signature: raw.BootServicesSignature},
		AllocatePages: fw.register("AllocatePages", fw.allocatePages),
		FreePages:     fw.register("FreePages", fw.freePages),
		GetMemoryMap:  fw.register("GetMemoryMap", fw.getMemoryMap),
		FreePool:      fw.register("FreePool", fw.freePool),

		CreateEvent:  fw.register("CreateEvent", fw.createEvent),
		SetTimer:     fw.register("SetTimer", fw.setTimer),
		WaitForEvent: fw.register("WaitForEvent", fw.waitForEvent),
		CloseEvent:   fw.register("CloseEvent", fw.closeEvent),

		OpenProtocol:                        fw.register("OpenProtocol", fw.openProtocol),
		LocateHandleBuffer:                  fw.register("LocateHandleBuffer", fw.locateHandleBuffer),
		InstallMultipleProtocolInterfaces:   fw.register("InstallMultipleProtocolInterfaces", fw.installProtocols),
		UninstallMultipleProtocolInterfaces: fw.register("UninstallMultipleProtocolInterfaces", fw.uninstallProtocols),

		LoadImage:   fw.register("LoadImage", fw.loadImage),
		StartImage:  fw.register("StartImage", fw.startImage),
		UnloadImage: fw.register("UnloadImage", fw.unloadImage),

		Stall:            fw.register("Stall", fw.stall),
		SetWatchdogTimer: fw.register("SetWatchdogTimer", fw.setWatchdog),
	}
}

func (fw *Firmware) runtimeServices() raw.RuntimeServices {
	return raw.RuntimeServices{
		Hdr:                 raw.TableHeader{Signature: raw.RuntimeServicesSignature},
		GetTime:             fw.register("GetTime", fw.getTime),
		GetVariable:         fw.register("GetVariable", fw.getVariable),
		GetNextVariableName: fw.register("GetNextVariableName", fw.getNextVariableName),
		SetVariable:         fw.register("SetVariable", fw.setVariable),
		ResetSystem:         fw.register("ResetSystem", fw.resetSystem),
	}
}

// buildRNG installs a generator that always gives the same numbers.
func (fw *Firmware) buildRNG() {
	var seed [32]byte
	source := rand.NewChaCha8(seed)
	addr, _ := place(fw, raw.RNGProtocol{GetRNG: fw.register("RNG.GetRNG", func(args []uintptr) uefi.Status {
		b := fw.deviceMemory("RNG.GetRNG", args[3], args[2])
		var word [8]byte
		for len(b) > 0 {
			binary.LittleEndian.PutUint64(word[:], source.Uint64())
			b = b[copy(b, word[:]):]
		}
		return uefi.Success
	})})
	fw.newHandle().install(uefi.RNGProtocol, addr)
}

func (fw *Firmware) getTime(args []uintptr) uefi.Status {
	*raw.At[raw.Time](args[0]) = rawTime(start.Add(fw.now))
	return uefi.Success
}

func rawTime(t time.Time) raw.Time {
	return raw.Time{
		Year: uint16(t.Year()), Month: uint8(t.Month()), Day: uint8(t.Day()),
		Hour: uint8(t.Hour()), Minute: uint8(t.Minute()), Second: uint8(t.Second()), Nanosecond: uint32(t.Nanosecond()),
	}
}

func (fw *Firmware) stall(args []uintptr) uefi.Status {
	fw.now += time.Duration(args[0]) * time.Microsecond
	return uefi.Success
}

func (fw *Firmware) setWatchdog(args []uintptr) uefi.Status {
	if args[1] < 0x10000 {
		return uefi.ErrInvalidParameter
	}
	fw.watchdog = time.Duration(args[0]) * time.Second
	return uefi.Success
}
