// Command conformance checks inside a virtual machine that an ordinary Go program works under UEFI: scheduling, preemption, faults,
// memory, cryptography, and the way to the firmware. It prints what package report says and powers the machine off.
package main

import (
	"fmt"
	"runtime"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func main() {
	sys := report.Open()
	fmt.Println("conformance of", runtime.Version(), "on", sys.FirmwareVendor(), sys.Revision())
	var r report.Report
	schedulingChecks(&r)
	faultChecks(&r)
	memoryChecks(&r)
	cryptoChecks(&r)
	firmwareChecks(&r, sys)
	r.Check("every system call is served", unknownSystemCalls)

	s := goefi.ReadStats()
	fmt.Printf("system calls %d, interrupts %d, signals %d, switches %d, page faults %d (%d in the firmware or the kernel)\n",
		s.SystemCalls, s.Interrupts, s.Signals, s.Switches, s.PageFaults, s.InFirmware)
	fmt.Printf("memory %d KiB, in hand %d KiB, released %d KiB\n", s.Pages*4, s.FreePages*4, s.Released*4)
	r.Finish(sys)
}

// unknownSystemCalls knows the three calls that Go makes in vain on purpose: the name of a mapping, and the limit of open files.
func unknownSystemCalls() error {
	const (
		prctl     = 157
		prlimit64 = 302
	)
	if n := goefi.ReadStats().Unknown; n != 0 && n != prctl && n != prlimit64 {
		return fmt.Errorf("system call %d is not served", n)
	}
	return nil
}
