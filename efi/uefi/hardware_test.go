package uefi_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
	"github.com/rayos/rayboot/efi/watchdog"
	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
)

var _ watchdog.Hardware = (*uefi.Hardware)(nil)

func openHardware(t *testing.T, fw *fakefw.Firmware) *uefi.Hardware {
	t.Helper()
	h, err := fw.System().Hardware()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHardwareOfWatchdogs drives watchdogs in PCI configuration space, ports and
// memory through the firmware: what is written arrives, and nothing else.
func TestHardwareOfWatchdogs(t *testing.T) {
	wdat := watchdogtest.TCOTable().Encode()
	for _, tables := range [][][]byte{nil, {acpiTable("FACP", 300), wdat}} {
		want := []string{"i6300esb", "iTCO_wdt"}
		fw, m := newFirmware(t), watchdogtest.New()
		m.AddI6300ESB()
		m.AddTCO(2)
		fw.AddHardware(m)
		if tables != nil {
			fw.SetACPITables(tables...)
			want = []string{"wdat_wdt", "i6300esb"}
		}
		for i, name := range want {
			w := findWatchdog(t, fw, name)
			actual, err := w.Arm(time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			m.Advance(actual)
			fired, err := findWatchdog(t, fw, name).Fired() // as the restarted machine does
			if err != nil || m.Resets() != i+1 || !fired {
				t.Errorf("%s: %d resets, fired %v, %v", name, m.Resets(), fired, err)
			}
		}
	}
}

func findWatchdog(t *testing.T, fw *fakefw.Firmware, name string) watchdog.Watchdog {
	t.Helper()
	dogs, err := watchdog.Find(openHardware(t, fw))
	i := slices.IndexFunc(dogs, func(w watchdog.Watchdog) bool { return w.Name() == name })
	if i < 0 || err != nil {
		t.Fatalf("%s is not among %d watchdogs: %v", name, len(dogs), err)
	}
	return dogs[i]
}

// acpiTable is a table of zeros.
func acpiTable(signature string, size int) []byte {
	b := make([]byte, size)
	copy(b, signature)
	b[4], b[5] = byte(size), byte(size>>8)
	for _, c := range b {
		b[9] -= c
	}
	return b
}

func TestHardwareErrors(t *testing.T) {
	fw, m := newFirmware(t), watchdogtest.New()
	m.AddI6300ESB()
	fw.AddHardware(m)
	h := openHardware(t, fw)
	bare := openHardware(t, newFirmware(t))
	const esb = 5 << 3
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{ignore(h.ReadConfig(6<<3, 0, 4)), uefi.ErrNotFound, "read PCI configuration 0x0 of 0000:00:06.0: EFI_NOT_FOUND"},
		{ignore(h.ReadConfig(esb, 2, 4)), uefi.ErrInvalidParameter, "4 bytes at 0x2"},
		{ignore(h.ReadConfig(esb, 4096, 4)), uefi.ErrInvalidParameter, ""},
		{ignore(h.ReadConfig(esb, -4, 4)), uefi.ErrInvalidParameter, ""},
		{h.WriteConfig(esb, 0, 3, 0), uefi.ErrInvalidParameter, "write PCI configuration 0x0 of 0000:00:05.0: 3 bytes"},
		{ignore(h.ReadPort(0x61, 2)), uefi.ErrInvalidParameter, "read port 0x61"},
		{ignore(h.ReadMemory(0x1000, 8)), uefi.ErrInvalidParameter, "read memory 0x1000"},
		{bare.WritePort(0x60, 1, 0), uefi.ErrUnsupported, "write port 0x60"},
		{bare.WriteMemory(0x60, 1, 0), uefi.ErrUnsupported, "write memory 0x60"},
	} {
		if !errors.Is(c.err, c.is) || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("got %v, want %v with %q", c.err, c.is, c.text)
		}
	}
	if table, err := bare.ACPITable("WDAT"); table != nil || err != nil {
		t.Errorf("a machine without ACPI has %d bytes, %v", len(table), err)
	}
}

// TestRootBridges: without the protocol for all registers, the root bridges are
// tried one after the other.
func TestRootBridges(t *testing.T) {
	fw := newFirmware(t)
	machines := []*watchdogtest.Machine{watchdogtest.New(), watchdogtest.New()}
	machines[1].AddI6300ESB()
	if err := machines[1].WriteConfig(5<<3, 4, 2, 2); err != nil {
		t.Fatal(err)
	}
	fw.AddRootBridge(machines[0], 0xc0000000, 0xcfffffff)
	fw.AddRootBridge(machines[1], 0xf0000000, 0xffffffff)
	h := openHardware(t, fw)
	for address, want := range map[uint64]uint32{0xc0000000: 0xffff, 0xfebf000c: 0} {
		if got, err := h.ReadMemory(address, 2); got != want || err != nil {
			t.Errorf("memory %#x: %#x, %v; want %#x", address, got, err, want)
		}
	}
	if _, err := h.ReadMemory(0x1000, 4); !errors.Is(err, uefi.ErrDeviceError) {
		t.Errorf("memory of no root bridge: %v", err)
	}
	if _, err := h.ReadPort(0x60, 1); err != nil || machines[0].Accesses() != 2 {
		t.Errorf("a port: %v, %d accesses", err, machines[0].Accesses())
	}
}

func TestHardwareOfLyingFirmware(t *testing.T) {
	fw, m := newFirmware(t), watchdogtest.New()
	m.AddI6300ESB()
	fw.AddHardware(m)
	fw.Override("PCIIO.GetLocation", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1]) = 1 << 16
		return uefi.Success
	})
	if _, err := fw.System().Hardware(); err == nil || !strings.Contains(err.Error(), "the firmware says 10000:") {
		t.Errorf("a location that is none: %v", err)
	}
}

// TestEveryHardwareCallFailing: no error of the firmware is lost.
func TestEveryHardwareCallFailing(t *testing.T) {
	setup := func() *fakefw.Firmware {
		fw, m := fakefw.New(), watchdogtest.New()
		m.AddI6300ESB()
		m.AddTCO(2)
		fw.AddHardware(m)
		fw.SetACPITables(watchdogtest.TCOTable().Encode())
		return fw
	}
	armAll := func(fw *fakefw.Firmware) error {
		h, err := fw.System().Hardware()
		if err != nil {
			return err
		}
		dogs, err := watchdog.Find(h)
		for _, w := range dogs {
			err = errors.Join(err, ignore(w.Arm(time.Minute)), ignore(w.Fired()), w.ClearFired(), w.Disarm())
		}
		return err
	}
	fakefw.EachFailure(t, uefi.ErrTimeout, setup, armAll, func(t *testing.T, fw *fakefw.Firmware, call string, err error) {
		if !errors.Is(err, uefi.ErrTimeout) {
			t.Errorf("%s failed, the error is %v", call, err)
		}
		if leaks := fw.Leaks(); len(leaks) > 0 {
			t.Errorf("not given back: %q", leaks)
		}
	})
}
