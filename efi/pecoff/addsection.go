package pecoff

import (
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// maxAddedBytes bounds what AddSection adds.
const maxAddedBytes = 16 << 20

// AddSection returns a copy of a PE32+ image with one more section, behind the
// others: data that is only read, at most 16 MiB, under a name of at most 8 bytes
// which no other section has. Equal inputs give equal bytes.
//
// Signatures are made over all of an image: one that is signed is refused, and is
// to be signed afterwards. So is one whose headers have no room for another entry
// of the section table; what Convert makes has.
func AddSection(b []byte, name string, data []byte) ([]byte, error) {
	out, err := addSection(b, name, data)
	if err != nil {
		return nil, fmt.Errorf("add section %s: %w", name, err)
	}
	return out, nil
}

func addSection(b []byte, name string, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data) > maxAddedBytes {
		return nil, fmt.Errorf("%d bytes; it may have 1 to %d", len(data), maxAddedBytes)
	}
	img, err := Parse(b)
	if err != nil {
		return nil, err
	}
	h, err := parseHeaders(b)
	if err != nil {
		return nil, err
	}
	if img.Signatures != nil {
		return nil, errors.New("the image is signed, which covers its sections: add this one first and sign afterwards")
	}
	if h.find(name) >= 0 {
		return nil, errors.New("the image has one already")
	}
	if err := h.checkRoom(b); err != nil {
		return nil, err
	}
	section, err := h.place(name, uint64(len(b)), uint64(len(data)))
	if err != nil {
		return nil, err
	}
	out := make([]byte, section.PointerToRawData+section.SizeOfRawData)
	copy(out, b)
	copy(out[section.PointerToRawData:], data)
	return out, h.write(out, section)
}

// checkRoom looks whether the section table can grow: within the headers, over
// bytes that are zero.
func (h *headers) checkRoom(b []byte) error {
	end := h.tableOffset + uint64(binary.Size(h.table))
	room, err := slice(b, "section table", end, uint64(binary.Size(pe.SectionHeader32{})))
	limit := uint64(h.optional.SizeOfHeaders)
	for _, s := range h.table {
		if s.PointerToRawData != 0 {
			limit = min(limit, uint64(s.PointerToRawData))
		}
	}
	if err != nil || end+uint64(len(room)) > limit || !isZero(room) || len(h.table) >= maxImageSections {
		return errors.New("the headers of the image have no room for it")
	}
	return nil
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// place finds the section's place: in memory behind the image, in the file behind
// its size bytes. The optional header gets the new sizes.
func (h *headers) place(name string, size, n uint64) (pe.SectionHeader32, error) {
	o := &h.optional
	s := pe.SectionHeader32{VirtualSize: uint32(n), Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ}
	if len(name) == 0 || copy(s.Name[:], name) < len(name) || sectionName(s) != name {
		return s, fmt.Errorf("%q is no name of a section", name)
	}
	for _, align := range []uint32{o.SectionAlignment, o.FileAlignment} {
		if align == 0 || align&(align-1) != 0 || align > maxAlign {
			return s, fmt.Errorf("the image has the alignment %d", align)
		}
	}
	address := roundUp(uint64(o.SizeOfImage), o.SectionAlignment)
	offset := roundUp(size, o.FileAlignment)
	memory, file := roundUp(address+n, o.SectionAlignment), roundUp(offset+n, o.FileAlignment)
	if memory > math.MaxUint32 || file > math.MaxUint32 || uint64(o.SizeOfInitializedData)+file-offset > math.MaxUint32 {
		return s, errors.New("the image would have more than 4 GiB")
	}
	s.VirtualAddress, s.PointerToRawData, s.SizeOfRawData = uint32(address), uint32(offset), uint32(file-offset)
	o.SizeOfImage = uint32(memory)
	o.SizeOfInitializedData += s.SizeOfRawData
	return s, nil
}

// maxAlign is the largest alignment that is taken for one, in bytes: PE Format
// knows up to 64 KiB in the file.
const maxAlign = 1 << 20

func roundUp(v uint64, to uint32) uint64 { return (v + uint64(to) - 1) &^ (uint64(to) - 1) }

// write puts the changed headers and the checksum into the image.
func (h *headers) write(out []byte, s pe.SectionHeader32) error {
	optional, err := binary.Append(nil, binary.LittleEndian, h.optional)
	if err != nil {
		return err
	}
	copy(out[h.optionalOffset:h.tableOffset], optional)
	if _, err := binary.Encode(out[h.tableOffset+uint64(binary.Size(h.table)):], binary.LittleEndian, s); err != nil {
		return err
	}
	const countOffset = 2 // in the COFF header
	binary.LittleEndian.PutUint16(out[h.coffOffset+countOffset:], h.coff.NumberOfSections+1)
	binary.LittleEndian.PutUint32(out[h.checksumOffset:], checksum(out, h.checksumOffset))
	return nil
}
