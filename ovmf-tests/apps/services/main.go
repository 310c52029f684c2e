// Command services checks inside a virtual machine those bindings of package uefi that the boot manager does not use at every
// boot: the screen, making, renaming and writing files, the memory map, load options, directories. It prints what package report
// says and powers the machine off.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"slices"

	_ "github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func main() {
	sys := report.Open()
	var r report.Report
	r.Check("fill and capture the screen", func() error { return screen(sys) })
	r.Check("the memory map has free memory and no overlap", func() error { return memoryMap(sys) })
	r.Check("a load option names what was started", func() error { return loadOption(sys) })
	r.Check("write into a file in place", func() error { return writeInPlace(sys) })
	r.Check("create, rename and remove a file", func() error { return fileLife(sys) })
	r.Check("names that are taken or missing", func() error { return takenNames(sys) })
	r.Check("a full volume keeps no part of a file", func() error { return fullVolume(sys) })
	r.Check("a read-only volume refuses changes", func() error { return readOnlyVolume(sys) })
	r.Check("list a directory", func() error { return directory(sys) })
	r.Check("an unknown file does not exist", func() error { return missing(sys) })
	r.Check("the device path names the program's partition", func() error { return devicePath(sys) })
	r.Check("wait for a key that does not come", func() error { return waitKey(sys) })
	r.Check("console modes, colours and cursor", func() error { return console(sys) })
	r.Check("make, list and delete a variable", func() error { return variables(sys) })
	r.Check("clock, watchdog and stall", func() error { return timers(sys) })
	r.Check("random bytes", func() error { return random(sys) })
	r.Check("serve an initrd", func() error { return serveInitrd(sys) })
	r.Check("what is no image is refused", func() error { return refusedImage(sys) })
	r.Check("load an image and unload it", func() error { return loadAndUnload(sys) })
	r.Finish(sys)
}

// screen paints a square and looks whether it is there.
func screen(sys *uefi.System) error {
	screens, err := sys.GraphicsOutputs()
	if err != nil {
		return err
	}
	if len(screens) == 0 {
		return errors.New("there is no screen")
	}
	square, colour := image.Rect(8, 8, 40, 40), uefi.Pixel{Blue: 0x20, Green: 0x80, Red: 0xe0}
	if err := screens[0].Fill(square, colour); err != nil {
		return err
	}
	pixels, err := screens[0].Capture(square)
	if err != nil {
		return err
	}
	for i, p := range pixels {
		p.Reserved = 0
		if p != colour {
			return fmt.Errorf("pixel %d is %v, want %v", i, p, colour)
		}
	}
	return nil
}

func memoryMap(sys *uefi.System) error {
	ranges, err := sys.MemoryMap()
	if err != nil {
		return err
	}
	slices.SortFunc(ranges, func(a, b uefi.MemoryDescriptor) int { return int(int64(a.Start) - int64(b.Start)) })
	free, end := uint64(0), uint64(0)
	for _, d := range ranges {
		if d.Start < end {
			return fmt.Errorf("the range at %#x begins before the end of the one before it, %#x", d.Start, end)
		}
		end = d.Start + d.Pages<<12
		if d.Type == uefi.ConventionalMemory {
			free += d.Pages
		}
	}
	if free == 0 {
		return errors.New("no free memory")
	}
	return nil
}

// loadOption reads the option of BootCurrent, which started this program.
func loadOption(sys *uefi.System) error {
	current, _, err := sys.GetVariable("BootCurrent", uefi.GlobalVariable)
	if err != nil {
		return err
	}
	if len(current) != 2 {
		return fmt.Errorf("BootCurrent has %d bytes", len(current))
	}
	option, err := sys.BootOption(uint16(current[0]) | uint16(current[1])<<8)
	if err != nil {
		return err
	}
	if option.Description == "" || len(option.FilePaths) == 0 {
		return fmt.Errorf("option %q with %d device paths", option.Description, len(option.FilePaths))
	}
	return nil
}

// stateFile is put on the disk by the test; it is longer than a cluster.
const stateFile = "state.bin"

func writeInPlace(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	want, err := files.ReadFile(stateFile)
	if err != nil {
		return err
	}
	patch := bytes.Repeat([]byte("written in place "), 300)
	copy(want[1000:], patch)
	if err := files.WriteAt(stateFile, patch, 1000); err != nil {
		return err
	}
	got, err := files.ReadFile(stateFile)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("what is read back is not what was written")
	}
	if err := files.WriteAt(stateFile, patch, int64(len(want))-1); err == nil {
		return errors.New("a write beyond the end succeeds")
	}
	return nil
}

func directory(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == stateFile && !e.IsDir() }) {
		return fmt.Errorf("%s is not among %v", stateFile, entries)
	}
	return nil
}

func missing(sys *uefi.System) error {
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	if _, err := files.Open("no/such/file"); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open: %w, want it not to exist", err)
	}
	return nil
}
