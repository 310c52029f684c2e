package golden

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// section is what docs/on-disk.md says below a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/on-disk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(doc), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/on-disk.md has no section %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

func wantRows(t *testing.T, text string, rows ...string) {
	t.Helper()
	for _, row := range rows {
		if !strings.Contains(text, row) {
			t.Errorf("docs/on-disk.md does not say %q", row)
		}
	}
}

// TestDocumentedManifest compares docs/on-disk.md with the code.
func TestDocumentedManifest(t *testing.T) {
	zeros := Digest{}.String()
	wantRows(
		t, section(t, "Golden snapshots"),
		fmt.Sprintf("`\\%s`; at most %d snapshots.", strings.ReplaceAll(Dir, "/", `\`), MaxSnapshots),
		fmt.Sprintf("| `D%s` | a part, kernel or initrd. D is its SHA-256 in %d hexadecimal digits", partSuffix, len(zeros)),
		fmt.Sprintf("| `I.%v` | manifest of a snapshot whose boot was good. I is the first %d hexadecimal digits", Stable, manifestChars),
		fmt.Sprintf("| `I.%v` | manifest", Candidate),
		fmt.Sprintf("At most %d files", maxFiles),
		fmt.Sprintf("A manifest has %d bytes; major version %d, minor version %d.", ManifestBytes, major, minor),
		fmt.Sprintf("| 0 | %d | magic `%s` |", len(magic), magic),
		fmt.Sprintf("| %d | 2 | major version |", offVersion),
		fmt.Sprintf("| %d | 2 | minor version.", offVersion+2),
		fmt.Sprintf("| %d | 4 | CRC-32 (IEEE 802.3) of all %d bytes", offChecksum, ManifestBytes),
		fmt.Sprintf("| %d | 8 | sequence number;", offSequence),
		fmt.Sprintf("| %d | 1 | %d: candidate, %d: stable |", offState, Candidate, Stable),
		fmt.Sprintf("| %d | %d | zero |", offState+1, offKernel-offState-1),
		fmt.Sprintf("| %d | %d | kernel: a part", offKernel, offInitrd-offKernel),
		fmt.Sprintf("| %d | %d | initrd: a part |", offInitrd, offSignature-offInitrd),
		fmt.Sprintf("| %d | %d | Ed25519 signature", offSignature, offEntry-offSignature),
		fmt.Sprintf("| %d | %d | key of the entry", offEntry, maxName),
		fmt.Sprintf("| %d | %d | title |", offTitle, maxTitle),
		fmt.Sprintf("| %d | %d | command line |", offOptions, MaxOptions),
		fmt.Sprintf("| %d | %d | zero |", offEnd, ManifestBytes-offEnd),
		fmt.Sprintf("| 0 | 8 | length, up to %d;", MaxPartBytes),
		fmt.Sprintf("| 16 | 4 | kernel slot, 0 to %d; %d: ", maxSlot, noSlot),
		fmt.Sprintf("the section `%s`", KeySection),
	)
}

// TestDocumentedPart encodes parts that differ in one field, and compares where
// they differ with docs/on-disk.md.
func TestDocumentedPart(t *testing.T) {
	for _, f := range []struct {
		row   string
		at, n int // bytes that change
		part  Part
	}{
		{"| 0 | 8 | length", 0, 4, Part{LengthBytes: 0x3fffffff}},
		{"| 8 | 8 | offset in partition 2", 8, 8, Part{OffsetBytes: 1<<63 - 1}},
		{"| 16 | 4 | kernel slot", 16, 4, Part{Slot: noSlot}},
		{"| 24 | 32 | SHA-256 |", 24, 32, Part{SHA256: Digest([]byte(strings.Repeat("x", 32)))}},
	} {
		wantRows(t, section(t, "Golden snapshots"), "\n"+f.row)
		var plain, changed [offInitrd - offKernel]byte
		Part{}.encode(plain[:])
		f.part.encode(changed[:])
		for i := range plain {
			if inside := i >= f.at && i < f.at+f.n; inside != (plain[i] != changed[i]) {
				t.Errorf("%s: byte %d is %d, without the field %d", f.row, i, changed[i], plain[i])
			}
		}
	}
}

// TestDocumentedHandOver compares the lines of the text form, in their order.
func TestDocumentedHandOver(t *testing.T) {
	text := section(t, "What the boot manager hands over")
	var keys []string
	for line := range strings.Lines(text) {
		if key, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.ToUpper(key) == key {
			keys = append(keys, key)
		}
	}
	var want []string
	for _, f := range (&Booted{}).fields() {
		want = append(want, f.key)
	}
	if fmt.Sprint(keys) != fmt.Sprint(want) {
		t.Errorf("docs/on-disk.md has %v, want %v", keys, want)
	}
	wantRows(t, text, fmt.Sprintf("at most %d bytes", MaxBootedBytes))
}
