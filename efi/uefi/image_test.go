package uefi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

const kernelImage = "MZ kernel"

// bootKernel is the way of a boot manager with an entry: read, load, options,
// initrd, start.
func bootKernel(sys *uefi.System) (err error) {
	self, err := sys.LoadedImage(sys.ImageHandle())
	if err != nil {
		return err
	}
	fsys, err := sys.FileSystem(self.Device)
	if err != nil {
		return err
	}
	kernel, err := fsys.ReadPages("vmlinuz")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kernel.Free()) }()
	initrd, err := fsys.ReadPages("initrd")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, initrd.Free()) }()
	device, err := sys.DevicePath(self.Device)
	if err != nil {
		return err
	}
	path, err := device.AppendFile("vmlinuz")
	if err != nil {
		return err
	}
	image, err := sys.LoadImage(kernel.Bytes(), path)
	if err != nil {
		return err
	}
	return startKernel(sys, image, initrd)
}

func startKernel(sys *uefi.System, image uefi.Handle, initrd *uefi.Pages) (err error) {
	loaded, err := sys.LoadedImage(image)
	if err == nil {
		err = loaded.SetLoadOptions(uefi.EncodeUTF16("console=ttyS0"))
	}
	if err != nil {
		return errors.Join(err, sys.UnloadImage(image))
	}
	remove, err := sys.ServeInitrd(initrd)
	if err != nil {
		return errors.Join(err, sys.UnloadImage(image))
	}
	defer func() { err = errors.Join(err, remove()) }()
	return sys.StartImage(image)
}

func kernelFirmware() *fakefw.Firmware {
	fw := fakefw.New()
	fw.AddVolume(fakefw.Files{"vmlinuz": kernelImage, "initrd": "070701 archive"})
	return fw
}

func TestBootKernel(t *testing.T) {
	fw := kernelFirmware()
	defer fw.Close()
	end := fw.Run(func() { t.Error(bootKernel(fw.System())) })
	if end.How != fakefw.Booted {
		t.Fatalf("the program %v", end.How)
	}
	img := end.Image
	if string(img.Source) != kernelImage || img.CommandLine != "console=ttyS0" || string(img.Initrd) != "070701 archive" {
		t.Errorf("kernel %q with command line %q and initrd %q", img.Source, img.CommandLine, img.Initrd)
	}
	if want := `/HD(1,GPT,`; !strings.Contains(img.Path.String(), want) || img.Path.FilePath() != `\vmlinuz` {
		t.Errorf("device path %v", img.Path)
	}
}

// TestBootKernelFailures makes every single call of a boot fail: the error names
// what went wrong, and all is given back.
func TestBootKernelFailures(t *testing.T) {
	setup := func() *fakefw.Firmware {
		fw := kernelFirmware()
		fw.OnStart = func(*fakefw.Image) fakefw.Exit { return fakefw.Exit{} }
		return fw
	}
	op := func(fw *fakefw.Firmware) error { return bootKernel(fw.System()) }
	fakefw.EachFailure(t, uefi.ErrDeviceError, setup, op, func(t *testing.T, fw *fakefw.Firmware, call string, err error) {
		if !errors.Is(err, uefi.ErrDeviceError) {
			t.Errorf("error is %v", err)
		}
		if strings.HasPrefix(err.Error(), "EFI_") {
			t.Errorf("error does not name the operation: %v", err)
		}
		if leaks := fw.Leaks(); len(leaks) > 0 && call != "UninstallMultipleProtocolInterfaces" {
			t.Errorf("not given back: %q", leaks)
		}
	})
}
