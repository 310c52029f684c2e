package qemu

import (
	"bytes"
	"testing"
)

func TestPlainText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "one\r\ntwo\r\n", "one\ntwo\n"},
		{"blank lines stay", "one\r\n\r\ntwo", "one\n\ntwo"},
		{"colours vanish", "\x1b[0m\x1b[37m\x1b[40mBdsDxe: loading Boot0001\x1b[0m\r\n", "BdsDxe: loading Boot0001\n"},
		{"cursor position ends a line", "\x1b[2J\x1b[01;01HRayOS\x1b[02;01H> entry", "RayOS\n> entry"},
		{"cursor within the line does not", "a\x1b[4Cb", "ab"},
		{"sequence without parameters", "a\x1bcb", "ab"},
		{"sequence inside a sequence", "a\x1b[3\x1b[1mb", "ab"},
		{"control characters vanish", "a\x00\x07b\x7f\tc", "ab\tc"},
		{"bytes above ASCII stay", "Größe \xc4\xc4", "Größe \xc4\xc4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p PlainText
			if got := string(p.Append(nil, []byte(c.in))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzPlainText(f *testing.F) {
	f.Add([]byte("\x1b[2J\x1b[01;01HRayOS\r\n"), 5)
	f.Add([]byte("\x1b[\x1b\x1b[H"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var whole, parts PlainText
		want := whole.Append(nil, in)
		cut = max(0, min(cut, len(in)))
		got := parts.Append(parts.Append(nil, in[:cut]), in[cut:])
		if !bytes.Equal(got, want) {
			t.Errorf("in two chunks %q, in one %q", got, want)
		}
		if len(want) > len(in) {
			t.Errorf("%d bytes became %d", len(in), len(want))
		}
		if bytes.ContainsAny(want, "\x1b\r\x00") {
			t.Errorf("control characters in %q", want)
		}
	})
}
