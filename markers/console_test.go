package markers

import (
	"errors"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"plain", "Linux version 6.1", "Linux version 6.1"},
		{"carriage return", "text\r", "text"},
		{"tab", "a\tb", "a b"},
		{"colours", "\x1b[0m\x1b[37m\x1b[40mtext\x1b[0m", "text"},
		{"cursor and erase", "\x1b[2J\x1b[01;01Htext\x1b[K", "text"},
		{"private mode", "\x1b[?25ltext\x1b[?25h", "text"},
		{"mode of EDK II", "\x1b[=3htext", "text"},
		{"intermediate byte", "\x1b[0 qtext", "text"},
		{"character set", "\x1b(Btext\x1b)0", "text"},
		{"two characters", "\x1bctext\x1b7\x1b8", "text"},
		{"title ended by BEL", "\x1b]0;title\atext", "text"},
		{"title ended by ST", "\x1b]0;title\x1b\\text", "text"},
		{"device control", "\x1bPq#0\x1b\\text", "text"},
		{"string cut off by another escape", "\x1b]0;title\x1b[0mtext", "text"},
		{"control sequence cut off by newline", "\x1b[12\ntext", "text"},
		{"unfinished control sequence", "text\x1b[12", "text"},
		{"unfinished string", "text\x1b]0;tit", "text"},
		{"lone escape", "text\x1b", "text"},
		{"Latin-1 control", "a\u0085b\u009bc", "abc"},
		{"other controls", "a\x00b\bc\x7fd\x0ee", "abcde"},
		{"UTF-8 kept", "é 日本", "é 日本"},
		{"invalid UTF-8 kept", "a\xffb", "a\xffb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.line); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.line, got, tt.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	const line = "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos"
	for name, captured := range map[string]string{
		"alone":              line,
		"from a terminal":    line + "\r",
		"after a menu":       "\x1b[20;01H  Boot in 1 s  \x1b[0m" + line + "\x1b[0m  \r",
		"after a torn line":  "[RAYOS_BOOT_MARKER:SHELL" + line,
		"after kernel text":  "[    1.234567] vda: vda1 vda2" + line,
		"coloured in itself": "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, \x1b[1mentry=rayos\x1b[0m",
	} {
		m, ok, err := Find(captured)
		if !ok || err != nil || m.String() != line {
			t.Errorf("%s: Find(%q) = %v, %v, %v", name, captured, m, ok, err)
		}
	}
}

func TestFindNone(t *testing.T) {
	if m, ok, err := Find("[    0.000000] Linux version 6.1\r"); ok || err != nil {
		t.Errorf("kernel line: Find = %v, %v, %v; want neither marker nor error", m, ok, err)
	}
	torn := "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, ent"
	if m, ok, err := Find(torn); ok || !errors.Is(err, ErrNotMarker) {
		t.Errorf("torn marker: Find = %v, %v, %v; want ErrNotMarker", m, ok, err)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("\x1b[1;1H[RAYOS_X:Y] k=v\r")
	f.Add("\x1b]0;t\x1b[0m[RAYOS_[RAYOS_X:Y] k=\"a b\"")
	f.Add("a\x9b\x1b(B\u009b")
	f.Fuzz(func(t *testing.T, line string) {
		clean := Clean(line)
		if len(clean) > len(line) {
			t.Errorf("Clean(%q) is longer than its input", line)
		}
		if strings.ContainsAny(clean, "\x1b\r\n\t\x00") {
			t.Errorf("Clean(%q) = %q, has control characters", line, clean)
		}
		if m, ok, _ := Find(line); ok && !strings.HasSuffix(strings.TrimRight(clean, " "), m.String()) {
			t.Errorf("Find(%q) = %s, which does not end %q", line, m, clean)
		}
	})
}
