package main

import (
	"bytes"
	"debug/pe"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

var testVendor = uefi.MustParseGUID("0f5a6c1e-2b9d-4a39-8f0e-6a4f3d5c7b21")

func firmwareChecks(r *report.Report, sys *uefi.System) {
	r.Check("read the program's own file", func() error { return ownFile(sys) })
	r.Check("read BootOrder", func() error {
		order, err := sys.BootOrder()
		if err == nil && len(order) == 0 {
			err = errors.New("it is empty")
		}
		return err
	})
	r.Check("write and read a variable", func() error {
		value := []byte("hello")
		if err := sys.SetVariable("RayosConformance", testVendor, uefi.BootServiceAccess, value); err != nil {
			return err
		}
		got, _, err := sys.GetVariable("RayosConformance", testVendor)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, value) {
			return fmt.Errorf("read %q, want %q", got, value)
		}
		return sys.DeleteVariable("RayosConformance", testVendor)
	})
	r.Check("read a disk", func() error { return readDisk(sys) })
	r.Check("the clock goes as the firmware's", func() error { return clock(sys) })
	r.Check("a buffer that was never touched", untouchedBuffer)
	r.Check("a native call keeps the program's state", func() error { return nativeCalls(sys) })
}

func ownFile(sys *uefi.System) error {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	name := path.Clean(strings.ReplaceAll(self.FilePath.FilePath(), `\`, "/"))
	data, err := files.ReadFile(strings.TrimPrefix(name, "/"))
	if err != nil {
		return err
	}
	image, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return want(image.Machine, uint16(pe.IMAGE_FILE_MACHINE_AMD64))
}

func readDisk(sys *uefi.System) error {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	disk, err := sys.BlockIO(self.Device)
	if err != nil {
		return err
	}
	sector := make([]byte, 512)
	if _, err := disk.ReadAt(sector, 0); err != nil {
		return err
	}
	// The volume is FAT; its first sector ends so.
	return want([2]byte(sector[510:]), [2]byte{0x55, 0xaa})
}

// clock compares the time that passes with the firmware's real-time clock. That one has seconds only, so both are read when it
// has just gone on.
func clock(sys *uefi.System) error {
	const seconds = 3
	before, err := secondsLater(sys, 1)
	if err != nil {
		return err
	}
	start := time.Now()
	after, err := secondsLater(sys, seconds)
	if err != nil {
		return err
	}
	if d := time.Since(start); d < (seconds-1)*time.Second {
		return fmt.Errorf("%v while the firmware's clock went on by %v", d, after.Sub(before))
	}
	return nil
}

// secondsLater waits until the firmware's clock has gone on by so many seconds, and reads it.
func secondsLater(sys *uefi.System, seconds int) (time.Time, error) {
	start, err := sys.Time()
	now := start
	for err == nil && now.Sub(start) < time.Duration(seconds)*time.Second {
		time.Sleep(10 * time.Millisecond)
		now, err = sys.Time()
	}
	return now, err
}

// Boot services that package uefi has no use for (UEFI 2.10 §4.4.1, §7.5).
const (
	tableBootServices = 96
	serviceSetMem     = 360
)

// untouchedBuffer lets the firmware be the first to touch memory of the Go heap. The allocator may hand out memory that was used
// before and clear it, which touches it; so buffers are taken, and kept, until one is fresh.
func untouchedBuffer() error {
	const size, attempts = 96 << 10, 128
	// SAFETY: the system table is valid as long as boot services are, which is as long as this program runs.
	bootServices := *(*uintptr)(unsafe.Add(pointer(goefi.SystemTable()), tableBootServices))
	setMem := *(*uintptr)(unsafe.Add(pointer(bootServices), serviceSetMem))
	debug.FreeOSMemory() // what is allocated next has no memory behind it
	var kept [][]byte
	for range attempts {
		before := goefi.ReadStats().InFirmware
		buffer := make([]byte, size)
		kept = append(kept, buffer)
		// SAFETY: the firmware writes to the buffer during the call only.
		goefi.Call(setMem, uintptr(unsafe.Pointer(&buffer[0])), size, 0x5a)
		if n := bytes.Count(buffer, []byte{0x5a}); n != size {
			return fmt.Errorf("%d bytes of %d were set", n, size)
		}
		if goefi.ReadStats().InFirmware != before {
			return nil
		}
	}
	return fmt.Errorf("none of %d buffers was without memory", len(kept))
}

// SAFETY: for addresses of firmware memory, which the garbage collector does not know.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

// nativeCalls makes calls that restore the firmware's state all around, between other work.
func nativeCalls(sys *uefi.System) error {
	// SAFETY: as in untouchedBuffer.
	const serviceStall = 248
	bootServices := *(*uintptr)(unsafe.Add(pointer(goefi.SystemTable()), tableBootServices))
	stall := *(*uintptr)(unsafe.Add(pointer(bootServices), serviceStall))
	for range 20 {
		if status := uefi.Status(goefi.CallNative(stall, 100)); status != 0 {
			return status
		}
		if err := want(grow(8).count(), 1<<9-1); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	_, err := sys.BootOrder()
	return err
}
