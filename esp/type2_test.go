package esp

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const debianOSRelease = `# os-release
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
ID=debian
`

func readType2(name string, image []byte) (Entry, error) {
	return ReadType2(name, bytes.NewReader(image), int64(len(image)))
}

func TestReadType2(t *testing.T) {
	e, err := readType2("EFI/Linux/Debian-6.1+2-1.efi", buildUKI(t, debianOSRelease, "6.1.0-18-amd64\n", "root=/dev/vda2\nquiet\n\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "debian-6.1" || e.LoaderID != "debian-6.1.efi" || e.Kind != Type2 || e.UKI != "EFI/Linux/Debian-6.1+2-1.efi" || e.UKI != e.Path {
		t.Errorf("entry is %+v", e)
	}
	if e.Title != "Debian GNU/Linux 12 (bookworm)" || e.Version != "12 (bookworm)" || e.SortKey != "debian" {
		t.Errorf("title %q, version %q, sort key %q", e.Title, e.Version, e.SortKey)
	}
	if e.KernelRelease != "6.1.0-18-amd64" || e.Options != "root=/dev/vda2 quiet" || e.Architecture != X64 {
		t.Errorf("release %q, options %q, architecture %q", e.KernelRelease, e.Options, e.Architecture)
	}
	if e.File.TriesLeft != 2 || e.File.TriesDone != 1 {
		t.Errorf("counter is %+v", e.File)
	}
}

func TestReadType2Names(t *testing.T) {
	for osrel, want := range map[string][3]string{ // title, version, sort key
		"ID=a\nVERSION_ID=1":                              {"a", "1", "a"},
		"NAME='A B'\nID=a\nBUILD_ID=2":                    {"A B", "2", "a"},
		"IMAGE_ID=i\nNAME=A\nIMAGE_VERSION=3\nVERSION=1":  {"i", "3", "i"},
		"PRETTY_NAME=\"A \\\"B\\\" \\$C \\\\\"\nID=\"a\"": {`A "B" $C \`, "", "a"},
		"PRETTY_NAME=\"\x1b[2J\"\r\nID=a\nID=b\n":         {"?[2J", "", "b"},
		"PRETTY_NAME=\nNAME=A":                            {"A", "", ""},
		"NAME=aba\nID='b\\$'":                             {"aba", "", `b\$`},
		"#ID=a\nnonsense\n=\nID=\"":                       {`"`, "", `"`},
		"":                                                {"", "", ""},
	} {
		e, err := readType2("a.efi", buildUKI(t, osrel, "", ""))
		if got := [3]string{e.Title, e.Version, e.SortKey}; err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", osrel, got, err, want)
		}
	}
}

func TestReadType2Profiles(t *testing.T) {
	e, err := readType2("a.efi", buildPE(0xaa64,
		section{".linux", []byte("kernel")}, section{".osrel", []byte("ID=a")}, section{".cmdline", []byte("base")},
		section{".profile", []byte("ID=other")}, section{".cmdline", []byte("other")}, section{".uname", []byte("6.2")},
	))
	if err != nil || e.Options != "base" || e.KernelRelease != "" || e.Architecture != AA64 {
		t.Errorf("entry is %+v, %v; want the base profile only", e, err)
	}
}

func TestReadType2Refuses(t *testing.T) {
	good := buildUKI(t, "ID=a", "6.1", "quiet")
	changed := func(offset int, value uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[offset:], value)
		return b
	}
	const header = 0x80
	osrelRow := header + peHeaderBytes + sectionTableBytes // the second section
	tests := []struct {
		name  string
		image []byte
		want  error // nil if it has no name
	}{
		{"empty", nil, io.ErrUnexpectedEOF},
		{"short", good[:peOffsetAt], io.ErrUnexpectedEOF},
		{"text", bytes.Repeat([]byte("text"), 100), ErrNotPE},
		{"DOS program", changed(header, 0), ErrNotPE},
		{"header beyond the end", changed(peOffsetAt, 0xffffffff), io.ErrUnexpectedEOF},
		{"too many sections", changed(header+4, 0xffff8664), ErrNotPE},
		{"section table beyond the end", good[:header+peHeaderBytes+60], io.ErrUnexpectedEOF},
		{"section beyond the end", changed(osrelRow+20, 0xfffffff0), io.ErrUnexpectedEOF},
		{"cut within its sections", good[:0x300], io.ErrUnexpectedEOF},
		{"huge .osrel", buildUKI(t, strings.Repeat("#", MaxConfBytes+1), "", ""), nil},
		{"no .osrel", buildPE(0x8664, section{".linux", nil}), ErrNotUKI},
		{"no .linux", buildPE(0x8664, section{".osrel", []byte("ID=a")}), ErrNotUKI},
		{"escape in command line", buildUKI(t, "ID=a", "", "\x1b[2J"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := readType2("a.efi", tt.image)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v; want %v", e, err, tt.want)
			}
		})
	}
	if _, err := readType2("a.txt", good); err == nil {
		t.Error("a file named a.txt is taken for a Type #2 entry")
	}
}

// TestReadPELikeStd compares with debug/pe on the stub of systemd, made into a
// unified kernel image as ukify and others do it.
func TestReadPELikeStd(t *testing.T) {
	const stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
	if _, err := os.Stat(stub); err != nil {
		t.Skipf("%v; it is part of Debian's package systemd-boot-efi", err)
	}
	dir := t.TempDir()
	args := []string{}
	address := 0x1000000
	for name, content := range map[string]string{
		".osrel": debianOSRelease, ".uname": "6.1.0", ".cmdline": "quiet", ".linux": strings.Repeat("kernel", 1000),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--add-section", name+"="+file, "--change-section-vma", name+"="+hexDigits(address))
		address += 0x100000
	}
	uki := filepath.Join(dir, "debian.efi")
	if output, err := exec.Command("objcopy", append(args, stub, uki)...).CombinedOutput(); err != nil {
		t.Skipf("objcopy cannot make a unified kernel image here: %v: %s", err, output)
	}
	image, err := os.ReadFile(uki)
	if err != nil {
		t.Fatal(err)
	}
	std, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := readPE(bytes.NewReader(image), int64(len(image)))
	if err != nil || len(ours.sections) != len(std.Sections) {
		t.Fatalf("readPE finds %d sections, debug/pe %d; %v", len(ours.sections), len(std.Sections), err)
	}
	for i, s := range std.Sections {
		want := peSection{s.Name, int64(s.Offset), int64(min(s.VirtualSize, s.Size))}
		if ours.sections[i] != want {
			t.Errorf("section %d is %+v, debug/pe says %+v", i, ours.sections[i], want)
		}
	}
	e, err := readType2("EFI/Linux/debian.efi", image)
	if err != nil || e.Title != "Debian GNU/Linux 12 (bookworm)" || e.Options != "quiet" || e.KernelRelease != "6.1.0" {
		t.Errorf("entry is %+v, %v", e, err)
	}
}

func FuzzReadType2(f *testing.F) {
	uki := buildPE(0x8664, section{".osrel", []byte("ID=a\nPRETTY_NAME=\"A\"")}, section{".cmdline", []byte("quiet")}, section{".linux", nil})
	f.Add(uki)
	f.Add(uki[:0x100])
	f.Add(buildPE(0xaa64, section{".profile", nil}))
	f.Fuzz(func(t *testing.T, image []byte) {
		e, err := readType2("EFI/Linux/a.efi", image)
		if err != nil {
			return
		}
		for _, text := range []string{e.Title, e.Version, e.SortKey, e.KernelRelease, e.Options} {
			if strings.ContainsFunc(text, isUnprintable) {
				t.Errorf("%q is not printable", text)
			}
		}
	})
}

// failingReader fails the nth read and all later ones.
type failingReader struct {
	io.ReaderAt
	left int
}

var errBroken = errors.New("medium is broken")

func (f *failingReader) ReadAt(b []byte, offset int64) (int, error) {
	if f.left == 0 {
		return 0, errBroken
	}
	f.left--
	return f.ReaderAt.ReadAt(b, offset)
}

func TestReadType2BrokenMedium(t *testing.T) {
	image := buildUKI(t, "ID=a", "6.1", "quiet")
	for n := 0; ; n++ {
		e, err := ReadType2("a.efi", &failingReader{bytes.NewReader(image), n}, int64(len(image)))
		if err == nil {
			if e.Title != "a" || n != 6 {
				t.Errorf("read %d times, entry is %+v; want 6 reads", n, e)
			}
			return
		}
		if !errors.Is(err, errBroken) {
			t.Fatalf("read %d fails: error is %v", n+1, err)
		}
	}
}

// TestReadType2Shrunk reads a file that is shorter than its directory entry says.
func TestReadType2Shrunk(t *testing.T) {
	image := buildUKI(t, "ID=a", "6.1", "quiet")
	if e, err := ReadType2("a.efi", bytes.NewReader(image[:0x300]), int64(len(image))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %+v, %v; want io.ErrUnexpectedEOF", e, err)
	}
}
