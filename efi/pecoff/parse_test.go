package pecoff

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func tinyEFI(t testing.TB) []byte {
	t.Helper()
	b, err := newTinyELF().convert(t, tinyOptions)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Offsets in the header of our own images, for tests that change it.
const (
	offMachine     = peOffset + 4
	offSections    = peOffset + 6
	offOptSize     = peOffset + 20
	offMagic       = peOffset + 24
	offMemorySize  = offMagic + 56
	offChecksum    = offMagic + 64
	offDirectories = offMagic + 108
	offSecurity    = offMagic + 112 + 4*8
	offTable       = offMagic + 240
)

func TestParseReadsWhatConvertWrites(t *testing.T) {
	b := tinyEFI(t)
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if img.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || img.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_APPLICATION ||
		img.DLLCharacteristics&pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT == 0 || img.Signatures != nil {
		t.Errorf("machine %#x, subsystem %d, characteristics %#x, %d bytes of signatures",
			img.Machine, img.Subsystem, img.DLLCharacteristics, len(img.Signatures))
	}
	if img.Checksum == 0 || img.Checksum != img.ComputeChecksum() {
		t.Errorf("checksum %#x, computed %#x", img.Checksum, img.ComputeChecksum())
	}
	if _, ok := img.Section(".none"); ok {
		t.Error("found a section that is not there")
	}
	checkAgainstStd(t, b, img)
}

// checkAgainstStd compares with debug/pe whatever both can read.
func checkAgainstStd(t *testing.T, b []byte, img *Image) {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(b))
	if err != nil {
		return // debug/pe also reads the symbol table, which Parse has no use for
	}
	if f.Machine != img.Machine || len(f.Sections) != len(img.Sections) {
		t.Fatalf("machine %#x with %d sections, debug/pe has %#x with %d", img.Machine, len(img.Sections), f.Machine, len(f.Sections))
	}
	for i, s := range f.Sections {
		got := img.Sections[i]
		if got.VirtualAddress != s.VirtualAddress || got.VirtualSize != s.VirtualSize || got.Offset != s.Offset || got.Characteristics != s.Characteristics {
			t.Errorf("section %d is %+v, debug/pe has %+v", i, got, s.SectionHeader)
		}
		if !strings.HasPrefix(got.Name, "/") && got.Name != s.Name { // a longer name lies in the symbol table
			t.Errorf("section %d is %q, debug/pe has %q", i, got.Name, s.Name)
		}
	}
}

// TestParseReadsGosOwnLinker reads an image that another writer made.
func TestParseReadsGosOwnLinker(t *testing.T) {
	dir := t.TempDir()
	source, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "x.exe")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", out, source)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Sections) < 4 || img.Subsystem != pe.IMAGE_SUBSYSTEM_WINDOWS_CUI {
		t.Errorf("subsystem %d, sections %v", img.Subsystem, img.Sections)
	}
	checkAgainstStd(t, b, img)
}

func TestParseRefuses(t *testing.T) {
	le := binary.LittleEndian
	tests := []struct {
		name   string
		change func(b []byte) []byte
		want   string
	}{
		{"empty", func([]byte) []byte { return nil }, "no DOS header"},
		{"no DOS header", func(b []byte) []byte { b[0] = 0; return b }, "no DOS header"},
		{"PE header outside", func(b []byte) []byte { le.PutUint32(b[lfanewOffset:], 0xfffffffe); return b }, "truncated"},
		{"DOS program", func(b []byte) []byte { le.PutUint32(b[lfanewOffset:], 0); return b }, "no PE header"},
		{"32 bits", func(b []byte) []byte { le.PutUint16(b[offMagic:], 0x10b); return b }, "not that of a 64-bit image"},
		{"object file", func(b []byte) []byte { le.PutUint16(b[offOptSize:], 0); return b }, "not that of a 64-bit image"},
		{"optional header outside", func(b []byte) []byte { le.PutUint16(b[offOptSize:], 0xffff); return b }, "optional header"},
		{"many sections", func(b []byte) []byte { le.PutUint16(b[offSections:], 97); return b }, "97 sections"},
		{"section table outside", func(b []byte) []byte { le.PutUint16(b[offSections:], 90); return b[:1024] }, "section table"},
		{"section outside", func(b []byte) []byte { le.PutUint32(b[offTable+16:], 1<<31); return b }, `section ".text"`},
		{"section offset outside", func(b []byte) []byte { le.PutUint32(b[offTable+20:], 1<<32-1); return b }, `section ".text"`},
		{"section behind the image", func(b []byte) []byte { le.PutUint32(b[offTable+12:], 1<<32-1); return b }, "beyond the image"},
		{"image too small", func(b []byte) []byte { le.PutUint32(b[offMemorySize:], 0x3000); return b }, `section ".relro"`},
		{"signatures outside", func(b []byte) []byte {
			le.PutUint32(b[offSecurity:], 0x200)
			le.PutUint32(b[offSecurity+4:], 1<<31)
			return b
		}, "signatures"},
		{"truncated", func(b []byte) []byte { return b[:len(b)-1] }, `section ".reloc"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse(test.change(tinyEFI(t))); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestParseTakesAShortOptionalHeader reads an image with fewer data directories
// than 16, as Linux kernels are.
func TestParseTakesAShortOptionalHeader(t *testing.T) {
	b := tinyEFI(t)
	le := binary.LittleEndian
	le.PutUint32(b[offDirectories:], 4)
	le.PutUint32(b[offSecurity:], 1<<31) // is no directory any more
	le.PutUint32(b[offSecurity+4:], 1<<31)
	short := bytes.Join([][]byte{b[:offSecurity], b[offTable:0x400], make([]byte, offTable-offSecurity), b[0x400:]}, nil)
	le.PutUint16(short[offOptSize:], offSecurity-offMagic)
	img, err := Parse(short)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := img.Section(".rodata"); !ok || !bytes.HasPrefix(img.Data(s), []byte("constants")) || img.Signatures != nil {
		t.Errorf("sections %v, %d bytes of signatures", img.Sections, len(img.Signatures))
	}
}

func TestParseTakesUninitialisedData(t *testing.T) {
	b := tinyEFI(t)
	binary.LittleEndian.PutUint32(b[offTable+20:], 0)
	img, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := img.Section(".text"); s.Size != 0 || len(img.Data(s)) != 0 {
		t.Errorf("section %+v has %d bytes", s, len(img.Data(s)))
	}
}

func TestChecksumOfAnOddLength(t *testing.T) {
	// Words 0x0201 and 0x0003, then the length; the skipped four bytes count as zero.
	if got, want := checksum([]byte{1, 2, 9, 9, 9, 9, 3}, 2), uint32(0x0204+7); got != want {
		t.Errorf("checksum %#x, want %#x", got, want)
	}
	if got, want := checksum([]byte{0xff, 0xff, 2, 0}, 4), uint32(2+4); got != want {
		t.Errorf("checksum with a carry %#x, want %#x", got, want)
	}
}
