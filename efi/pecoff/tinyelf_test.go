package pecoff

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// A tinyELF is the smallest program that Convert takes, as its records, so
// that a test can change any of them. bytes() writes it: one page of headers
// and one page each of code, constants, relro and data; the address of a byte
// is tinyBase plus its offset. Symbols and section headers come last.
type tinyELF struct {
	head     elf.Header64
	progs    []elf.Prog64
	sections []elf.Section64
	dynamic  []elf.Dyn64
	rela     []elf.Rela64
	symbols  []elf.Sym64
	extra    map[int]string // file offset: content
}

const (
	tinyBase    = 0x400000
	tinyText    = 0x1000
	tinyRodata  = 0x2000
	tinyRela    = 0x2100
	tinyRelro   = 0x3000
	tinyDynamic = 0x3100
	tinyData    = 0x4000
	tinySymbols = 0x4100
	tinyStrings = 0x4200
	tinyNames   = 0x4240
	tinyHeaders = 0x4300
)

const (
	tinyStringTable = "\x00other\x00entry\x00"
	tinyNameTable   = "\x00.text\x00.rodata\x00.rela\x00.symtab\x00.strtab\x00"
)

// Indexes into progs and sections.
const (
	progText = iota
	progRodata
	progRelroLoad
	progData
	progDynamic
	progRelro
)

const (
	sectionText = iota + 1
	sectionRodata
	sectionRela
	sectionSymbols
	sectionStrings
	sectionNames
)

func newTinyELF() *tinyELF {
	e := &tinyELF{
		head: elf.Header64{
			Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64,
			Phoff: 64, Phentsize: 56, Phnum: 6, Shoff: tinyHeaders, Shentsize: 64, Shnum: 7, Shstrndx: sectionNames,
		},
		dynamic: []elf.Dyn64{
			{Tag: int64(elf.DT_RELA), Val: tinyBase + tinyRela},
			{Tag: int64(elf.DT_RELASZ), Val: 48},
			{Tag: int64(elf.DT_FLAGS_1), Val: uint64(elf.DF_1_PIE)},
			{},
		},
		rela: []elf.Rela64{
			{Off: tinyBase + tinyData + 8, Info: uint64(elf.R_X86_64_RELATIVE), Addend: tinyBase + tinyText},
			{Off: tinyBase + tinyRelro, Info: uint64(elf.R_X86_64_RELATIVE), Addend: tinyBase + tinyRodata},
		},
		symbols: []elf.Sym64{
			{},
			{Name: 1, Info: byte(elf.STT_FUNC), Shndx: sectionText, Value: tinyBase + tinyText},
			{Name: 7, Info: byte(elf.STT_FUNC), Shndx: sectionText, Value: tinyBase + tinyText + 4},
		},
		extra: map[int]string{tinyText: "\xcc\xcc\xcc\xcc\xc3", tinyRodata: "constants", tinyData: "datadata\x01\x02"},
	}
	copy(e.head.Ident[:], elf.ELFMAG)
	e.head.Ident[elf.EI_CLASS], e.head.Ident[elf.EI_DATA] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)
	prog := func(t elf.ProgType, flags elf.ProgFlag, off, filesz, memsz uint64) {
		e.progs = append(e.progs, elf.Prog64{Type: uint32(t), Flags: uint32(flags), Off: off, Vaddr: tinyBase + off, Filesz: filesz, Memsz: memsz})
	}
	prog(elf.PT_LOAD, elf.PF_R|elf.PF_X, 0, tinyText+16, tinyText+16)
	prog(elf.PT_LOAD, elf.PF_R, tinyRodata, 0x200, 0x200)
	prog(elf.PT_LOAD, elf.PF_R|elf.PF_W, tinyRelro, 0x200, 0x200)
	prog(elf.PT_LOAD, elf.PF_R|elf.PF_W, tinyData, 0x100, 0x5000)
	prog(elf.PT_DYNAMIC, elf.PF_R, tinyDynamic, 64, 64)
	prog(elf.PT_GNU_RELRO, elf.PF_R, tinyRelro, 0x200, 0x200)
	section := func(name uint32, t elf.SectionType, flags elf.SectionFlag, off, size uint64, link uint32) {
		s := elf.Section64{Name: name, Type: uint32(t), Flags: uint64(flags), Off: off, Size: size, Link: link}
		if flags&elf.SHF_ALLOC != 0 {
			s.Addr = tinyBase + off
		}
		e.sections = append(e.sections, s)
	}
	section(0, elf.SHT_NULL, 0, 0, 0, 0)
	section(1, elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_EXECINSTR, tinyText, 16, 0)
	section(7, elf.SHT_PROGBITS, elf.SHF_ALLOC, tinyRodata, 0x100, 0)
	section(15, elf.SHT_RELA, elf.SHF_ALLOC, tinyRela, 0x100, 0)
	section(21, elf.SHT_SYMTAB, 0, tinySymbols, 72, sectionStrings)
	section(29, elf.SHT_STRTAB, 0, tinyStrings, uint64(len(tinyStringTable)), 0)
	section(29, elf.SHT_STRTAB, 0, tinyNames, uint64(len(tinyNameTable)), 0)
	return e
}

func (e *tinyELF) bytes(t testing.TB) []byte {
	t.Helper()
	b := make([]byte, tinyHeaders+64*len(e.sections))
	put := func(off int, v any) {
		if _, err := binary.Encode(b[off:], binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	put(0, e.head)
	put(64, e.progs)
	put(tinyRela, e.rela)
	put(tinyDynamic, e.dynamic)
	put(tinySymbols, e.symbols)
	put(tinyHeaders, e.sections)
	copy(b[tinyStrings:], tinyStringTable)
	copy(b[tinyNames:], tinyNameTable)
	for off, content := range e.extra {
		copy(b[off:], content)
	}
	return b
}

func (e *tinyELF) convert(t testing.TB, opts Options) ([]byte, error) {
	t.Helper()
	b := e.bytes(t)
	return Convert(bytes.NewReader(b), int64(len(b)), opts)
}
