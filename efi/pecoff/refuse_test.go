package pecoff

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var tinyOptions = Options{Entry: "entry"}

func TestConvertTinyProgram(t *testing.T) {
	b, err := newTinyELF().convert(t, tinyOptions)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if img.Entry != tinyText+4 || img.Base != tinyBase {
		t.Errorf("entry %#x, base %#x", img.Entry, img.Base)
	}
	want := []string{
		".text \xcc\xcc\xcc\xcc\xc3",
		".rodata constants",
		".relro \x00\x20\x40",
		".data datadata\x00\x10\x40",
		".sbat " + string(DefaultSBAT("devel")),
		".reloc \x00\x30\x00\x00\x0c\x00\x00\x00\x00\xa0\x00\x00\x00\x40\x00\x00\x0c\x00\x00\x00\x08\xa0",
	}
	var got []string
	for _, s := range img.Sections {
		data := bytes.TrimRight(img.Data(s), "\x00")
		if s.Name == ".relro" {
			data = bytes.TrimRight(data[:8], "\x00") // the rest is the dynamic table
		}
		got = append(got, s.Name+" "+string(data))
	}
	if !slices.Equal(got, want) {
		t.Errorf("sections\n%q, want\n%q", got, want)
	}
}

func TestConvertRefuses(t *testing.T) {
	tag := func(i int, tag elf.DynTag, val uint64) func(*tinyELF) {
		return func(e *tinyELF) { e.dynamic[i] = elf.Dyn64{Tag: int64(tag), Val: val} }
	}
	addTag := func(tag elf.DynTag) func(*tinyELF) {
		return func(e *tinyELF) {
			e.dynamic = slices.Insert(e.dynamic, 0, elf.Dyn64{Tag: int64(tag)})
			e.progs[progDynamic].Filesz = 80
		}
	}
	tests := []struct {
		name   string
		change func(*tinyELF)
		want   string
	}{
		{"no ELF", func(e *tinyELF) { e.head.Ident[0] = 'x' }, "not an ELF file"},
		{"32 bits", func(e *tinyELF) { e.head.Ident[elf.EI_CLASS] = 1 }, "ELFCLASS32"},
		{"big-endian", func(e *tinyELF) { e.head.Ident[elf.EI_DATA] = 2 }, "ELFDATA2MSB"},
		{"machine", func(e *tinyELF) { e.head.Machine = uint16(elf.EM_RISCV) }, "EM_RISCV is not supported"},
		{"fixed address", func(e *tinyELF) { e.head.Type = uint16(elf.ET_EXEC) }, "-buildmode=pie"},
		{"no program headers", func(e *tinyELF) { e.head.Phnum = 0 }, "0 program headers"},
		{"many program headers", func(e *tinyELF) { e.head.Phnum = 65 }, "65 program headers"},
		{"odd program headers", func(e *tinyELF) { e.head.Phentsize = 32 }, "of 32 bytes"},
		{"program headers outside", func(e *tinyELF) { e.head.Phoff = 1 << 60 }, "beyond the end of the file"},
		{"program headers overflow", func(e *tinyELF) { e.head.Phoff = 1<<64 - 8 }, "beyond the end of the file"},
		{"many sections", func(e *tinyELF) { e.head.Shnum = 65535 }, "65535 section headers"},
		{"odd sections", func(e *tinyELF) { e.head.Shentsize = 40 }, "of 40 bytes"},
		{"sections outside", func(e *tinyELF) { e.head.Shoff = 1 << 40 }, "beyond the end of the file"},
		{"section names missing", func(e *tinyELF) { e.head.Shstrndx = 7 }, "section 7 of 7"},
		{"section names huge", func(e *tinyELF) { e.sections[sectionNames].Size = 1 << 40 }, "at most 65536"},
		{"section names outside", func(e *tinyELF) { e.sections[sectionNames].Off = 1 << 40 }, "beyond the end of the file"},

		{"no dynamic table", func(e *tinyELF) { e.progs[progDynamic].Type = 0 }, "there is none"},
		{"dynamic table huge", func(e *tinyELF) { e.progs[progDynamic].Filesz = 1 << 50 }, "at most 4096"},
		{"dynamic table outside", func(e *tinyELF) { e.progs[progDynamic].Off = 1 << 50 }, "beyond the end of the file"},
		{"shared library", tag(2, elf.DT_FLAGS_1, 0), "shared library, not a program"},
		{"imports", addTag(elf.DT_NEEDED), "imports shared libraries"},
		{"PLT", addTag(elf.DT_PLTRELSZ), "procedure linkage table"},
		{"REL", addTag(elf.DT_REL), "without addends"},
		{"RELR", addTag(dtRELR), "packed relocations"},
		{"text relocations", addTag(elf.DT_TEXTREL), "relocations in its code"},
		{"initialiser", addTag(elf.DT_INIT), "has an initialiser"},
		{"initialisers", addTag(elf.DT_INIT_ARRAY), "has initialisers"},

		{"nothing to load", func(e *tinyELF) {
			for i := progText; i <= progData; i++ {
				e.progs[i].Memsz = 0
			}
		}, "nothing to load"},
		{"thread-local data", func(e *tinyELF) { e.progs[progRelro].Type = uint32(elf.PT_TLS) }, "thread-local data"},
		{"unaligned", func(e *tinyELF) { e.progs[progRodata].Vaddr += 8 }, "not aligned"},
		{"overlap", func(e *tinyELF) { e.progs[progText].Memsz = 0x2001 }, "overlaps"},
		{"overlap in the file", func(e *tinyELF) { e.progs[progRodata].Off = 0x100f }, "overlaps"},
		{"out of order", func(e *tinyELF) { e.progs[progRodata].Vaddr = tinyBase - pageSize }, "out of order"},
		{"more file than memory", func(e *tinyELF) { e.progs[progData].Memsz = 0xff }, "do not fit"},
		{"segment outside", func(e *tinyELF) { e.progs[progData].Off = 1 << 40 }, "beyond the end of the file"},
		{"segment cut", func(e *tinyELF) { e.progs[progData].Filesz = 0x4000 }, "beyond the end of the file"},
		{"huge segment", func(e *tinyELF) { e.progs[progData].Memsz = maxMemory + 1 }, "more than 512 MiB"},
		{"huge gap", func(e *tinyELF) { e.progs[progData].Vaddr = tinyBase + maxMemory }, "more than 512 MiB"},
		{"end of addresses", func(e *tinyELF) { e.progs[progText].Vaddr = 1<<64 - 0x2000 }, "address space"},
		{"huge program", func(e *tinyELF) {
			e.progs[progData].Filesz, e.progs[progData].Memsz = maxProgram, maxProgram
		}, "more than 128 MiB"},
		{"not readable", func(e *tinyELF) { e.progs[progData].Flags = uint32(elf.PF_W) }, "not readable"},
		{"writable code", func(e *tinyELF) { e.progs[progText].Flags |= uint32(elf.PF_W) }, "both writable and executable"},
		{"partial relro", func(e *tinyELF) { e.progs[progRelro].Memsz = 0x100 }, "GNU_RELRO"},

		{"relocations outside", tag(0, elf.DT_RELA, 0x10), "no table in the program"},
		{"relocations overflow", tag(0, elf.DT_RELA, 1<<64-8), "no table in the program"},
		{"relocations huge", tag(1, elf.DT_RELASZ, 24<<40), "no table in the program"},
		{"half a relocation", tag(1, elf.DT_RELASZ, 36), "no table in the program"},
		{"absolute relocation", func(e *tinyELF) { e.rela[0].Info = uint64(elf.R_X86_64_64) }, "type 1 of symbol 0"},
		{"relocation by symbol", func(e *tinyELF) { e.rela[0].Info |= 5 << 32 }, "of symbol 5"},
		{"relocation in bss", func(e *tinyELF) { e.rela[0].Off = tinyBase + tinyData + 0xfc }, "not in the program's data"},
		{"relocation nowhere", func(e *tinyELF) { e.rela[0].Off = 1<<64 - 4 }, "not in the program's data"},
		{"relocation of headers", func(e *tinyELF) { e.rela[0].Off = tinyBase + 64 }, "part of the program that is kept"},
		{"relocation of relocations", func(e *tinyELF) { e.rela[0].Off = tinyBase + tinyRela }, "part of the program that is kept"},
		{"relocation twice", func(e *tinyELF) { e.rela[0].Off = e.rela[1].Off }, "overlaps the relocation"},
		{"relocations overlap", func(e *tinyELF) { e.rela[0].Off = e.rela[1].Off + 7 }, "overlaps the relocation"},

		{"no symbol table", func(e *tinyELF) { e.sections[sectionSymbols].Type = 0 }, "link without -s"},
		{"no sections", func(e *tinyELF) { e.head.Shnum, e.head.Shstrndx = 0, 0 }, "link without -s"},
		{"symbol names missing", func(e *tinyELF) { e.sections[sectionSymbols].Link = 7 }, "section 7 of 7"},
		{"symbol names outside", func(e *tinyELF) { e.sections[sectionStrings].Off = 1 << 40 }, "beyond the end of the file"},
		{"symbols outside", func(e *tinyELF) { e.sections[sectionSymbols].Off = 1 << 40 }, "beyond the end of the file"},
		{"symbols huge", func(e *tinyELF) { e.sections[sectionSymbols].Size = 1 << 60 }, "at most 67108864"},
		{"symbol names huge", func(e *tinyELF) { e.sections[sectionStrings].Size = 1 << 60 }, "at most 67108864"},
		{"entry is no function", func(e *tinyELF) { e.symbols[2].Info = byte(elf.STT_OBJECT) }, "entry symbol not found"},
		{"entry is undefined", func(e *tinyELF) { e.symbols[2].Shndx = 0 }, "entry symbol not found"},
		{"entry name cut", func(e *tinyELF) { e.sections[sectionStrings].Size-- }, "entry symbol not found"},
		{"entry in data", func(e *tinyELF) { e.symbols[2].Value = tinyBase + tinyData }, "not in the program's code"},
		{"entry in headers", func(e *tinyELF) { e.symbols[2].Value = tinyBase }, "not in the program's code"},
		{"entry nowhere", func(e *tinyELF) { e.symbols[2].Value = 1<<64 - 1 }, "not in the program's code"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := newTinyELF()
			test.change(e)
			file := bytes.NewReader(e.bytes(t))
			before := totalAlloc()
			b, err := Convert(file, file.Size(), tinyOptions)
			if used := totalAlloc() - before; used > 1<<20 {
				t.Errorf("took %d bytes of memory for a file of %d", used, file.Size())
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if b != nil {
				t.Error("an image came with the error")
			}
		})
	}
}

