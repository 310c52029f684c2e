package pecoff

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Limits on what an ELF file may ask for. Go's own linker writes about a dozen
// program headers and 40 section headers.
const (
	maxProgs        = 64
	maxSections     = 1024
	maxSectionNames = 64 << 10  // bytes
	maxProgram      = 128 << 20 // file bytes of all load segments together
	maxMemory       = 512 << 20 // addresses from the first to the last segment
	maxSymbolTable  = 64 << 20  // bytes of the symbol table, and of its strings
)

// An elfFile is an opened ELF executable. debug/elf supplies the names and the
// record layouts; its reader is not used because it also unpacks compressed
// sections, and so lets a small file ask for a lot of memory.
type elfFile struct {
	r        io.ReaderAt
	size     uint64
	machine  machine
	progs    []elf.Prog64
	sections []elf.Section64
	names    []byte // of the sections
}

// openELF reads the ELF header and both header tables.
func openELF(r io.ReaderAt, size int64) (*elfFile, error) {
	f := &elfFile{r: r, size: uint64(max(size, 0))}
	var head elf.Header64
	if err := f.decode("ELF header", 0, &head); err != nil {
		return nil, err
	}
	if err := f.checkHeader(&head); err != nil {
		return nil, fmt.Errorf("read ELF header: %w", err)
	}
	f.progs = make([]elf.Prog64, head.Phnum)
	if err := f.decode("program headers", head.Phoff, f.progs); err != nil {
		return nil, err
	}
	f.sections = make([]elf.Section64, head.Shnum)
	if err := f.decode("section headers", head.Shoff, f.sections); err != nil {
		return nil, err
	}
	if head.Shnum == 0 {
		return f, nil
	}
	if head.Shstrndx >= head.Shnum {
		return nil, fmt.Errorf("read section names: section %d of %d", head.Shstrndx, head.Shnum)
	}
	names := f.sections[head.Shstrndx]
	if names.Size > maxSectionNames {
		return nil, fmt.Errorf("read section names: %d bytes, at most %d are supported", names.Size, maxSectionNames)
	}
	var err error
	f.names, err = f.read("section names", names.Off, names.Size)
	return f, err
}

func (f *elfFile) checkHeader(h *elf.Header64) error {
	if string(h.Ident[:4]) != elf.ELFMAG {
		return errors.New("not an ELF file")
	}
	class, data := elf.Class(h.Ident[elf.EI_CLASS]), elf.Data(h.Ident[elf.EI_DATA])
	if class != elf.ELFCLASS64 || data != elf.ELFDATA2LSB {
		return fmt.Errorf("%v, %v: only 64-bit little-endian programs can be EFI applications", class, data)
	}
	i := slices.IndexFunc(machines, func(m machine) bool { return m.elf == elf.Machine(h.Machine) })
	if i < 0 {
		return fmt.Errorf("machine %v is not supported", elf.Machine(h.Machine))
	}
	f.machine = machines[i]
	if t := elf.Type(h.Type); t != elf.ET_DYN {
		return fmt.Errorf("%v is not position-independent; build with -buildmode=pie", t)
	}
	if h.Phnum == 0 || h.Phnum > maxProgs || int(h.Phentsize) != binary.Size(elf.Prog64{}) {
		return fmt.Errorf("%d program headers of %d bytes", h.Phnum, h.Phentsize)
	}
	if h.Shnum > maxSections || h.Shnum > 0 && int(h.Shentsize) != binary.Size(elf.Section64{}) {
		return fmt.Errorf("%d section headers of %d bytes", h.Shnum, h.Shentsize)
	}
	return nil
}

// read returns n bytes of the file, which must all be there.
func (f *elfFile) read(what string, off, n uint64) ([]byte, error) {
	if off > f.size || n > f.size-off {
		return nil, fmt.Errorf("read %s: %d bytes at offset %#x go beyond the end of the file at %#x", what, n, off, f.size)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(f.r, int64(off), int64(n)), b); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return b, nil
}

// decode reads the fixed-size record or slice of records v.
func (f *elfFile) decode(what string, off uint64, v any) error {
	b, err := f.read(what, off, uint64(binary.Size(v)))
	if err != nil {
		return err
	}
	if _, err := binary.Decode(b, binary.LittleEndian, v); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// prog returns the first program header of type t, or nil.
func (f *elfFile) prog(t elf.ProgType) *elf.Prog64 {
	for i := range f.progs {
		if elf.ProgType(f.progs[i].Type) == t {
			return &f.progs[i]
		}
	}
	return nil
}

// symbol returns the address of the function name.
func (f *elfFile) symbol(name string) (uint64, error) {
	missing := fmt.Errorf("%s: %w", name, ErrNoEntry)
	i := slices.IndexFunc(f.sections, func(s elf.Section64) bool { return elf.SectionType(s.Type) == elf.SHT_SYMTAB })
	if i < 0 {
		return 0, fmt.Errorf("%w: the program has no symbol table; link without -s", missing)
	}
	tab := f.sections[i]
	if tab.Link >= uint32(len(f.sections)) {
		return 0, fmt.Errorf("read symbol table: names in section %d of %d", tab.Link, len(f.sections))
	}
	str := f.sections[tab.Link]
	if tab.Size > maxSymbolTable || str.Size > maxSymbolTable {
		return 0, fmt.Errorf("read symbol table: %d bytes with %d bytes of names, at most %d are supported", tab.Size, str.Size, maxSymbolTable)
	}
	names, err := f.read("symbol names", str.Off, str.Size)
	if err != nil {
		return 0, err
	}
	syms := make([]elf.Sym64, tab.Size/elf.Sym64Size)
	if err := f.decode("symbol table", tab.Off, syms); err != nil {
		return 0, err
	}
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Shndx != uint16(elf.SHN_UNDEF) && hasString(names, s.Name, name) {
			return s.Value, nil
		}
	}
	return 0, missing
}

// hasString reports whether the NUL-terminated string at an offset of a string
// table is want.
func hasString(table []byte, off uint32, want string) bool {
	return uint64(off) < uint64(len(table)) && bytes.HasPrefix(table[off:], append([]byte(want), 0))
}
