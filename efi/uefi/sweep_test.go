package uefi_test

import (
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

// sweepFirmware is a machine with one of everything.
func sweepFirmware() *fakefw.Firmware {
	fw := fakefw.New()
	fw.AddVolume(fakefw.Files{"a.conf": "title A", "b": strings.Repeat("0123456789", 7000), "d/e": "x"})
	fw.AddDisplay(64, 48)
	fw.SetVariable("A", testVendor, volatile, []byte{1})
	fw.SetVariable("OsIndications", uefi.GlobalVariable, volatile|uefi.NonVolatile, make([]byte, 8))
	return fw
}

// sweepOps are the operations of which every single call is made to fail.
var sweepOps = map[string]func(sys *uefi.System) error{
	"open":    onVolume(func(fsys *uefi.FileSystem) error { return readAll(fsys, "b") }),
	"stat":    onVolume(func(fsys *uefi.FileSystem) error { return ignore(fsys.Stat("d/e")) }),
	"readdir": onVolume(func(fsys *uefi.FileSystem) error { return ignore(fsys.ReadDir(".")) }),
	"read":    onVolume(func(fsys *uefi.FileSystem) error { return ignore(fsys.ReadFile("b")) }),
	"write":   onVolume(func(fsys *uefi.FileSystem) error { return fsys.WriteAt("b", []byte("new"), 5) }),
	"walk": onVolume(func(fsys *uefi.FileSystem) error {
		return fs.WalkDir(fsys, ".", func(_ string, _ fs.DirEntry, err error) error { return err })
	}),

	"block read":  onDisk(func(d *uefi.BlockIO) error { return ignore(d.ReadAt(make([]byte, 2<<20), 100)) }),
	"block write": onDisk(func(d *uefi.BlockIO) error { return ignore(d.WriteAt(make([]byte, 2<<20), 0)) }),
	"block flush": onDisk(func(d *uefi.BlockIO) error { return d.Flush() }),
	"block pages": onDisk(func(d *uefi.BlockIO) error {
		p, err := d.ReadPages(0, 2<<20)
		if err != nil {
			return err
		}
		return p.Free()
	}),

	"console": func(sys *uefi.System) error {
		out := sys.ConOut()
		_, _, sizeErr := out.Size()
		return errors.Join(sizeErr, out.Clear(), out.SetCursor(1, 2), out.SetAttribute(uefi.White), out.EnableCursor(false), out.SetMode(2), out.OutputString("x"))
	},
	"wait for key": func(sys *uefi.System) error { _, _, err := sys.ConIn().WaitKey(time.Second); return err },
	"get variable": func(sys *uefi.System) error { return second(sys.GetVariable("A", testVendor)) },
	"set variable": func(sys *uefi.System) error { return sys.SetVariable("B", testVendor, volatile, []byte{1}) },
	"delete variable": func(sys *uefi.System) error {
		return sys.DeleteVariable("A", testVendor)
	},
	"list variables": func(sys *uefi.System) error {
		for _, err := range sys.VariableNames() {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"firmware UI":    func(sys *uefi.System) error { return sys.RequestFirmwareUI() },
	"secure boot":    func(sys *uefi.System) error { return ignore(sys.SecureBoot()) },
	"time":           func(sys *uefi.System) error { return ignore(sys.Time()) },
	"memory map":     func(sys *uefi.System) error { return ignore(sys.MemoryMap()) },
	"random":         func(sys *uefi.System) error { return sys.Random(make([]byte, 10)) },
	"watchdog":       func(sys *uefi.System) error { return sys.SetWatchdog(time.Minute) },
	"stall":          func(sys *uefi.System) error { return sys.Stall(time.Minute) },
	"partition info": func(sys *uefi.System) error { return ignore(sys.PartitionInfo(bootDevice(sys))) },
	"screen": func(sys *uefi.System) error {
		screens, err := sys.GraphicsOutputs()
		if err != nil {
			return err
		}
		g := screens[0]
		_, modesErr := g.Modes()
		return errors.Join(modesErr, g.SetMode(1), g.Fill(image.Rect(0, 0, 2, 2), uefi.Pixel{}), ignore(g.Capture(image.Rect(0, 0, 2, 2))))
	},
}

// bootDevice is the device of the program. Overriding a failing call, it is asked
// for before the sweep begins to count.
func bootDevice(sys *uefi.System) uefi.Handle {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return 0
	}
	return self.Device
}

func onVolume(op func(*uefi.FileSystem) error) func(*uefi.System) error {
	return func(sys *uefi.System) error {
		fsys, err := sys.FileSystem(bootDevice(sys))
		if err != nil {
			return err
		}
		return op(fsys)
	}
}

func onDisk(op func(*uefi.BlockIO) error) func(*uefi.System) error {
	return func(sys *uefi.System) error {
		d, err := sys.BlockIO(bootDevice(sys))
		if err != nil {
			return err
		}
		return op(d)
	}
}

func readAll(fsys fs.FS, name string) (err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return ignore(io.ReadAll(f))
}

func ignore[T any](_ T, err error) error { return err }

// TestEveryCallFailing: whatever call fails, the error says so and names the
// operation, and nothing stays allocated or open.
func TestEveryCallFailing(t *testing.T) {
	harmless := []string{"ConOut.QueryMode"} // what a mode is asked for that need not exist
	for name, op := range sweepOps {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			run := func(fw *fakefw.Firmware) error { return op(fw.System()) }
			fakefw.EachFailure(t, uefi.ErrNoResponse, sweepFirmware, run, func(t *testing.T, fw *fakefw.Firmware, call string, err error) {
				if !errors.Is(err, uefi.ErrNoResponse) && !slices.Contains(harmless, call) && !lookup(call, err) {
					t.Errorf("%s failed, the error is %v", call, err)
				}
				if err != nil && !strings.Contains(err.Error(), ": ") {
					t.Errorf("the error does not name the operation: %v", err)
				}
				if leaks := fw.Leaks(); len(leaks) > 0 {
					t.Errorf("not given back: %q", leaks)
				}
			})
		})
	}
}

// lookup reports whether the call was the look-up of the boot device, after
// which the operation runs on no device.
func lookup(call string, err error) bool {
	return call == "OpenProtocol" && err != nil && errors.Is(err, uefi.ErrInvalidParameter)
}

func TestDirectoryOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	fsys := openVolume(t, fw.AddVolume(fakefw.Files{"a": "", "b": ""}), fw)
	for want, lie := range directoryLies {
		honest := fw.Override("File.Read", nil)
		fw.Override("File.Read", func(args []uintptr) uefi.Status { return lie(honest, args) })
		_, err := fsys.ReadDir(".")
		if err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
		fw.Override("File.Read", honest)
	}
}