func totalAlloc() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestConvertRefusesEveryTruncation(t *testing.T) {
	b := newTinyELF().bytes(t)
	for n := range b {
		if _, err := Convert(bytes.NewReader(b[:n]), int64(n), tinyOptions); err == nil {
			t.Fatalf("the first %d of %d bytes were converted", n, len(b))
		}
	}
	if _, err := Convert(bytes.NewReader(b[:100]), int64(len(b)), tinyOptions); err == nil {
		t.Error("a file shorter than its size was converted")
	}
	if _, err := Convert(bytes.NewReader(b), -1, tinyOptions); err == nil {
		t.Error("a file of negative size was converted")
	}
}

func TestConvertSaysWhichEntryIsMissing(t *testing.T) {
	for _, change := range []func(*tinyELF){
		func(*tinyELF) {},
		func(e *tinyELF) { e.sections[sectionSymbols].Type = 0 },
	} {
		e := newTinyELF()
		change(e)
		_, err := e.convert(t, Options{})
		if !errors.Is(err, ErrNoEntry) || !strings.Contains(err.Error(), "_rt0_amd64_uefi") {
			t.Errorf("error %v", err)
		}
	}
}

func TestConvertKeepsRelocationsThatAreNotLast(t *testing.T) {
	e := newTinyELF()
	e.sections[sectionRodata].Size = 0x180 // behind .rela, too
	more := e.sections[sectionRodata]      // and the table is in no order
	more.Size = 0x10
	e.sections[sectionRela] = more
	b, err := e.convert(t, tinyOptions)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Sections[1]; s.VirtualSize < 0x180 {
		t.Errorf("%s has %#x bytes", s.Name, s.VirtualSize)
	}
}

