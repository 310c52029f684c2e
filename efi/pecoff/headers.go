package pecoff

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxImageSections is the most that Windows loads (PE Format, COFF header);
// EFI images have about ten.
const maxImageSections = 96

// headers are those of a PE32+ image, in its file as well as in memory, with
// the offsets of what may be changed in them.
type headers struct {
	coff     pe.FileHeader
	optional pe.OptionalHeader64 // data directories that are not there are zero
	table    []pe.SectionHeader32

	coffOffset, optionalOffset, tableOffset uint64
	checksumOffset                          int
}

func parseHeaders(b []byte) (*headers, error) {
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
	h := &headers{coffOffset: at + uint64(len(peMagic)), checksumOffset: checksumOffset(int(at))}
	if err := decodeAt(b, "COFF header", h.coffOffset, &h.coff); err != nil {
		return nil, err
	}
	h.optionalOffset = h.coffOffset + uint64(binary.Size(h.coff))
	h.tableOffset = h.optionalOffset + uint64(h.coff.SizeOfOptionalHeader)
	if err := h.parseOptional(b); err != nil {
		return nil, err
	}
	if h.coff.NumberOfSections > maxImageSections {
		return nil, fmt.Errorf("%d sections, at most %d are supported", h.coff.NumberOfSections, maxImageSections)
	}
	h.table = make([]pe.SectionHeader32, h.coff.NumberOfSections)
	return h, decodeAt(b, "section table", h.tableOffset, h.table)
}

// parseOptional reads the optional header. It may end early, in the data
// directories.
func (h *headers) parseOptional(b []byte) error {
	full := binary.Size(h.optional)
	fixed := full - binary.Size(h.optional.DataDirectory)
	raw, err := slice(b, "optional header", h.optionalOffset, uint64(h.coff.SizeOfOptionalHeader))
	if err != nil {
		return err
	}
	if len(raw) < fixed || binary.LittleEndian.Uint16(raw) != pe32Plus {
		return fmt.Errorf("optional header of %d bytes is not that of a 64-bit image", len(raw))
	}
	padded := make([]byte, full)
	copy(padded, raw)
	return decodeAt(padded, "optional header", 0, &h.optional)
}

// find returns the index of the first section of that name, as shim and systemd
// look for it; -1 if there is none.
func (h *headers) find(name string) int {
	return slices.IndexFunc(h.table, func(s pe.SectionHeader32) bool { return sectionName(s) == name })
}

func sectionName(h pe.SectionHeader32) string {
	name, _, _ := bytes.Cut(h.Name[:], []byte{0})
	return string(name)
}

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
