package pecoff

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"slices"
	"testing"
)

func TestConvertedImageHasTheHeadersOfAnEFIApplication(t *testing.T) {
	machines := map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}
	for arch, machine := range machines {
		t.Run(arch, func(t *testing.T) {
			h := helloFor(t, arch)
			f, err := pe.NewFile(bytes.NewReader(h.efi))
			if err != nil {
				t.Fatal(err)
			}
			if f.Machine != machine {
				t.Errorf("machine %#x, want %#x", f.Machine, machine)
			}
			opt := f.OptionalHeader.(*pe.OptionalHeader64)
			if opt.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_APPLICATION {
				t.Errorf("subsystem %d", opt.Subsystem)
			}
			const dll = pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT | pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE | pe.IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA
			if opt.DllCharacteristics != dll {
				t.Errorf("DLL characteristics %#x, want %#x", opt.DllCharacteristics, dll)
			}
			if got, want := opt.ImageBase+uint64(opt.AddressOfEntryPoint), elfSymbol(t, h.elf, "_rt0_"+arch+"_uefi"); got != want {
				t.Errorf("entry %#x, want %#x", got, want)
			}
			if opt.SectionAlignment != 4096 || opt.FileAlignment != 512 || opt.ImageBase%0x10000 != 0 {
				t.Errorf("section alignment %d, file alignment %d, base %#x", opt.SectionAlignment, opt.FileAlignment, opt.ImageBase)
			}
		})
	}
}

func TestConvertedSections(t *testing.T) {
	const r, w, x = pe.IMAGE_SCN_MEM_READ, pe.IMAGE_SCN_MEM_WRITE, pe.IMAGE_SCN_MEM_EXECUTE
	want := []struct {
		name string
		prot uint32
	}{{".text", r | x}, {".rodata", r}, {".relro", r}, {".data", r | w}, {".sbat", r}, {".reloc", r}}
	for arch := range hellos {
		f, err := pe.NewFile(bytes.NewReader(helloFor(t, arch).efi))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Sections) != len(want) {
			t.Fatalf("%s: %d sections, want %d", arch, len(f.Sections), len(want))
		}
		next := uint32(pageSize)
		for i, s := range f.Sections {
			if s.Name != want[i].name || s.Characteristics&(r|w|x) != want[i].prot {
				t.Errorf("%s: section %d is %s with %#x, want %s with %#x", arch, i, s.Name, s.Characteristics, want[i].name, want[i].prot)
			}
			if s.VirtualAddress != next {
				t.Errorf("%s: %s begins at %#x, the section before ends at %#x", arch, s.Name, s.VirtualAddress, next)
			}
			next = alignUp(s.VirtualAddress+s.VirtualSize, pageSize)
		}
		if size := f.OptionalHeader.(*pe.OptionalHeader64).SizeOfImage; size != next {
			t.Errorf("%s: image of %#x bytes, its sections end at %#x", arch, size, next)
		}
	}
}

func TestConvertedHeaderSumsUpTheSections(t *testing.T) {
	f, err := pe.NewFile(bytes.NewReader(helloFor(t, "amd64").efi))
	if err != nil {
		t.Fatal(err)
	}
	var code, data, zero uint32
	for _, s := range f.Sections {
		if s.Name == ".text" {
			code += s.Size
		} else {
			data += s.Size
		}
		zero += max(s.VirtualSize, s.Size) - s.Size
	}
	opt := f.OptionalHeader.(*pe.OptionalHeader64)
	if opt.SizeOfCode != code || opt.SizeOfInitializedData != data || opt.SizeOfUninitializedData != zero || zero < 1<<16 {
		t.Errorf("code, data and zeros are %d, %d, %d bytes, the sections have %d, %d, %d",
			opt.SizeOfCode, opt.SizeOfInitializedData, opt.SizeOfUninitializedData, code, data, zero)
	}
}

func TestConvertLeavesOutWhatFirmwareDoesNotNeed(t *testing.T) {
	h := helloFor(t, "amd64")
	f, err := elf.NewFile(bytes.NewReader(h.elf))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".rela", ".dynsym", ".symtab", ".strtab"} {
		data, err := f.Section(name).Data()
		if err != nil {
			t.Fatal(err)
		}
		if data = data[:min(len(data), 1000)]; len(bytes.Trim(data, "\x00")) > 0 && bytes.Contains(h.efi, data) {
			t.Errorf("the program's %s is in the image", name)
		}
	}
}

func TestConvertIsDeterministic(t *testing.T) {
	h := helloFor(t, "amd64")
	again, err := Convert(bytes.NewReader(slices.Clone(h.elf)), int64(len(h.elf)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, h.efi) {
		t.Error("two conversions differ")
	}
}

func elfSymbol(t *testing.T, b []byte, name string) uint64 {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(syms, func(s elf.Symbol) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no symbol %s", name)
	}
	return syms[i].Value
}