func TestConvertWithoutRelocations(t *testing.T) {
	e := newTinyELF()
	e.dynamic[1].Val = 0
	b, err := e.convert(t, tinyOptions)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := img.Section(".reloc")
	if want := []byte{0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(img.Data(s), want) {
		t.Errorf(".reloc holds %x", img.Data(s))
	}
}

func TestConvertRefusesTheSystemsShell(t *testing.T) {
	b, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(bytes.NewReader(b), int64(len(b)), Options{}); err == nil || !strings.Contains(err.Error(), "imports shared libraries") {
		t.Errorf("error %v", err)
	}
}

func TestSBAT(t *testing.T) {
	good := []byte("sbat,1,SBAT Version,sbat,1,https://example.com\nmine,3,Me,mine,2.0,https://example.com\n")
	b, err := newTinyELF().convert(t, Options{Entry: "entry", SBAT: good})
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := img.Section(".sbat")
	if !bytes.Equal(img.Data(s), good) {
		t.Errorf(".sbat holds %q", img.Data(s))
	}
	// shim ignores a section that is larger in memory than in the file.
	if int(s.VirtualSize) != len(good) || s.Size < s.VirtualSize {
		t.Errorf(".sbat has %d bytes in memory and %d in the file", s.VirtualSize, s.Size)
	}
	for name, bad := range map[string]string{
		"empty": "", "other": "mine,1,Me,mine,1,url\n", "short line": string(good) + "x,1\n",
		"long": string(good) + strings.Repeat("mine,3,Me,mine,2.0,url\n", 1000),
	} {
		if _, err := newTinyELF().convert(t, Options{Entry: "entry", SBAT: []byte(bad)}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
