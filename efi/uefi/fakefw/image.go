package fakefw

import (
	"bytes"
	"debug/pe"
	"fmt"
	"strings"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Image is an image that the program loaded.
type Image struct {
	Handle uefi.Handle
	Path   uefi.DevicePath // as given to LoadImage
	Source []byte          // a copy of what was loaded

	// Set when the image is started:
	CommandLine string // its load options as text
	Initrd      []byte // what the firmware serves as initrd, nil if nothing
	Started     bool

	record *raw.LoadedImageProtocol
}

// Exit is how a started image ends.
type Exit struct {
	Status     uefi.Status // what it returns
	Text       string      // what it says about it
	TakesOver  bool        // it does not return: it is a kernel that boots
	StayLoaded bool        // it was refused before it ran, so it is not unloaded
}

// BootFrom says where the program itself was loaded from.
func (fw *Firmware) BootFrom(p *Partition, file string) {
	fw.appRecord.DeviceHandle = uintptr(p.Handle)
	fw.appRecord.FilePath = fw.placeBytes(mustAppend(nil, uefi.FileNode(file)))
}

// SetLoadOptions gives the program itself load options.
func (fw *Firmware) SetLoadOptions(s string) {
	b := append(encodeUnits(s), 0, 0)
	fw.appRecord.LoadOptions, fw.appRecord.LoadOptionsSize = fw.placeBytes(b), uint32(len(b))
}

// SetProgram loads the image of the program itself: its headers, then its sections
// at their addresses, without relocation. Without it the program has no place in
// the machine's memory. It panics on what is no PE32+ image.
func (fw *Firmware) SetProgram(file []byte) {
	image, err := pe.NewFile(bytes.NewReader(file))
	if err != nil {
		panic("fakefw: " + err.Error())
	}
	header := image.OptionalHeader.(*pe.OptionalHeader64)
	memory := fw.memory.loadProgram(int(header.SizeOfImage))
	copy(memory, file[:header.SizeOfHeaders])
	for _, s := range image.Sections {
		data, err := s.Data()
		if err != nil {
			panic("fakefw: " + err.Error())
		}
		copy(memory[s.VirtualAddress:][:s.VirtualSize], data)
	}
	fw.appRecord.ImageBase, fw.appRecord.ImageSize = raw.Address(memory), uint64(len(memory))
}

// buildApp makes the handle of the program.
func (fw *Firmware) buildApp(table uintptr) {
	h := fw.newHandle()
	fw.app = h.id
	addr, record := place(fw, raw.LoadedImageProtocol{Revision: 0x1000, SystemTable: table})
	fw.appRecord = record
	h.install(uefi.LoadedImageProtocol, addr)
}

func (fw *Firmware) loadImage(args []uintptr) uefi.Status {
	if args[0] != 0 || uefi.Handle(args[1]) != fw.app || args[3] == 0 {
		return uefi.ErrInvalidParameter
	}
	img := &Image{
		Path:   pathAt(args[2]),
		Source: bytes.Clone(fw.deviceMemory("LoadImage", args[3], args[4])),
	}
	status := fw.judge(img)
	if status.IsError() && status != uefi.ErrSecurityViolation {
		return status
	}
	h := fw.newHandle()
	img.Handle = h.id
	addr, record := place(fw, raw.LoadedImageProtocol{
		Revision: 0x1000, ParentHandle: uintptr(fw.app), DeviceHandle: fw.deviceOf(img.Path),
		FilePath: fw.placeBytes(fileNodes(img.Path)), ImageBase: args[3], ImageSize: uint64(args[4]),
	})
	img.record = record
	h.install(uefi.LoadedImageProtocol, addr)
	fw.images[h.id] = img
	*raw.At[uefi.Handle](args[5]) = h.id
	return status
}

func (fw *Firmware) judge(img *Image) uefi.Status {
	switch {
	case fw.OnLoad != nil:
		return fw.OnLoad(img)
	case bytes.HasPrefix(img.Source, []byte("MZ")):
		return uefi.Success
	}
	return uefi.ErrUnsupported
}

// deviceOf finds the handle whose device path the image's path begins with.
func (fw *Firmware) deviceOf(p uefi.DevicePath) uintptr {
	found, longest := uintptr(0), 0
	for _, h := range fw.handles {
		if i := h.find(uefi.DevicePathProtocol); i >= 0 {
			device := pathAt(h.protocols[i].addr)
			prefix := device[:len(device)-4] // without the end node
			if len(prefix) > longest && bytes.HasPrefix(p, prefix) {
				found, longest = uintptr(h.id), len(prefix)
			}
		}
	}
	return found
}

// fileNodes is the path of the nodes that name a file.
func fileNodes(p uefi.DevicePath) uefi.DevicePath {
	if p.FilePath() == "" {
		return nil
	}
	return mustAppend(nil, uefi.FileNode(p.FilePath()))
}

func (fw *Firmware) startImage(args []uintptr) uefi.Status {
	img := fw.images[uefi.Handle(args[0])]
	if img == nil || img.Started {
		return uefi.ErrInvalidParameter
	}
	results := fw.deviceMemory("StartImage", args[1], 8)
	more := fw.deviceMemory("StartImage", args[2], 8)
	img.Started = true
	img.CommandLine = fw.commandLine(img)
	img.Initrd = fw.initrd()
	exit := Exit{TakesOver: true}
	if fw.OnStart != nil {
		exit = fw.OnStart(img)
	}
	if exit.TakesOver {
		panic(ending{End{How: Booted, Image: img}})
	}
	if exit.Text != "" {
		text := append(encodeUnits(exit.Text), 0, 0)
		*raw.At[uintptr](raw.Address(results)) = uintptr(len(text))
		*raw.At[uintptr](raw.Address(more)) = fw.newPool(text)
	}
	if exit.StayLoaded {
		img.Started = false
	} else {
		fw.unload(img)
	}
	return exit.Status
}

// commandLine reads the image's load options, which lie in pages: the image runs
// where no Go memory exists.
func (fw *Firmware) commandLine(img *Image) string {
	b := fw.deviceMemory("load options", img.record.LoadOptions, uintptr(img.record.LoadOptionsSize))
	return uefi.DecodeUTF16(b)
}

func (fw *Firmware) unload(img *Image) {
	delete(fw.images, img.Handle)
	fw.removeHandle(img.Handle)
}

func (fw *Firmware) unloadImage(args []uintptr) uefi.Status {
	img := fw.images[uefi.Handle(args[0])]
	if img == nil {
		return uefi.ErrInvalidParameter
	}
	fw.unload(img)
	return uefi.Success
}

// loadFile2Token is the address of the function that serves an initrd.
const loadFile2Token = 0xfa4e_2222_0000_0001

// initrd finds the initrd as a kernel does: by the vendor media device path of
// LINUX_EFI_INITRD_MEDIA_GUID on a handle with LoadFile2.
func (fw *Firmware) initrd() []byte {
	want := mustAppend(nil, uefi.VendorMediaNode(uefi.LinuxInitrd, nil))
	for _, h := range fw.handles {
		path, file := h.find(uefi.DevicePathProtocol), h.find(uefi.LoadFile2Protocol)
		if path < 0 || file < 0 || !bytes.Equal(pathAt(h.protocols[path].addr), want) {
			continue
		}
		fw.deviceMemory("device path of the initrd", h.protocols[path].addr, uintptr(len(want)))
		fw.deviceMemory("protocol of the initrd", h.protocols[file].addr, raw.SizeOf[raw.LoadFile2Protocol]())
		r := raw.At[raw.LoadFile2Protocol](h.protocols[file].addr)
		if r.LoadFile != loadFile2Token {
			panic(fmt.Sprintf("fakefw: LoadFile2 has the function %#x", r.LoadFile))
		}
		return append([]byte{}, fw.deviceMemory("initrd", r.Data, r.Size)...)
	}
	return nil
}

// String names the image by its file.
func (img *Image) String() string {
	if f := img.Path.FilePath(); f != "" {
		return strings.ReplaceAll(f, `\`, "/")
	}
	return img.Path.String()
}
