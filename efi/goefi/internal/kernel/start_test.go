package kernel

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// cString reads text up to its NUL.
func cString(a uintptr) string {
	var b []byte
	for ; mem.Load8(a) != 0; a++ {
		b = append(b, mem.Load8(a))
	}
	return string(b)
}

// argv reads the argument vector as a C program would, and checks what follows it.
func argv(t *testing.T, sp uintptr) []string {
	t.Helper()
	if sp%16 != 0 {
		t.Errorf("the stack pointer %#x is not aligned", sp)
	}
	n := mem.LoadWord(sp)
	var args []string
	for i := range n {
		args = append(args, cString(mem.LoadWord(sp+8+i*8)))
	}
	at := sp + 8 + n*8
	if mem.LoadWord(at) != 0 || mem.LoadWord(at+8) != 0 {
		t.Error("argv and the environment do not end with zero")
	}
	aux := map[uintptr]uintptr{}
	for at += 16; mem.LoadWord(at) != auxNull; at += 16 {
		aux[mem.LoadWord(at)] = mem.LoadWord(at + 8)
	}
	if aux[auxPageSize] != 4096 || aux[auxRandom] == 0 || mem.Load64(aux[auxRandom]) == mem.Load64(aux[auxRandom]+8) {
		t.Errorf("auxiliary vector %v", aux)
	}
	return args
}

// filePathNodes is a device path: a vendor node, then a file path, then the end.
func filePathNodes(path string) []byte {
	b := []byte{1, 4, 20, 0}
	b = append(b, make([]byte, 16)...)
	text := utf16.Encode([]rune(path + "\x00"))
	b = append(b, 4, 4)
	b = binary.LittleEndian.AppendUint16(b, uint16(4+2*len(text)))
	for _, u := range text {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, 0x7f, 0xff, 4, 0)
}

func TestArguments(t *testing.T) {
	many := strings.Repeat("a ", 100)
	for _, c := range []struct {
		name, options string
		want          []string
	}{
		{"none", "", nil},
		{"words", "one two  three ", []string{"one", "two", "three"}},
		{"quotes", `"a b" c"d e"f ""`, []string{"a b", "cd ef", ""}},
		{"open quote", `x "y z`, []string{"x", "y z"}},
		{"tabs", "a\tb", []string{"a", "b"}},
		{"unicode", "schön 𝄞 €", []string{"schön", "𝄞", "€"}},
		{"ends at NUL", "a b\x00c", []string{"a", "b"}},
		{"binary", "a\x01b", nil},
		{"starts with NUL", "\x00a", nil},
		{"too many", many, slices.Repeat([]string{"a"}, maxArguments-1)},
	} {
		k, m := newKernel(t)
		m.options = utf16.Encode([]rune(c.options))
		m.filePath = filePathNodes(`\EFI\BOOT\BOOTX64.EFI`)
		if !k.Start() {
			t.Fatal("no start")
		}
		want := append([]string{`\EFI\BOOT\BOOTX64.EFI`}, c.want...)
		if got := argv(t, m.regs[0].stack); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.name, got, want)
		}
	}
}

func TestArgumentsOfTheShell(t *testing.T) {
	k, m := newKernel(t)
	m.shell = []string{"hello.efi", "one two", "ü"}
	m.options = utf16.Encode([]rune("other"))
	k.Start()
	if got := argv(t, m.regs[0].stack); !slices.Equal(got, m.shell) {
		t.Errorf("%q, want %q", got, m.shell)
	}
}

func TestStartWithoutMemory(t *testing.T) {
	k, m := newKernel(t)
	m.limit = 10
	if k.Start() {
		t.Fatal("it starts")
	}
	if status, exiting := k.Exiting(); !exiting || status != statusOutOfResources || !bytes.Contains(m.serial, []byte("not enough memory")) {
		t.Errorf("exiting %v with %#x, serial %q", exiting, status, m.serial)
	}
}

// FuzzArguments holds the bounds of what is written, and compares with UTF-16 decoding for a single word.
func FuzzArguments(f *testing.F) {
	f.Add([]byte("a\x00 \x00b\x00"))
	f.Add([]byte("\x34\xd8\x1e\xdd"))
	f.Add([]byte("0\xd8"))
	f.Add([]byte("0\xd80\xd8a\x00"))
	f.Add(bytes.Repeat([]byte("\xff\xfd"), 3000))
	f.Fuzz(func(t *testing.T, options []byte) {
		units := make([]uint16, len(options)/2, len(options)/2+1)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(options[i*2:])
		}
		space := make([]byte, stringSpace+8)
		for i := range space {
			space[i] = 0xaa
		}
		var args arguments
		args.next = address(&space[0])
		args.end = args.next + stringSpace
		args.split(address(&units[:1][0]), min(uintptr(len(units)), maxOptionUnits))
		if !bytes.Equal(space[stringSpace:], bytes.Repeat([]byte{0xaa}, 8)) {
			t.Fatal("written beyond the space")
		}
		if args.n > maxArguments {
			t.Fatalf("%d arguments", args.n)
		}
		for i := range args.n {
			if text := cString(args.start[i]); strings.ContainsRune(text, 0) || len(text) > stringSpace {
				t.Fatalf("argument %d is %q", i, text)
			}
		}
		text := string(utf16.Decode(units))
		if args.n == 1 && len(units) < maxOptionUnits && !strings.ContainsAny(text, " \t\"\x00") {
			if got := cString(args.start[0]); got != strings.ToValidUTF8(text, "�") {
				t.Fatalf("argument is %q, want %q", got, text)
			}
		}
	})
}
