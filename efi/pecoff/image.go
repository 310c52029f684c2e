package pecoff

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"fmt"
	"slices"
)

// baseAlign is the alignment of the preferred load address (PE Format,
// ImageBase).
const baseAlign = 0x10000

// An image is a PE image before it is written. Its sections are in the order
// of their addresses, and each begins on the page after the one before.
type image struct {
	machine  uint16
	base     uint64 // preferred load address
	entry    uint32 // relative to base, as all 32-bit addresses of PE are
	sections []imageSection
}

type imageSection struct {
	name  string
	addr  uint32
	size  uint32 // in memory; what data does not cover is zero
	flags uint32
	data  []byte
}

// layOut makes the sections from the segments. The ELF file's own headers in
// its first page give way to those of the image.
func layOut(f *elfFile, segs []segment, entry uint64, fixups []uint64) (*image, error) {
	img := &image{machine: f.machine.pe, base: segs[0].vaddr &^ (baseAlign - 1)}
	first := img.base + pageSize
	for _, s := range segs {
		start, end := max(s.vaddr, first), max(f.contentEnd(&s), first)
		if start >= end {
			continue
		}
		var data []byte
		if skip := start - s.vaddr; skip < uint64(len(s.data)) {
			data = s.data[skip:min(end-s.vaddr, uint64(len(s.data)))]
		}
		name, flags := s.section()
		img.extend(uint32(start - img.base))
		img.sections = append(img.sections, imageSection{
			name: name, addr: uint32(start - img.base), size: uint32(end - start),
			flags: flags, data: bytes.TrimRight(data, "\x00"),
		})
	}
	for _, at := range fixups {
		if !img.holds(at, 8, 0) {
			return nil, fmt.Errorf("relocate %#x: not in a part of the program that is kept", at)
		}
	}
	if !img.holds(entry, 1, pe.IMAGE_SCN_MEM_EXECUTE) {
		return nil, fmt.Errorf("entry point %#x is not in the program's code", entry)
	}
	img.entry = uint32(entry - img.base)
	return img, nil
}

// section returns the name and the flags of the section that s becomes.
func (s *segment) section() (string, uint32) {
	const data = pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ
	switch {
	case s.flags&elf.PF_X != 0:
		return ".text", pe.IMAGE_SCN_CNT_CODE | pe.IMAGE_SCN_MEM_READ | pe.IMAGE_SCN_MEM_EXECUTE
	case s.relro:
		return ".relro", data
	case s.flags&elf.PF_W == 0:
		return ".rodata", data
	default:
		return ".data", data | pe.IMAGE_SCN_MEM_WRITE
	}
}

// loaderSections are the sections that only a dynamic linker reads. Go's
// linker puts them at the end of the read-only segment.
var loaderSections = []string{".rela", ".rela.plt", ".gnu.version", ".gnu.version_r", ".dynstr", ".hash", ".dynsym"}

func (f *elfFile) forLoader(s *elf.Section64) bool {
	return slices.ContainsFunc(loaderSections, func(name string) bool { return hasString(f.names, s.Name, name) })
}

// contentEnd returns where the part of s ends that the program itself uses.
func (f *elfFile) contentEnd(s *segment) uint64 {
	if s.flags&elf.PF_W != 0 || len(f.sections) == 0 {
		return s.end()
	}
	end := s.vaddr
	for _, sec := range f.sections {
		used := elf.SectionFlag(sec.Flags)&elf.SHF_ALLOC != 0 && sec.Size != 0 && !f.forLoader(&sec)
		if used && sec.Addr >= s.vaddr && sec.Addr < s.end() {
			end = max(end, sec.Addr+min(sec.Size, s.end()-sec.Addr))
		}
	}
	return end
}

// holds reports whether n bytes at addr lie in one section with these flags.
func (img *image) holds(addr, n uint64, flags uint32) bool {
	return slices.ContainsFunc(img.sections, func(s imageSection) bool {
		start := img.base + uint64(s.addr)
		return addr >= start && addr-start <= uint64(s.size) && n <= uint64(s.size)-(addr-start) && s.flags&flags == flags
	})
}

// extend lets the last section grow by the pages that lie between it and the
// next one: sections of an image follow each other without a gap (PE Format,
// section table).
func (img *image) extend(next uint32) {
	if len(img.sections) > 0 && img.end() < next {
		last := &img.sections[len(img.sections)-1]
		last.size = next - last.addr
	}
}

// end returns the address behind the last section.
func (img *image) end() uint32 {
	last := img.sections[len(img.sections)-1]
	return alignUp(last.addr+last.size, pageSize)
}

// add appends a section behind the others.
func (img *image) add(name string, flags uint32, data []byte) {
	s := imageSection{name: name, addr: img.end(), size: uint32(len(data)), flags: flags, data: data}
	img.sections = append(img.sections, s)
}

func alignUp(v, to uint32) uint32 { return (v + to - 1) &^ (to - 1) }
