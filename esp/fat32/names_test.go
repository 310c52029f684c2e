package fat32

import (
	"errors"
	"strings"
	"testing"
)

func TestShortNames(t *testing.T) {
	long := []string{
		"README.TXT", "readme.md", "kernel.config", "kernel.con", "kernel.confidential", "kernel.conf", "KERNEL~2.CON",
		"a.b.c", ".bashrc", "with space", "日本語.txt", "plus+plus", "noext", "x",
	}
	want := map[string]string{
		"README.TXT": "README.TXT", "readme.md": "README.MD", "kernel.config": "KERNEL~1.CON", "kernel.con": "KERNEL.CON",
		"kernel.confidential": "KERNEL~3.CON", "kernel.conf": "KERNEL~4.CON", "KERNEL~2.CON": "KERNEL~2.CON",
		"a.b.c": "AB~1.C", ".bashrc": "BASHRC~1", "with space": "WITHSP~1", "日本語.txt": "___~1.TXT", "plus+plus": "PLUS_P~1",
		"noext": "NOEXT", "x": "X",
	}
	names := newShortNames(long)
	for _, name := range long {
		short, needsLong := names.assign(name)
		if short.String() != want[name] {
			t.Errorf("%s: short name %s, want %s", name, short, want[name])
		}
		if needsLong == (name == short.String()) {
			t.Errorf("%s: needsLong is %v with the short name %s", name, needsLong, short)
		}
	}
}

// TestShortNamesManyAlike needs tails of several digits.
func TestShortNamesManyAlike(t *testing.T) {
	var long []string
	for i := range 12000 {
		long = append(long, "the same beginning "+strings.Repeat("x", i%200)+string(rune('\u4e00'+i/200)))
	}
	names := newShortNames(long)
	seen := map[shortName]bool{}
	for _, name := range long {
		short, _ := names.assign(name)
		if seen[short] {
			t.Fatalf("short name %s is given twice", short)
		}
		seen[short] = true
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a:b", "a*", `a\b`, "a?", "tab\t", "dot.", "space ", " space", "\xff", strings.Repeat("n", 256)} {
		if err := checkName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v, want ErrName", name, err)
		}
	}
}
