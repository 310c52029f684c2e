package esp

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Of the PE format (Microsoft PE Format, §File Headers) only what leads to the
// sections of a unified kernel image. The standard library's debug/pe reads the
// same and brings 300 KiB of decompressors and debug formats into the firmware
// program; the tests compare with it.
const (
	peOffsetAt        = 0x3c // in the DOS header: file offset of the PE signature
	peHeaderBytes     = 24   // signature and COFF header
	sectionTableBytes = 40   // one row of the section table
	maxSections       = 96   // what the Windows loader takes
)

// peArchitectures maps the Machine field to the names of entries.
var peArchitectures = map[uint16]Architecture{0x8664: X64, 0xaa64: AA64, 0x014c: "ia32", 0x01c2: "arm"}

// peImage is the section table of an image.
type peImage struct {
	r            io.ReaderAt
	size         int64
	architecture Architecture // as the header names it, "unknown" if it is none of the above
	sections     []peSection
}

type peSection struct {
	name         string
	offset, size int64 // in the file
}

// readPE reads the headers of an image of size bytes.
func readPE(r io.ReaderAt, size int64) (peImage, error) {
	image := peImage{r: r, size: size}
	dos, err := image.read(0, peOffsetAt+4)
	if err != nil {
		return peImage{}, fmt.Errorf("read DOS header: %w", err)
	}
	if string(dos[:2]) != "MZ" {
		return peImage{}, ErrNotPE
	}
	start := int64(binary.LittleEndian.Uint32(dos[peOffsetAt:]))
	header, err := image.read(start, peHeaderBytes)
	if err != nil {
		return peImage{}, fmt.Errorf("read PE header: %w", err)
	}
	if string(header[:4]) != "PE\x00\x00" {
		return peImage{}, ErrNotPE
	}
	image.architecture = "unknown"
	if a, ok := peArchitectures[binary.LittleEndian.Uint16(header[4:])]; ok {
		image.architecture = a
	}
	count := int(binary.LittleEndian.Uint16(header[6:]))
	if count > maxSections {
		return peImage{}, fmt.Errorf("has %d sections, at most %d are read: %w", count, maxSections, ErrNotPE)
	}
	optionalHeaderBytes := int64(binary.LittleEndian.Uint16(header[20:]))
	return image, image.readSections(start+peHeaderBytes+optionalHeaderBytes, count)
}

// readSections reads the section table up to the first .profile section, after
// which the sections of other profiles follow (UAPI.5 §Multi-profile UKIs).
func (p *peImage) readSections(offset int64, count int) error {
	table, err := p.read(offset, count*sectionTableBytes)
	if err != nil {
		return fmt.Errorf("read section table: %w", err)
	}
	for ; len(table) > 0; table = table[sectionTableBytes:] {
		name, _, _ := strings.Cut(string(table[:8]), "\x00")
		if name == ".profile" {
			return nil
		}
		virtualSize := binary.LittleEndian.Uint32(table[8:])
		rawSize := binary.LittleEndian.Uint32(table[16:])
		p.sections = append(p.sections, peSection{
			name:   name,
			offset: int64(binary.LittleEndian.Uint32(table[20:])),
			size:   int64(min(virtualSize, rawSize)),
		})
	}
	return nil
}

// find returns the first section of a name.
func (p *peImage) find(name string) (peSection, bool) {
	for _, s := range p.sections {
		if s.name == name {
			return s, true
		}
	}
	return peSection{}, false
}

func (p *peImage) has(name string) bool {
	_, ok := p.find(name)
	return ok
}

// text returns a section's content up to a NUL, or "" if there is no such section.
func (p *peImage) text(name string) (string, error) {
	s, ok := p.find(name)
	if !ok {
		return "", nil
	}
	if s.size > MaxConfBytes {
		return "", fmt.Errorf("section %s %w", name, errTooLarge(s.size, MaxConfBytes))
	}
	data, err := p.read(s.offset, int(s.size))
	if err != nil {
		return "", fmt.Errorf("read section %s: %w", name, err)
	}
	text, _, _ := strings.Cut(string(data), "\x00")
	return text, nil
}

// read returns n bytes of the file from offset on. What lies outside the file is
// io.ErrUnexpectedEOF, before any memory is taken for it.
func (p *peImage) read(offset int64, n int) ([]byte, error) {
	if offset < 0 || offset > p.size || int64(n) > p.size-offset {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	if got, err := p.r.ReadAt(b, offset); got < n {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}
