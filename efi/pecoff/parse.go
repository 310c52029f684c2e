package pecoff

import (
	"debug/pe"
	"fmt"
)

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
	h, err := parseHeaders(b)
	if err != nil {
		return nil, err
	}
	img := &Image{
		Machine: h.coff.Machine, Subsystem: h.optional.Subsystem, DLLCharacteristics: h.optional.DllCharacteristics,
		Base: h.optional.ImageBase, Entry: h.optional.AddressOfEntryPoint, MemorySize: h.optional.SizeOfImage,
		Checksum: h.optional.CheckSum, data: b, checksumOffset: h.checksumOffset,
	}
	// This directory alone holds an offset in the file instead of an address.
	const security = pe.IMAGE_DIRECTORY_ENTRY_SECURITY
	if dir := h.optional.DataDirectory[security]; h.optional.NumberOfRvaAndSizes > security && dir.Size > 0 {
		if img.Signatures, err = slice(b, "signatures", uint64(dir.VirtualAddress), uint64(dir.Size)); err != nil {
			return nil, err
		}
	}
	return img, img.parseSections(h.table)
}

func (img *Image) parseSections(table []pe.SectionHeader32) error {
	for _, h := range table {
		s := Section{
			Name: sectionName(h), VirtualAddress: h.VirtualAddress, VirtualSize: h.VirtualSize,
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
