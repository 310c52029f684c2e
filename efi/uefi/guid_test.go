package uefi_test

import (
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
)

func TestGUID(t *testing.T) {
	// The example of UEFI 2.10 §A.1 in both of its forms.
	const text = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
	want := uefi.GUID{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}
	g, err := uefi.ParseGUID("8BE4DF61-93CA-11d2-aa0d-00E098032B8C")
	if err != nil || g != want {
		t.Errorf("parsed % x, %v; want % x", g[:], err, want[:])
	}
	if g.String() != text {
		t.Errorf("text is %s, want %s", g, text)
	}
	for _, bad := range []string{"", text[1:], text + "0", "8be4df61+93ca-11d2-aa0d-00e098032b8c", "8be4df6g-93ca-11d2-aa0d-00e098032b8c"} {
		if g, err := uefi.ParseGUID(bad); err == nil {
			t.Errorf("%q parsed as %v", bad, g)
		}
	}
}

func FuzzParseGUID(f *testing.F) {
	f.Add("8be4df61-93ca-11d2-aa0d-00e098032b8c")
	f.Add("8be4df61-93ca-11d2-aa0d-00e098032b8")
	f.Fuzz(func(t *testing.T, s string) {
		g, err := uefi.ParseGUID(s)
		if err != nil {
			return
		}
		if again, err := uefi.ParseGUID(g.String()); err != nil || again != g {
			t.Errorf("%q: %v became %v, %v", s, g, again, err)
		}
	})
}
