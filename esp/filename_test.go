package esp

import (
	"strings"
	"testing"
)

func TestParseFileName(t *testing.T) {
	tests := []struct {
		name    string
		base    string
		counted bool
		left    int
		done    int
		id      string
	}{
		{"rayos.conf", "rayos", false, 0, 0, "rayos.conf"},
		{"RayOS.CONF", "RayOS", false, 0, 0, "rayos.conf"},
		{"linux-6.1.efi", "linux-6.1", false, 0, 0, "linux-6.1.efi"},
		{"rayos+3.conf", "rayos", true, 3, 0, "rayos.conf"},
		{"rayos+3-0.conf", "rayos", true, 3, 0, "rayos.conf"},
		{"rayos+0-3.conf", "rayos", true, 0, 3, "rayos.conf"},
		{"rayos+03-10.efi", "rayos", true, 3, 10, "rayos.efi"},
		{"rayos+2147483647.conf", "rayos", true, 2147483647, 0, "rayos.conf"},
		{"a+1+2.conf", "a+1", true, 2, 0, "a+1.conf"},
		{"linux-6.1+deb12.conf", "linux-6.1+deb12", false, 0, 0, "linux-6.1+deb12.conf"},

		{"rayos+.conf", "rayos+", false, 0, 0, "rayos+.conf"},
		{"rayos+-1.conf", "rayos+-1", false, 0, 0, "rayos+-1.conf"},
		{"rayos+3-.conf", "rayos+3-", false, 0, 0, "rayos+3-.conf"},
		{"rayos+3-1-2.conf", "rayos+3-1-2", false, 0, 0, "rayos+3-1-2.conf"},
		{"rayos+3x.conf", "rayos+3x", false, 0, 0, "rayos+3x.conf"},
		{"rayos+3.old.conf", "rayos+3.old", false, 0, 0, "rayos+3.old.conf"},
		{"rayos+2147483648.conf", "rayos+2147483648", false, 0, 0, "rayos+2147483648.conf"},
		{"rayos+00000000003.conf", "rayos+00000000003", false, 0, 0, "rayos+00000000003.conf"},
		{"rayos+3-99999999999999999999.conf", "rayos+3-99999999999999999999", false, 0, 0, "rayos+3-99999999999999999999.conf"},
		{"rayos+\u0663.conf", "rayos+\u0663", false, 0, 0, "rayos+\u0663.conf"}, // an Arabic digit
	}
	for _, tt := range tests {
		f, err := ParseFileName(tt.name)
		if err != nil {
			t.Errorf("ParseFileName(%q): %v", tt.name, err)
			continue
		}
		if f.Base != tt.base || f.Counted != tt.counted || f.TriesLeft != tt.left || f.TriesDone != tt.done || f.LoaderID() != tt.id {
			t.Errorf("ParseFileName(%q) = %+v, ID %s", tt.name, f, f.LoaderID())
		}
		if f.String() != tt.name {
			t.Errorf("ParseFileName(%q).String() = %q", tt.name, f)
		}
	}
	for _, name := range []string{"", ".conf", "+3.conf", "+3-1.efi", "rayos", "rayos.con", "rayos.conf~", "conf"} {
		if f, err := ParseFileName(name); err == nil {
			t.Errorf("ParseFileName(%q) = %+v, want an error", name, f)
		}
	}
}

func TestNextTry(t *testing.T) {
	tests := []struct{ name, want string }{
		{"a+3.conf", "a+2-1.conf"},
		{"a+3-0.conf", "a+2-1.conf"},
		{"a+2-1.conf", "a+1-2.conf"},
		{"a+1-2.conf", "a+0-3.conf"},
		{"a+10-00.conf", "a+09-01.conf"},
		{"a+003-0.CONF", "a+002-1.CONF"},
		{"a+1-9.efi", "a+0-10.efi"},
		{"a+1-2147483647.conf", "a+0-2147483647.conf"},
		{"a+0-3.conf", ""},
		{"a+0.conf", ""},
		{"a.conf", ""},
	}
	for _, tt := range tests {
		f, err := ParseFileName(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		next, ok := f.NextTry()
		if ok != (tt.want != "") || ok && next.String() != tt.want {
			t.Errorf("NextTry of %s = %s, %v; want %q", tt.name, next, ok, tt.want)
		}
		if f.String() != tt.name {
			t.Errorf("NextTry changed %s to %s", tt.name, f)
		}
	}
}

// TestCountDown counts an entry down to bad: the name keeps its length when it
// starts with enough digits, so that a FAT directory entry is changed in place.
func TestCountDown(t *testing.T) {
	f, err := ParseFileName("rayos+12-00.conf")
	if err != nil {
		t.Fatal(err)
	}
	length := len(f.String())
	for tries := range 12 {
		if f.Bad() {
			t.Fatalf("%s is bad after %d tries", f, tries)
		}
		next, ok := f.NextTry()
		if again, err := ParseFileName(next.String()); !ok || err != nil || again != next || len(next.String()) != length {
			t.Fatalf("NextTry of %s = %s, %v; read again %+v, %v", f, next, ok, again, err)
		}
		f = next
	}
	if !f.Bad() || f.String() != "rayos+00-12.conf" || f.Blessed().String() != "rayos.conf" {
		t.Errorf("after all tries: %s, blessed %s", f, f.Blessed())
	}
}

func FuzzParseFileName(f *testing.F) {
	for _, s := range []string{"rayos.conf", "a+3-0.CONF", "a+0-003.efi", "a+1+2.conf", "+1.conf", "\xff+9.efi"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := ParseFileName(s)
		if err != nil {
			return
		}
		if name.String() != s {
			t.Errorf("ParseFileName(%q).String() = %q", s, name)
		}
		if strings.Contains(name.LoaderID(), "+") && !strings.Contains(name.Base, "+") {
			t.Errorf("ID %q of %q has a counter", name.LoaderID(), s)
		}
		next, ok := name.NextTry()
		if !ok {
			return
		}
		if again, err := ParseFileName(next.String()); err != nil || again.TriesLeft != name.TriesLeft-1 || again.LoaderID() != name.LoaderID() {
			t.Errorf("next name of %q is %q, read as %+v, %v", s, next, again, err)
		}
	})
}
