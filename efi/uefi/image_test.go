package uefi_test

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
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

// load reads and loads the kernel.
func load(t *testing.T, fw *fakefw.Firmware) (uefi.Handle, error) {
	t.Helper()
	p, err := fw.System().AllocatePages(len(kernelImage))
	if err != nil {
		t.Fatal(err)
	}
	copy(p.Bytes(), kernelImage)
	h, err := fw.System().LoadImage(p.Bytes(), nil)
	if err := p.Free(); err != nil {
		t.Fatal(err)
	}
	return h, err
}

func TestLoadImageRefused(t *testing.T) {
	for _, status := range []uefi.Status{uefi.ErrSecurityViolation, uefi.ErrAccessDenied, uefi.ErrUnsupported, uefi.ErrLoadError} {
		fw := newFirmware(t)
		fw.OnLoad = func(*fakefw.Image) uefi.Status { return status }
		if _, err := load(t, fw); !errors.Is(err, status) || !strings.HasPrefix(err.Error(), "load image") {
			t.Errorf("%v: %v", status, err)
		}
	}
}

func TestLoadImageWantsPages(t *testing.T) {
	fw := newFirmware(t)
	p, err := fw.System().AllocatePages(100)
	if err != nil {
		t.Fatal(err)
	}
	freed := p.Bytes()
	if err := p.Free(); err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string][]byte{"Go memory": []byte(kernelImage), "nothing": nil, "freed pages": freed} {
		if _, err := fw.System().LoadImage(src, nil); err == nil || !strings.Contains(err.Error(), "does not lie in allocated pages") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStartImageExits(t *testing.T) {
	for _, c := range []struct {
		exit fakefw.Exit
		text string
	}{
		{fakefw.Exit{}, ""},
		{fakefw.Exit{Status: uefi.ErrLoadError, Text: "no initrd"}, "start image: EFI_LOAD_ERROR: no initrd"},
		{fakefw.Exit{Status: uefi.ErrAborted}, "start image: EFI_ABORTED"},
		{fakefw.Exit{Status: uefi.ErrSecurityViolation, StayLoaded: true}, "start image: EFI_SECURITY_VIOLATION"},
		{fakefw.Exit{Status: uefi.ErrSecurityViolation}, "start image: EFI_SECURITY_VIOLATION"},
		{fakefw.Exit{Status: uefi.ErrAborted, Text: strings.Repeat("x", 600)}, "start image: EFI_ABORTED: " + strings.Repeat("x", 512)},
	} {
		fw := newFirmware(t)
		fw.OnStart = func(*fakefw.Image) fakefw.Exit { return c.exit }
		h, err := load(t, fw)
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := fw.System().LoadedImage(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := loaded.SetLoadOptions(uefi.EncodeUTF16("quiet")); err != nil {
			t.Fatal(err)
		}
		err = fw.System().StartImage(h)
		var exit *uefi.ExitError
		switch {
		case c.text == "" && err != nil:
			t.Error(err)
		case c.text != "" && (!errors.As(err, &exit) || !errors.Is(err, c.exit.Status) || err.Error() != c.text):
			t.Errorf("got %v, want %s", err, c.text)
		}
	}
}

func TestLoadedImage(t *testing.T) {
	fw := newFirmware(t)
	v := fw.AddVolume(nil)
	fw.SetLoadOptions("rayboot verbose")
	self, err := fw.System().LoadedImage(fw.System().ImageHandle())
	if err != nil {
		t.Fatal(err)
	}
	if self.Device != v.Handle || self.FilePath.FilePath() != `\EFI\BOOT\BOOTX64.EFI` || uefi.DecodeUTF16(self.LoadOptions) != "rayboot verbose" {
		t.Errorf("the program is %+v", self)
	}
	h, err := load(t, fw)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := fw.System().LoadedImage(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{"first", "second"} { // the first copy is freed by the second
		if err := loaded.SetLoadOptions([]byte(options)); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := fw.System().LoadedImage(h); err != nil || string(again.LoadOptions) != "second" {
		t.Errorf("load options are %q, %v", again.LoadOptions, err)
	}
	if err := loaded.SetLoadOptions(make([]byte, 2<<20)); err == nil {
		t.Error("2 MiB of load options were taken")
	}
	if err := fw.System().UnloadImage(h); err != nil {
		t.Fatal(err)
	}
	if _, err := fw.System().LoadedImage(h); err == nil {
		t.Error("an unloaded image is there")
	}
}

// program is a PE32+ image with a section of these bytes at 0x1000.
func program(t *testing.T, text string) []byte {
	t.Helper()
	const headers, address = 0x200, 0x1000
	optional := pe.OptionalHeader64{Magic: 0x20b, SizeOfImage: 2 * address, SizeOfHeaders: headers, NumberOfRvaAndSizes: 16}
	section := pe.SectionHeader32{VirtualAddress: address, VirtualSize: uint32(len(text)), PointerToRawData: headers, SizeOfRawData: uint32(len(text))}
	b := make([]byte, 0x40, headers)
	copy(b, "MZ")
	b[0x3c] = 0x40
	b = append(b, "PE\x00\x00"...)
	for _, part := range []any{
		pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional))}, optional, section,
	} {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return append(b[:headers], text...)
}

func TestMemoryOfAnImage(t *testing.T) {
	fw := newFirmware(t)
	fw.AddVolume(nil)
	memory := func() ([]byte, error) {
		t.Helper()
		self, err := fw.System().LoadedImage(fw.System().ImageHandle())
		if err != nil {
			t.Fatal(err)
		}
		return self.Memory()
	}
	if b, err := memory(); err == nil {
		t.Errorf("%d bytes of an image that is nowhere", len(b))
	}
	for _, text := range []string{"first", "second"} {
		fw.SetProgram(program(t, text))
		if b, err := memory(); err != nil || len(b) != 0x2000 || string(b[:2]) != "MZ" || !bytes.HasPrefix(b[0x1000:], []byte(text)) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
	for _, lie := range []uefi.LoadedImage{{Base: 1, Size: 1<<30 + 1}, {Base: ^uintptr(0), Size: 2}, {Size: 1}, {Base: 1}} {
		if _, err := lie.Memory(); err == nil {
			t.Errorf("%d bytes at %#x were taken", lie.Size, lie.Base)
		}
	}
}

func TestServeInitrdOnce(t *testing.T) {
	fw := newFirmware(t)
	p, err := fw.System().AllocatePages(100)
	if err != nil {
		t.Fatal(err)
	}
	remove, err := fw.System().ServeInitrd(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fw.System().ServeInitrd(p); !errors.Is(err, uefi.ErrAlreadyStarted) {
		t.Errorf("a second initrd: %v", err)
	}
	for range 2 {
		if err := remove(); err != nil {
			t.Error(err)
		}
	}
	remove, err = fw.System().ServeInitrd(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(remove(), p.Free()); err != nil {
		t.Error(err)
	}
}
