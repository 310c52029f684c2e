package pecoff

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const addedName, addedText = ".added", "32 bytes which only are read ...\n"

// loaded places an image in memory as firmware does: headers, then sections.
func loaded(t testing.TB, b []byte) []byte {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	memory := loadPE(t, f, f.OptionalHeader.(*pe.OptionalHeader64).ImageBase)
	copy(memory, b[:f.OptionalHeader.(*pe.OptionalHeader64).SizeOfHeaders])
	return memory
}

func TestAddSection(t *testing.T) {
	for name, b := range map[string][]byte{"tiny": tinyEFI(t), "amd64": helloFor(t, "amd64").efi, "arm64": helloFor(t, "arm64").efi} {
		before := bytes.Clone(b)
		out, err := AddSection(b, addedName, []byte(addedText))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("%s: the image itself has changed", name)
		}
		checkAdded(t, b, out)
		data, found, err := LoadedSection(loaded(t, out), addedName)
		if err != nil || !found || string(data) != addedText {
			t.Errorf("%s: in memory %q, found %v, %v", name, data, found, err)
		}
		if _, found, err := LoadedSection(loaded(t, b), addedName); err != nil || found {
			t.Errorf("%s: found %v where there is none, %v", name, found, err)
		}
		if _, err := AddSection(out, addedName, []byte("x")); err == nil || !strings.Contains(err.Error(), "has one already") {
			t.Errorf("%s: added twice: %v", name, err)
		}
	}
}

// checkAdded compares an image with what it was before a section was added.
func checkAdded(t *testing.T, before, after []byte) {
	t.Helper()
	old, err := Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	checkAgainstStd(t, after, img)
	if img.Checksum != img.ComputeChecksum() || img.MemorySize <= old.MemorySize || len(img.Sections) != len(old.Sections)+1 {
		t.Fatalf("checksum %#x, computed %#x; %d bytes in memory, before %d; sections %v",
			img.Checksum, img.ComputeChecksum(), img.MemorySize, old.MemorySize, img.Sections)
	}
	added := img.Sections[len(old.Sections)]
	if added.Name != addedName || string(img.Data(added)) != addedText || added.VirtualAddress < old.MemorySize ||
		added.Characteristics != pe.IMAGE_SCN_CNT_INITIALIZED_DATA|pe.IMAGE_SCN_MEM_READ {
		t.Errorf("added is %+v with %q", added, img.Data(added))
	}
	for i, s := range old.Sections {
		if img.Sections[i] != s || !bytes.Equal(img.Data(img.Sections[i]), old.Data(s)) {
			t.Errorf("section %+v became %+v", s, img.Sections[i])
		}
	}
}

func TestAddSectionRefuses(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		what   string
		name   string
		data   []byte
		change func(b []byte) []byte
		says   string
	}{
		{"nothing", addedName, nil, nil, "0 bytes; it may have 1 to"},
		{"much", addedName, make([]byte, maxAddedBytes+1), nil, "16777217 bytes; it may have 1 to"},
		{"no name", "", []byte("x"), nil, "is no name"},
		{"long name", ".ninechar", []byte("x"), nil, "is no name"},
		{"a name with an end", ".a\x00b", []byte("x"), nil, "is no name"},
		{"no image", addedName, []byte("x"), func([]byte) []byte { return []byte("text") }, "no DOS header"},
		{"signed", addedName, []byte("x"), func(b []byte) []byte {
			le.PutUint32(b[offSecurity:], 0x200)
			le.PutUint32(b[offSecurity+4:], 8)
			return b
		}, "sign afterwards"},
		{"full headers", addedName, []byte("x"), func(b []byte) []byte { le.PutUint32(b[offMagic+60:], offTable+5*40); return b }, "no room"},
		{"data behind the table", addedName, []byte("x"), func(b []byte) []byte { b[offTable+6*40+3] = 1; return b }, "no room"},
		{"a section behind the table", addedName, []byte("x"), func(b []byte) []byte { le.PutUint32(b[offTable+20:], offTable+6*40); return b }, "no room"},
		{"section alignment", addedName, []byte("x"), func(b []byte) []byte { le.PutUint32(b[offMagic+32:], 0x1001); return b }, "alignment 4097"},
		{"file alignment", addedName, []byte("x"), func(b []byte) []byte { le.PutUint32(b[offMagic+36:], 0); return b }, "alignment 0"},
		{"huge image", addedName, []byte("x"), func(b []byte) []byte { le.PutUint32(b[offMemorySize:], 1<<32-1); return b }, "more than 4 GiB"},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := tinyEFI(t)
			if c.change != nil {
				b = c.change(b)
			}
			if _, err := AddSection(b, c.name, c.data); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

func TestLoadedSectionRefuses(t *testing.T) {
	out, err := AddSection(tinyEFI(t), addedName, []byte(addedText))
	if err != nil {
		t.Fatal(err)
	}
	memory := loaded(t, out)
	// The section is the last one: its page is the last of the image.
	for _, size := range []int{0, 0x3f, 0x200, len(memory) - pageSize, len(memory) - pageSize + len(addedText) - 1} {
		if data, _, err := LoadedSection(memory[:size], addedName); err == nil {
			t.Errorf("%d bytes of the image: %q", size, data)
		}
	}
	if data, found, err := LoadedSection(memory[:len(memory)-pageSize+len(addedText)], addedName); err != nil || !found || string(data) != addedText {
		t.Errorf("all of the section: %q, %v", data, err)
	}
}

// TestAddedSectionIsSigned has sbsign and sbverify look at an image with an added
// section: a changed byte of the section breaks the signature.
func TestAddedSectionIsSigned(t *testing.T) {
	out, err := AddSection(helloFor(t, "amd64").efi, addedName, []byte(addedText))
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "added.efi", out)
	if text := mustTool(t, "binutils", "objdump", "-h", file); !strings.Contains(text, addedName) {
		t.Errorf("objdump sees no %s:\n%s", addedName, text)
	}
	key, cert := makeKey(t)
	signed := filepath.Join(t.TempDir(), "signed.efi")
	if text := mustTool(t, "sbsigntool", "sbsign", "--key", key, "--cert", cert, "--output", signed, file); strings.Contains(text, "warning") {
		t.Errorf("sbsign is not content with the image:\n%s", text)
	}
	mustTool(t, "sbsigntool", "sbverify", "--cert", cert, signed)
	b, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AddSection(b, ".more", []byte("x")); err == nil || !strings.Contains(err.Error(), "sign afterwards") {
		t.Errorf("adding to what sbsign signed: %v", err)
	}
	at := bytes.Index(b, []byte(addedText))
	if at < 0 {
		t.Fatal("the section is not in the signed image")
	}
	b[at] ^= 1
	if text, err := tool(t, "sbsigntool", "sbverify", "--cert", cert, writeFile(t, "changed.efi", b)); err == nil {
		t.Errorf("a changed section verifies:\n%s", text)
	}
}
