// Package report is how the programs that test goefi inside a virtual machine say what they found: one line per check, `ok NAME`
// or `FAIL NAME: why`, and as the last line `PASS n` or `FAIL n`, without which a run counts as failed. The harness reads them
// from the firmware's console.
package report

import (
	"fmt"
	"os"

	"github.com/rayos/rayboot/efi/uefi"
)

// Open is the firmware that runs the program. Without it there is nothing to check: the program ends.
func Open() *uefi.System {
	sys, err := uefi.Running()
	if err != nil {
		fmt.Println("FAIL open system table:", err)
		os.Exit(1)
	}
	return sys
}

// Volume is the file system that the program was loaded from, and its device.
func Volume(sys *uefi.System) (*uefi.FileSystem, uefi.Handle, error) {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return nil, 0, err
	}
	files, err := sys.FileSystem(self.Device)
	return files, self.Device, err
}

// Report counts the checks of one program.
type Report struct {
	checks, failures int
}

// Check runs one check and prints its line.
func (r *Report) Check(name string, check func() error) {
	r.checks++
	if err := check(); err != nil {
		r.failures++
		fmt.Printf("FAIL %s: %v\n", name, err)
		return
	}
	fmt.Println("ok", name)
}

// Finish prints the last line and powers the machine off.
func (r *Report) Finish(sys *uefi.System) {
	if r.failures != 0 {
		fmt.Println("FAIL", r.failures)
	} else {
		fmt.Println("PASS", r.checks)
	}
	if err := sys.Reset(uefi.ResetShutdown); err != nil {
		fmt.Println("FAIL power off:", err)
	}
	os.Exit(1)
}
