package uefi_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

func TestSystem(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	if sys.FirmwareVendor() != "fakefw" || sys.FirmwareRevision() != 0x10000 || sys.Revision().String() != "2.10" {
		t.Errorf("firmware %q %#x, UEFI %v", sys.FirmwareVendor(), sys.FirmwareRevision(), sys.Revision())
	}
	if r := uefi.Revision(2<<16 | 31); r.String() != "2.3.1" {
		t.Errorf("revision is %v", r)
	}
	if _, err := uefi.Running(); err == nil {
		t.Error("a test runs on UEFI firmware")
	}
}

// noGate is a gate that must not be used.
type noGate struct{ gate.Interface }

func TestNewRefuses(t *testing.T) {
	noServices := raw.SystemTable{Hdr: raw.TableHeader{Signature: raw.SystemTableSignature}}
	for want, table := range map[string]uintptr{
		"there is none":     0,
		"signature 0x0":     gate.Pointer(&raw.SystemTable{}).Value(),
		"it has no service": gate.Pointer(&noServices).Value(),
	} {
		if _, err := uefi.New(noGate{}, 1, table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestPages(t *testing.T) {
	fw := newFirmware(t)
	p, err := fw.System().AllocatePages(5000)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Bytes()) != 5000 || p.Address()%4096 != 0 {
		t.Errorf("%d bytes at %#x", len(p.Bytes()), p.Address())
	}
	copy(p.Bytes(), "data")
	if leaks := fw.Leaks(); len(leaks) != 1 || leaks[0] != "8192 bytes of pages" {
		t.Errorf("not given back: %q", leaks)
	}
	if err := errors.Join(p.Free(), p.Free()); err != nil {
		t.Errorf("freeing twice: %v", err)
	}
	if len(p.Bytes()) != 0 {
		t.Error("freed pages can still be reached")
	}
	for _, size := range []int{-1, 5 << 30, 3 << 30} {
		if _, err := fw.System().AllocatePages(size); err == nil {
			t.Errorf("%d bytes were allocated", size)
		}
	}
	fw.Override("AllocatePages", func([]uintptr) uefi.Status { return uefi.Success })
	if _, err := fw.System().AllocatePages(1); err == nil || !strings.Contains(err.Error(), "address 0") {
		t.Errorf("pages at address 0: %v", err)
	}
}

func TestMemoryMap(t *testing.T) {
	fw := newFirmware(t)
	p, err := fw.System().AllocatePages(8192)
	if err != nil {
		t.Fatal(err)
	}
	m, err := fw.System().MemoryMap()
	if err != nil || len(m) != 2 {
		t.Fatalf("map %v, %v", m, err)
	}
	if m[0].Type != uefi.ConventionalMemory || m[0].Type.String() != "Conventional" || m[0].Start != 0x100000 {
		t.Errorf("first range is %+v", m[0])
	}
	if m[1].Type.String() != "LoaderData" || m[1].Start != uint64(p.Address()) || m[1].Pages != 2 {
		t.Errorf("second range is %+v", m[1])
	}
	if err := p.Free(); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryMapOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	for want, lie := range map[string]struct {
		status       uefi.Status
		size, stride uintptr
	}{
		"descriptor size 0":  {uefi.Success, 400, 0},
		"descriptor size 39": {uefi.Success, 390, 39},
		"descriptor size 5":  {uefi.Success, 400, 5000},
		"whole number":       {uefi.Success, 100, 48},
		"claims 1048576":     {uefi.Success, 1 << 20, 48},
		"more than 131072":   {uefi.ErrBufferTooSmall, 1 << 20, 48},
		"EFI_DEVICE_ERROR":   {uefi.ErrDeviceError, 0, 48},
	} {
		fw.Override("GetMemoryMap", func(args []uintptr) uefi.Status {
			*raw.At[uintptr](args[0]), *raw.At[uintptr](args[3]) = lie.size, lie.stride
			return lie.status
		})
		if m, err := fw.System().MemoryMap(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("map %v, %v; want %s", m, err, want)
		}
	}
}

func TestTime(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	if err := sys.Stall(90 * time.Second); err != nil {
		t.Fatal(err)
	}
	got, err := sys.Time()
	if want := time.Date(2026, 1, 2, 3, 5, 35, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("time is %v, %v; want %v", got, err, want)
	}
	for _, c := range []struct {
		clock raw.Time
		want  string
	}{
		{raw.Time{Year: 2024, Month: 2, Day: 29, Hour: 23, Minute: 59, Second: 59, TimeZone: -120}, "2024-02-29T23:59:59+02:00"},
		{raw.Time{Year: 2024, Month: 2, Day: 29, TimeZone: 2047}, "2024-02-29T00:00:00Z"},
		{raw.Time{Year: 2023, Month: 2, Day: 29}, ""},
		{raw.Time{Year: 2023, Month: 13, Day: 1}, ""},
		{raw.Time{Year: 2023, Month: 1}, ""},
		{raw.Time{Year: 2023, Month: 1, Day: 1, Hour: 24}, ""},
		{raw.Time{Year: 2023, Month: 1, Day: 1, TimeZone: 1441}, ""},
		{raw.Time{Year: 2023, Month: 1, Day: 1, Nanosecond: 1e9}, ""},
		{raw.Time{}, ""},
	} {
		fw.Override("GetTime", func(args []uintptr) uefi.Status {
			*raw.At[raw.Time](args[0]) = c.clock
			return uefi.Success
		})
		got, err := sys.Time()
		if (err == nil) != (c.want != "") || err == nil && got.Format(time.RFC3339) != c.want {
			t.Errorf("%+v: %v, %v; want %s", c.clock, got, err, c.want)
		}
	}
}

func TestWatchdog(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	if err := sys.SetWatchdog(1500 * time.Millisecond); err != nil || fw.Watchdog() != 2*time.Second {
		t.Errorf("watchdog is %v, %v", fw.Watchdog(), err)
	}
	if err := sys.SetWatchdog(0); err != nil || fw.Watchdog() != 0 {
		t.Errorf("watchdog is %v, %v", fw.Watchdog(), err)
	}
	if err := sys.SetWatchdog(-1); err == nil {
		t.Error("a negative time was taken")
	}
}

func TestReset(t *testing.T) {
	fw := newFirmware(t)
	end := fw.Run(func() { t.Error(fw.System().Reset(uefi.ResetShutdown)) })
	if end.How != fakefw.Reset || end.Reset != uefi.ResetShutdown {
		t.Errorf("end is %+v", end)
	}
	fw.Override("ResetSystem", func([]uintptr) uefi.Status { return uefi.Success })
	if err := fw.System().Reset(uefi.ResetCold); err == nil || err.Error() != "cold reset: the firmware did not do it" {
		t.Errorf("error is %v", err)
	}
}

func TestRandom(t *testing.T) {
	fw := newFirmware(t)
	a, b := make([]byte, 100), make([]byte, 100)
	if err := errors.Join(fw.System().Random(a), fw.System().Random(b), fw.System().Random(nil)); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a, b) || bytes.Count(a, []byte{0}) > 50 {
		t.Errorf("random bytes are\n% x\n% x", a, b)
	}
	if err := fw.System().Random(make([]byte, 2<<20)); err == nil {
		t.Error("2 MiB were taken")
	}
	fw.Override("LocateHandleBuffer", func([]uintptr) uefi.Status { return uefi.ErrNotFound })
	if err := fw.System().Random(a); !errors.Is(err, uefi.ErrNotFound) {
		t.Errorf("without a generator: %v", err)
	}
}

func TestHandlesOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	honest := fw.Override("LocateHandleBuffer", nil)
	fw.Override("LocateHandleBuffer", func(args []uintptr) uefi.Status {
		status := honest(args)
		*raw.At[uintptr](args[3]) = 1 << 40
		return status
	})
	if h, err := fw.System().Handles(uefi.RNGProtocol); err == nil {
		t.Errorf("got %d handles", len(h))
	}
	fw.Override("LocateHandleBuffer", func([]uintptr) uefi.Status { return uefi.Success })
	if h, err := fw.System().Handles(uefi.RNGProtocol); len(h) != 0 || err != nil {
		t.Errorf("without a buffer: %v, %v", h, err)
	}
}

func TestPartitionInfo(t *testing.T) {
	fw := newFirmware(t)
	sys := fw.System()
	disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<20)
	want := uefi.PartitionInfo{
		Type: fakefw.ESPType, Unique: testVendor, StartLBA: 2048, EndLBA: 4095, Attributes: 1 << 60, Name: "EFI System", SystemESP: true,
	}
	p := disk.AddPartition(3, want)
	if got, err := sys.PartitionInfo(p.Handle); got != want || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	path, err := sys.DevicePath(p.Handle)
	if err != nil {
		t.Fatal(err)
	}
	hd, ok := path.HardDrive()
	if g, isGUID := hd.GUID(); !ok || !isGUID || g != testVendor || hd.PartitionNumber != 3 || hd.StartLBA != 2048 || hd.SizeLBA != 2048 {
		t.Errorf("hard drive node is %+v, %t", hd, ok)
	}
	if _, err := sys.PartitionInfo(disk.Handle); !errors.Is(err, uefi.ErrUnsupported) {
		t.Errorf("of a disk: %v", err)
	}
}
