package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// devicePath finds the partition of the program in its device path and in the
// firmware's partition information.
func devicePath(sys *uefi.System) error {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	path, err := sys.DevicePath(self.Device)
	if err != nil {
		return err
	}
	drive, ok := path.HardDrive()
	if !ok {
		return fmt.Errorf("no partition in %v", path)
	}
	info, err := sys.PartitionInfo(self.Device)
	if err != nil {
		return err
	}
	if unique, ok := drive.GUID(); !ok || unique != info.Unique || info.StartLBA != drive.StartLBA {
		return fmt.Errorf("device path %v, partition information %+v", path, info)
	}
	if self.FilePath.FilePath() == "" {
		return fmt.Errorf("the program comes from no file: %v", self.FilePath)
	}
	return nil
}

// waitKey waits for a key that nobody presses.
func waitKey(sys *uefi.System) error {
	if err := sys.ConIn().Drain(); err != nil {
		return err
	}
	start := time.Now()
	key, ok, err := sys.ConIn().WaitKey(200 * time.Millisecond)
	if err != nil {
		return err
	}
	if waited := time.Since(start); ok || waited < 150*time.Millisecond {
		return fmt.Errorf("key %+v (%t) after %v", key, ok, waited)
	}
	return nil
}

// console changes what the screen shows and asks where the cursor is.
func console(sys *uefi.System) error {
	out := sys.ConOut()
	modes, err := out.Modes()
	if err != nil {
		return err
	}
	cols, rows, err := out.Size()
	if err != nil {
		return err
	}
	if len(modes) == 0 || cols < 80 || rows < 25 {
		return fmt.Errorf("%d modes, %d columns, %d rows", len(modes), cols, rows)
	}
	if err := errors.Join(out.SetAttribute(uefi.Yellow.On(uefi.Blue)), out.SetAttribute(uefi.LightGray)); err != nil {
		return err
	}
	if err := out.EnableCursor(false); err != nil && !errors.Is(err, uefi.ErrUnsupported) { // which OVMF's consoles say
		return err
	}
	col, row, err := out.Cursor()
	if err != nil {
		return err
	}
	if err := out.SetCursor(5, row); err != nil {
		return err
	}
	moved, _, err := out.Cursor()
	if err != nil {
		return err
	}
	if moved != 5 {
		return fmt.Errorf("cursor in column %d, want 5", moved)
	}
	return out.SetCursor(col, row)
}

// variables makes, lists and deletes a variable.
func variables(sys *uefi.System) error {
	vendor := uefi.MustParseGUID("7c6d2b1e-2a60-4f0b-9d3f-6a0c7f1e5d42")
	if err := sys.SetVariable("Services", vendor, uefi.BootServiceAccess, []byte("value")); err != nil {
		return err
	}
	listed := false
	for name, err := range sys.VariableNames() {
		if err != nil {
			return err
		}
		listed = listed || name == uefi.VariableName{Name: "Services", Vendor: vendor}
	}
	if !listed {
		return errors.New("the new variable is not listed")
	}
	if err := sys.DeleteVariable("Services", vendor); err != nil {
		return err
	}
	if _, _, err := sys.GetVariable("Services", vendor); !errors.Is(err, uefi.ErrNotFound) {
		return fmt.Errorf("after deleting: error is %v", err)
	}
	return nil
}

// timers sets the watchdog, stalls, and asks the clock.
func timers(sys *uefi.System) error {
	now, err := sys.Time()
	if err != nil {
		return err
	}
	if now.Year() < 2020 {
		return fmt.Errorf("the clock says %v", now)
	}
	return errors.Join(sys.SetWatchdog(time.Hour), sys.SetWatchdog(0), sys.Stall(time.Millisecond))
}

// random wants two different answers.
func random(sys *uefi.System) error {
	var a, b [32]byte
	if err := errors.Join(sys.Random(a[:]), sys.Random(b[:])); err != nil {
		return err
	}
	if a == b {
		return fmt.Errorf("twice the same random bytes, % x", a)
	}
	return nil
}

// serveInitrd offers an initrd, a second one in vain, and after its end again.
func serveInitrd(sys *uefi.System) (err error) {
	p, err := sys.AllocatePages(10_000)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Free()) }()
	for range 2 {
		remove, err := sys.ServeInitrd(p)
		if err != nil {
			return err
		}
		_, second := sys.ServeInitrd(p)
		if err := remove(); err != nil {
			return err
		}
		if !errors.Is(second, uefi.ErrAlreadyStarted) {
			return fmt.Errorf("a second initrd: error is %v", second)
		}
	}
	return nil
}

// refusedImage loads what is no image.
func refusedImage(sys *uefi.System) (err error) {
	p, err := sys.AllocatePages(8192)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Free()) }()
	copy(p.Bytes(), bytes.Repeat([]byte("no image"), 1024))
	if _, err := sys.LoadImage(p.Bytes(), nil); err == nil {
		return errors.New("nonsense was loaded")
	}
	return nil
}

// loadAndUnload loads the program once more, gives it load options, and unloads
// it without starting it.
func loadAndUnload(sys *uefi.System) (err error) {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	files, _, err := report.Volume(sys)
	if err != nil {
		return err
	}
	p, err := files.ReadPages("EFI/BOOT/BOOTX64.EFI")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Free()) }()
	device, err := sys.DevicePath(self.Device)
	if err != nil {
		return err
	}
	path, err := device.AppendFile("EFI/BOOT/BOOTX64.EFI")
	if err != nil {
		return err
	}
	h, err := sys.LoadImage(p.Bytes(), path)
	if err != nil {
		return err
	}
	return errors.Join(inspectLoaded(sys, h, self.Device), sys.UnloadImage(h))
}

func inspectLoaded(sys *uefi.System, h, device uefi.Handle) error {
	loaded, err := sys.LoadedImage(h)
	if err != nil {
		return err
	}
	if loaded.Device != device {
		return fmt.Errorf("the image's device is %#x, want %#x", uintptr(loaded.Device), uintptr(device))
	}
	if err := loaded.SetLoadOptions(uefi.EncodeUTF16("quiet")); err != nil {
		return err
	}
	again, err := sys.LoadedImage(h)
	if err != nil {
		return err
	}
	if text := uefi.DecodeUTF16(again.LoadOptions); text != "quiet" {
		return fmt.Errorf("load options are %q", text)
	}
	return nil
}
