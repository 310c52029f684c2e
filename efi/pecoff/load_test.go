package pecoff

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"encoding/binary"
	"io"
	"slices"
	"testing"
)

// elsewhere is a load address that differs from the preferred one in the high
// and in the low half.
const elsewhere = 0x7f12_3456_0000

// TestLoadedImageIsTheLoadedProgram loads the program as a dynamic linker
// does, and the image as firmware does, at several addresses, and compares all
// sections that the program uses byte by byte.
func TestLoadedImageIsTheLoadedProgram(t *testing.T) {
	for arch := range hellos {
		for _, address := range []uint64{0, elsewhere, 1<<63 + 0x1000} {
			compareLoaded(t, helloFor(t, arch), address)
		}
	}
}

func compareLoaded(t *testing.T, h hello, address uint64) {
	t.Helper()
	img, err := pe.NewFile(bytes.NewReader(h.efi))
	if err != nil {
		t.Fatal(err)
	}
	opt := img.OptionalHeader.(*pe.OptionalHeader64)
	asPE := loadPE(t, img, address)
	f, err := elf.NewFile(bytes.NewReader(h.elf))
	if err != nil {
		t.Fatal(err)
	}
	asELF := loadELF(t, f, address, opt.ImageBase, len(asPE))
	compared := 0
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Flags&elf.SHF_TLS != 0 || slices.Contains(notLoaded, s.Name) {
			continue
		}
		start := s.Addr - opt.ImageBase
		if !bytes.Equal(asPE[start:start+s.Size], asELF[start:start+s.Size]) {
			t.Errorf("%v at %#x: %s differs", f.Machine, address, s.Name)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("%v: only %d sections compared", f.Machine, compared)
	}
}

// notLoaded are the sections that firmware has no use for.
var notLoaded = append([]string{".note.go.buildid", ".note.gnu.build-id", ".interp"}, loaderSections...)

// loadELF places the segments and applies the relocations: base is the address
// in the file that belongs to the first byte of memory.
func loadELF(t *testing.T, f *elf.File, address, base uint64, size int) []byte {
	t.Helper()
	memory := make([]byte, size)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			if _, err := io.ReadFull(p.Open(), memory[p.Vaddr-base:][:p.Filesz]); err != nil {
				t.Fatal(err)
			}
		}
	}
	rela, err := f.Section(".rela").Data()
	if err != nil {
		t.Fatal(err)
	}
	if len(rela) < 100*24 {
		t.Fatalf("only %d bytes of relocations", len(rela))
	}
	for ; len(rela) > 0; rela = rela[24:] {
		at, addend := binary.LittleEndian.Uint64(rela), binary.LittleEndian.Uint64(rela[16:])
		binary.LittleEndian.PutUint64(memory[at-base:], addend-base+address)
	}
	return memory
}

// loadPE places the sections and applies the base relocations.
func loadPE(t testing.TB, f *pe.File, address uint64) []byte {
	t.Helper()
	opt := f.OptionalHeader.(*pe.OptionalHeader64)
	memory := make([]byte, opt.SizeOfImage)
	for _, s := range f.Sections {
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		copy(memory[s.VirtualAddress:][:s.VirtualSize], data)
	}
	dir := opt.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_BASERELOC]
	delta := address - opt.ImageBase
	blocks := slices.Clone(memory[dir.VirtualAddress:][:dir.Size])
	for len(blocks) > 0 {
		page, size := binary.LittleEndian.Uint32(blocks), binary.LittleEndian.Uint32(blocks[4:])
		if page%pageSize != 0 || size%4 != 0 {
			t.Fatalf("block of %d bytes for page %#x", size, page)
		}
		for entry := blocks[8:size]; len(entry) > 0; entry = entry[2:] {
			switch e := binary.LittleEndian.Uint16(entry); e >> 12 {
			case 0: // IMAGE_REL_BASED_ABSOLUTE is padding
			case 10: // IMAGE_REL_BASED_DIR64
				word := memory[page+uint32(e&0xfff):][:8]
				binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)+delta)
			default:
				t.Fatalf("base relocation of type %d", e>>12)
			}
		}
		blocks = blocks[size:]
	}
	return memory
}
