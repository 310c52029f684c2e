package kernel

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// writeString makes the write system call of a program.
func writeString(k *Kernel, m *fakeMachine, s string) {
	b := append([]byte(s), 0) // an address even if s is empty
	m.system(k, syscall.SYS_WRITE, stdout, uint64(address(&b[0])), uint64(len(s)))
}

func TestConsole(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "hello", "hello"},
		{"lines", "a\nb\n", "a\r\nb\r\n"},
		{"two and three bytes", "Grüße ┌─┐ €", "Grüße ┌─┐ €"},
		{"beyond the plane", "a𝄞b", "a�b"},
		{"tab", "\tx\nab\ty", "        x\r\nab      y"},
		{"NUL", "a\x00b", "ab"},
		{"lone continuation", "\x80", "�"},
		{"overlong", "\xc0\xaf\xe0\x80\xaf", "���"},
		{"surrogate", "\xed\xa0\x80", "�"},
		{"broken off", "\xe2\x82x", "�x"},
		{"long", strings.Repeat("0123456789", 100), strings.Repeat("0123456789", 100)},
		{"all of it lines", strings.Repeat("\n", 300), strings.Repeat("\r\n", 300)},
	} {
		k, m := started(t)
		writeString(k, m, c.in)
		if got := string(utf16.Decode(m.screen)); got != c.want {
			t.Errorf("%s: the screen shows %q, want %q", c.name, got, c.want)
		}
		if len(m.serial) != 0 {
			t.Errorf("%s: the program's output goes to the serial port", c.name)
		}
	}
}

func TestReportGoesToBoth(t *testing.T) {
	k, m := newKernel(t)
	k.Report("at ")
	k.ReportHex(0x1f00)
	k.Report("\n")
	const want = "at 0x0000000000001f00\r\n"
	if string(utf16.Decode(m.screen)) != want || string(m.serial) != want {
		t.Errorf("screen %q, serial %q, want %q", string(utf16.Decode(m.screen)), m.serial, want)
	}
}

// FuzzConsole compares with package utf8 for valid text, however it is cut into writes, and holds the bounds for all other.
func FuzzConsole(f *testing.F) {
	f.Add("hello\n", uint8(3))
	f.Add("Grüße € 𝄞", uint8(1))
	f.Add("\xe2\x82", uint8(1))
	k, m := newKernel(f)
	k.threads[0].state = runnable
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		k.console, m.screen = console{}, nil
		for rest := text; rest != ""; {
			n := min(len(rest), 1+int(cut))
			writeString(k, m, rest[:n])
			rest = rest[n:]
		}
		if slices.Contains(m.screen, 0) {
			t.Fatal("the text for the firmware holds a NUL")
		}
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\t") {
			return
		}
		var want []uint16
		for _, r := range strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "\n", "\r\n") {
			if r > 0xffff {
				r = utf8.RuneError
			}
			want = append(want, uint16(r))
		}
		if !slices.Equal(m.screen, want) {
			t.Fatalf("the screen shows %x, want %x", m.screen, want)
		}
	})
}
