package watchdog

import (
	"errors"
	"fmt"
	"time"
)

// Watchdog is one watchdog timer. Its methods may be called in any order and as
// often as one likes, by one goroutine at a time.
type Watchdog interface {
	// Name is the Linux module that drives the device.
	Name() string

	// Arm sets the timer going, from the start if it runs already. The machine is
	// reset after timeout at the earliest and after actual at the latest. A device
	// that cannot count so far gets its longest time, and actual is less than
	// timeout then. After an error the timer is stopped, unless the error is also
	// about that.
	//
	// Arm may clear what Fired reports.
	Arm(timeout time.Duration) (actual time.Duration, err error)

	// Disarm stops the timer.
	Disarm() error

	// Fired reports whether the timer has reset the machine since ClearFired. A
	// device that does not tell is errors.ErrUnsupported.
	Fired() (bool, error)

	// ClearFired makes Fired report false.
	ClearFired() error
}

// Hardware is the machine below its drivers. A function of a PCI device is named
// by its segment (16 bits), bus (8), device (5) and function (3) in one number;
// sizes are 1, 2 or 4 bytes.
type Hardware interface {
	// ACPITable is the first ACPI table with a signature, header included, its
	// checksum verified; nil if there is none.
	ACPITable(signature string) ([]byte, error)

	// PCIFunctions lists the functions of the machine.
	PCIFunctions() ([]uint32, error)

	ReadConfig(function uint32, offset, size int) (uint32, error)
	WriteConfig(function uint32, offset, size int, value uint32) error

	ReadPort(port uint16, size int) (uint32, error)
	WritePort(port uint16, size int, value uint32) error

	ReadMemory(address uint64, size int) (uint32, error)
	WriteMemory(address uint64, size int, value uint32) error
}

// Find lists the watchdogs that the machine has, the one to arm first. An error
// is about those that cannot be used, and comes beside those that can.
//
// The TCO comes last: a machine that has a 6300ESB besides is a virtual one whose
// owner added it, and the TCO that QEMU emulates up to version 7.2 is strapped to
// never reset, which it does not say.
func Find(h Hardware) ([]Watchdog, error) {
	found, described, problems := findWDAT(h)
	functions, err := intelFunctions(h)
	if err != nil {
		return found, errors.Join(problems, err)
	}
	for _, f := range functions {
		if f.device != esbDevice {
			continue
		}
		w, err := openESB(h, f.location)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("open watchdog 6300ESB: %w", err))
			continue
		}
		found = append(found, w)
	}
	if described {
		return found, problems
	}
	for _, f := range functions {
		chipset, ok := tcoChipsetOf(f.device)
		if !ok {
			continue
		}
		w, err := openTCO(h, f.location, chipset)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("open watchdog of chipset %04x: %w", f.device, err))
			continue
		}
		found = append(found, w)
	}
	return found, problems
}

// findWDAT opens the watchdog of the ACPI table. described says that there is a
// table, or may be one, of use or not: the TCO is none of our business then.
func findWDAT(h Hardware) (found []Watchdog, described bool, err error) {
	table, err := h.ACPITable(wdatSignature)
	if err != nil {
		return nil, true, fmt.Errorf("find watchdog of ACPI: %w", err)
	}
	if table == nil {
		return nil, false, nil
	}
	d, err := decodeWDAT(table)
	if err != nil {
		return nil, true, err
	}
	if d.clock {
		return nil, false, nil
	}
	if err := d.check(); err != nil {
		return nil, true, fmt.Errorf("use watchdog of ACPI: %w", err)
	}
	return []Watchdog{&acpiWatchdog{h, d}}, true, nil
}

// intelVendor is Intel's PCI vendor ID.
const intelVendor = 0x8086

// pciFunction is a function of a PCI device of Intel's.
type pciFunction struct {
	location uint32
	device   uint16
}

func intelFunctions(h Hardware) ([]pciFunction, error) {
	all, err := h.PCIFunctions()
	if err != nil {
		return nil, fmt.Errorf("find watchdogs on PCI: %w", err)
	}
	var functions []pciFunction
	for _, location := range all {
		id, err := h.ReadConfig(location, 0, 4)
		if err != nil {
			return nil, fmt.Errorf("find watchdogs on PCI: %w", err)
		}
		if id&0xffff == intelVendor {
			functions = append(functions, pciFunction{location, uint16(id >> 16)})
		}
	}
	return functions, nil
}

// maxTimeout is longer than any sensible one.
const maxTimeout = 24 * time.Hour

// half is the time of each of two countdowns that last for d together.
func half(d time.Duration) time.Duration { return d/2 + d%2 }

// ticks is how many ticks it takes at least to last for d, within limits.
func ticks(d, tick time.Duration, least, most uint32) uint32 {
	n := (min(max(d, 0), maxTimeout) + tick - 1) / tick
	return uint32(min(max(n, time.Duration(least)), time.Duration(most)))
}
