package pecoff

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxImageSections is the most that Windows loads (PE Format, COFF header);
// EFI images have about ten.
const maxImageSections = 96

// An Image is what Parse found in a PE32+ image. Addresses are relative to
// where the image is loaded.
type Image struct {
	Machine            uint16 // pe.IMAGE_FILE_MACHINE_*
	Subsystem          uint16 // pe.IMAGE_SUBSYSTEM_*
	DLLCharacteristics uint16 // pe.IMAGE_DLLCHARACTERISTICS_*
	Base               uint64 // preferred load address
	Entry              uint32 // address of the entry point
	MemorySize         uint32 // bytes that the loaded image takes
	Checksum           uint32 // as stored; many linkers leave it 0
	Sections           []Section
	// Signatures is the attribute certificate table: what Secure Boot checks.
	// It is nil for an unsigned image.
	Signatures []byte

	data           []byte
	checksumOffset int
}

// A Section is one entry of an image's section table.
type Section struct {
	Name            string // at most 8 bytes
	VirtualAddress  uint32
	VirtualSize     uint32 // bytes in memory
	Offset          uint32 // of the data in the file
	Size            uint32 // bytes in the file, with padding
	Characteristics uint32 // pe.IMAGE_SCN_*
}

// Parse reads a PE32+ image, as UEFI and Linux on UEFI use it (UEFI 2.10
// §2.1.1). The image that it returns refers to b, which must not change.
//
// Everything that the image's headers point to is inside b: a truncated file
// is an error. Whether firmware would load the image is for firmware to say.
func Parse(b []byte) (*Image, error) {
	img, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("parse PE image: %w", err)
	}
	return img, nil
}

func parse(b []byte) (*Image, error) {
	if len(b) < peOffset || string(b[:2]) != "MZ" {
		return nil, errors.New("no DOS header: not an EFI application")
	}
	at := uint64(binary.LittleEndian.Uint32(b[lfanewOffset:]))
	magic, err := slice(b, "PE header", at, uint64(len(peMagic)))
	if err != nil {
		return nil, err
	}
	if string(magic) != peMagic {
		return nil, fmt.Errorf("no PE header at %#x: not an EFI application", at)
	}
	img := &Image{data: b, checksumOffset: checksumOffset(int(at))}
	at += uint64(len(peMagic))
	var head pe.FileHeader
	if err := decodeAt(b, "COFF header", at, &head); err != nil {
		return nil, err
	}
	img.Machine = head.Machine
	at += uint64(binary.Size(head))
	if err := img.parseOptional(at, uint64(head.SizeOfOptionalHeader)); err != nil {
		return nil, err
	}
	if head.NumberOfSections > maxImageSections {
		return nil, fmt.Errorf("%d sections, at most %d are supported", head.NumberOfSections, maxImageSections)
	}
	return img, img.parseSections(at+uint64(head.SizeOfOptionalHeader), int(head.NumberOfSections))
}

// parseOptional reads the optional header of size bytes. It may end early, in
// the data directories.
func (img *Image) parseOptional(at, size uint64) error {
	var opt pe.OptionalHeader64
	full := binary.Size(opt)
	fixed := uint64(full - binary.Size(opt.DataDirectory))
	raw, err := slice(img.data, "optional header", at, size)
	if err != nil {
		return err
	}
	if size < fixed || binary.LittleEndian.Uint16(raw) != pe32Plus {
		return fmt.Errorf("optional header of %d bytes is not that of a 64-bit image", size)
	}
	padded := make([]byte, full)
	copy(padded, raw)
	if err := decodeAt(padded, "optional header", 0, &opt); err != nil {
		return err
	}
	img.Subsystem, img.DLLCharacteristics = opt.Subsystem, opt.DllCharacteristics
	img.Base, img.Entry, img.MemorySize, img.Checksum = opt.ImageBase, opt.AddressOfEntryPoint, opt.SizeOfImage, opt.CheckSum
	if opt.NumberOfRvaAndSizes <= pe.IMAGE_DIRECTORY_ENTRY_SECURITY {
		return nil
	}
	// This directory alone holds an offset in the file instead of an address.
	if dir := opt.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_SECURITY]; dir.Size > 0 {
		img.Signatures, err = slice(img.data, "signatures", uint64(dir.VirtualAddress), uint64(dir.Size))
	}
	return err
}

func (img *Image) parseSections(at uint64, n int) error {
	table := make([]pe.SectionHeader32, n)
	if err := decodeAt(img.data, "section table", at, table); err != nil {
		return err
	}
	for _, h := range table {
		name, _, _ := bytes.Cut(h.Name[:], []byte{0})
		s := Section{
			Name: string(name), VirtualAddress: h.VirtualAddress, VirtualSize: h.VirtualSize,
			Offset: h.PointerToRawData, Size: h.SizeOfRawData, Characteristics: h.Characteristics,
		}
		if s.Offset == 0 {
			s.Size = 0 // uninitialised data, whatever the header says
		}
		if _, err := slice(img.data, fmt.Sprintf("section %q", s.Name), uint64(s.Offset), uint64(s.Size)); err != nil {
			return err
		}
		if uint64(s.VirtualAddress)+uint64(s.VirtualSize) > uint64(img.MemorySize) {
			return fmt.Errorf("section %q: %d bytes at address %#x go beyond the image's %#x", s.Name, s.VirtualSize, s.VirtualAddress, img.MemorySize)
		}
		img.Sections = append(img.Sections, s)
	}
	return nil
}

// Section returns the first section of that name, as shim and systemd do.
func (img *Image) Section(name string) (Section, bool) {
	for _, s := range img.Sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// Data returns the bytes of one of the image's own sections, without padding.
// They are shorter than VirtualSize where the rest is zero.
func (img *Image) Data(s Section) []byte {
	size := s.Size
	if s.VirtualSize != 0 {
		size = min(size, s.VirtualSize)
	}
	return img.data[s.Offset:][:size:size]
}

// ComputeChecksum returns what Checksum is in an image whose linker stored it.
func (img *Image) ComputeChecksum() uint32 { return checksum(img.data, img.checksumOffset) }

// slice returns n bytes of b at an offset, or an error that says what is cut.
func slice(b []byte, what string, at, n uint64) ([]byte, error) {
	if at > uint64(len(b)) || n > uint64(len(b))-at {
		return nil, fmt.Errorf("%s: %d bytes at offset %#x go beyond the end of the file at %#x: it is truncated", what, n, at, len(b))
	}
	return b[at : at+n : at+n], nil
}

// decodeAt reads the fixed-size record or slice of records v.
func decodeAt(b []byte, what string, at uint64, v any) error {
	raw, err := slice(b, what, at, uint64(binary.Size(v)))
	if err != nil {
		return err
	}
	if _, err := binary.Decode(raw, binary.LittleEndian, v); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
