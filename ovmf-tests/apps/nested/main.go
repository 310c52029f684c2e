// Command nested starts another Go application, `\child.efi`, many times inside a virtual machine, and checks that each leaves the
// firmware as it was: the memory map is the same after fifty starts as before, whichever way the child ends. The parent is a
// Go application itself. It ends as package report says.
package main

import (
	"errors"
	"fmt"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

const (
	aborted    = uefi.Status(0x8000000000000015) // EFI_ABORTED (UEFI 2.10 Appendix D)
	loaderData = uefi.MemoryType(2)              // EfiLoaderData (UEFI 2.10 §7.2.1)
)

func main() {
	sys := report.Open()
	var r report.Report
	var n nest
	r.Check("load the child", func() error { return n.open(sys) })
	r.Check("arguments", func() error { return n.start(`arguments "two words" schön 𝄞`, 0) })
	r.Check("exit code 0", func() error { return n.start("exit 0", 0) })
	r.Check("exit code 2", func() error { return n.start("exit 2", aborted) })
	r.Check("exit code 77", func() error { return n.start("exit 77", 0xC000000000000000|77) })
	r.Check("panic", func() error { return n.start("panic", aborted) })
	r.Check("firmware with global pages and AVX", n.withFeatures)
	r.Check("no memory is lost in fifty starts", func() error { return n.repeat("work", 50) })
	r.Check("no memory is lost in panics", func() error { return n.repeat("panic", 3) })
	r.Check("no memory is lost by a child that takes all of it", func() error { return n.repeat("hoard", 1) })
	r.Finish(sys)
}

type nest struct {
	sys   *uefi.System
	image *uefi.Pages
	path  uefi.DevicePath
}

func (n *nest) open(sys *uefi.System) error {
	n.sys = sys
	files, handle, err := report.Volume(sys)
	if err != nil {
		return err
	}
	device, err := sys.DevicePath(handle)
	if err != nil {
		return err
	}
	if n.path, err = device.AppendFile("child.efi"); err != nil {
		return err
	}
	n.image, err = files.ReadPages("child.efi")
	return err
}

// start runs the child once and checks the status that it ends with.
func (n *nest) start(options string, want uefi.Status) error {
	h, err := n.sys.LoadImage(n.image.Bytes(), n.path)
	if err != nil {
		return err
	}
	loaded, err := n.sys.LoadedImage(h)
	if err != nil {
		return err
	}
	if err := loaded.SetLoadOptions(uefi.EncodeUTF16(options)); err != nil {
		return err
	}
	status := uefi.Status(0)
	if err := n.sys.StartImage(h); err != nil {
		var exit *uefi.ExitError
		if !errors.As(err, &exit) {
			return err
		}
		status = exit.Status
	}
	if status != want {
		return fmt.Errorf("the child ended with %v, want %v", status, want)
	}
	return nil
}

// repeat compares the memory map before and after. One start goes before, after which the firmware's own pools have their size.
func (n *nest) repeat(options string, times int) error {
	want := uefi.Status(0)
	if options != "work" {
		want = aborted
	}
	if err := n.start(options, want); err != nil {
		return err
	}
	before, err := n.memory()
	if err != nil {
		return err
	}
	for i := range times {
		if err := n.start(options, want); err != nil {
			return fmt.Errorf("start %d: %w", i+1, err)
		}
	}
	after, err := n.memory()
	if err != nil {
		return err
	}
	for t, pages := range before {
		if after[t] != pages {
			return fmt.Errorf("%v: %d pages before, %d after", t, pages, after[t])
		}
	}
	return nil
}

// memory is how much there is of each kind. What the parent itself holds is counted as free, since its heap may change; the count
// must be the same on both sides of the firmware's answer.
func (n *nest) memory() (map[uefi.MemoryType]uint64, error) {
	for {
		own := goefi.ReadStats().Pages
		all, err := n.sys.MemoryMap()
		if err != nil {
			return nil, err
		}
		if goefi.ReadStats().Pages != own {
			continue
		}
		pages := map[uefi.MemoryType]uint64{}
		for _, d := range all {
			pages[d.Type] += d.Pages
		}
		pages[loaderData] -= own
		pages[uefi.ConventionalMemory] += own
		return pages, nil
	}
}
