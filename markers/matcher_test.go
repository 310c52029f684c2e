package markers

import (
	"errors"
	"strings"
	"testing"
)

var console = []string{
	"UEFI Interactive Shell",
	"\x1b[2J\x1b[01;01H[RAYOS_BOOTMGR:DISCOVERED] entry=rayos, kind=bls\r",
	"[RAYOS_BOOTMGR:DISCOVERED] entry=old, kind=bls\r",
	"[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default\r",
	"[    0.000000] Linux version 6.1",
	"[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos",
	"[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos",
}

func feed(m *Matcher, lines []string) error {
	for _, line := range lines {
		if err := m.Feed(line); err != nil {
			return err
		}
	}
	return nil
}

func TestMatcher(t *testing.T) {
	tests := []struct {
		name string
		want []string
		done bool
	}{
		{"nothing", nil, true},
		{"the last one only", []string{"[RAYOS_BOOT_MARKER:SHELL_READY]"}, true},
		{"in order with gaps", []string{"[RAYOS_BOOTMGR:SELECTED] entry=rayos", "[RAYOS_BOOT_MARKER:SHELL_READY]"}, true},
		{"some fields", []string{"[RAYOS_BOOTMGR:DISCOVERED] entry=old"}, true},
		{"one marker twice", []string{"[RAYOS_BOOTMGR:DISCOVERED]", "[RAYOS_BOOTMGR:DISCOVERED]"}, true},
		{"one marker too often", []string{"[RAYOS_BOOTMGR:SELECTED]", "[RAYOS_BOOTMGR:SELECTED]"}, false},
		{"other order", []string{"[RAYOS_BOOT_MARKER:SHELL_READY]", "[RAYOS_BOOTMGR:SELECTED]"}, false},
		{"other value", []string{"[RAYOS_BOOTMGR:SELECTED] entry=old"}, false},
		{"field that it has not", []string{"[RAYOS_BOOTMGR:SELECTED] stage=read"}, false},
		{"never emitted", []string{"[RAYOS_BOOT_MARKER:GOLDEN]"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []Marker
			for _, line := range tt.want {
				want = append(want, MustParse(line))
			}
			m := NewMatcher(want...)
			if err := feed(m, console); err != nil {
				t.Fatal(err)
			}
			if m.Done() != tt.done {
				t.Errorf("Done = %v, want %v", m.Done(), tt.done)
			}
			if err := m.Err(); (err == nil) != tt.done || err != nil && !errors.Is(err, ErrMissing) {
				t.Errorf("Err = %v", err)
			}
		})
	}
}

func TestMatcherReportsWhatIsMissing(t *testing.T) {
	m := NewMatcher(MustParse("[RAYOS_BOOTMGR:SELECTED]"), MustParse("[RAYOS_BOOT_MARKER:GOLDEN] entry=rayos"))
	if got := m.Err().Error(); !strings.Contains(got, "no marker was seen") {
		t.Errorf("report before any line: %s", got)
	}
	for range seenLimit {
		if err := feed(m, console); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Err().Error()
	for _, part := range []string{"[RAYOS_BOOT_MARKER:GOLDEN] entry=rayos", "1 of 2", "SHELL_READY] seq=3"} {
		if !strings.Contains(got, part) {
			t.Errorf("report lacks %q: %s", part, got)
		}
	}
	if n := strings.Count(got, "\n"); n != seenLimit {
		t.Errorf("report shows %d markers, want %d", n, seenLimit)
	}
}

func TestMatcherForbid(t *testing.T) {
	shell := MustParse("[RAYOS_BOOT_MARKER:SHELL_READY]")
	m := NewMatcher(shell).Forbid(MustParse("[RAYOS_BOOTMGR:ENTRY_FAILED]"), MustParse("[RAYOS_BOOTMGR:SELECTED] reason=default"))
	if err := feed(m, console); !errors.Is(err, ErrForbidden) {
		t.Fatalf("Feed = %v, want ErrForbidden", err)
	}
	if err := m.Feed(shell.String()); !errors.Is(err, ErrForbidden) || m.Done() {
		t.Errorf("after the failure: Feed = %v, Done = %v", err, m.Done())
	}
	if err := m.Err(); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "entry=old") {
		t.Errorf("Err = %v, want ErrForbidden with the markers before it", err)
	}
}

func TestMatcherTornLine(t *testing.T) {
	m := NewMatcher(MustParse("[RAYOS_BOOT_MARKER:SHELL_READY]"))
	if err := m.Feed("[RAYOS_BOOT_MARKER:SHELL_R[    1.000000] usb 1-1: new device"); err != nil {
		t.Fatal(err)
	}
	if err := m.Err(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "usb 1-1") {
		t.Errorf("Err = %v, want ErrMissing and the torn line", err)
	}
}
