package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAwaitInOrder(t *testing.T) {
	tr := NewTranscript()
	fmt.Fprint(tr, "\x1b[2J\x1b[01;01HRayOS\x1b[03;01H> RayOS safe\r\n")
	fmt.Fprint(tr, "menu rest [RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default\r\n")
	fmt.Fprint(tr, "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos\r\n$ ")
	for _, c := range []struct {
		want Expectation
		line string
	}{
		{Text("RayOS"), "RayOS"},
		{Marker("[RAYOS_BOOTMGR:SELECTED] reason=default"), "menu rest [RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default"},
		{Marker("[RAYOS_BOOT_MARKER:SHELL_READY]"), "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos"},
		{Text("$"), "$ "},
	} {
		line, err := tr.Await(t.Context(), c.want)
		if err != nil || line != c.line {
			t.Fatalf("%s gives %q, %v; want %q", c.want, line, err, c.line)
		}
	}
}

func TestAwaitFails(t *testing.T) {
	selected := Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos")
	for _, c := range []struct{ name, text, why string }{
		{"nothing", "", "in time"},
		{"other entry", "[RAYOS_BOOTMGR:SELECTED] entry=other, reason=default\n", "in time"},
		{"unfinished marker", "[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default", "in time"},
		{"came before", "[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default\nnow\n", "in time"},
		{"firmware crash", "now\n!!!! X64 Exception Type - 0E(#PF - Page-Fault)\n", "crashed"},
		{"kernel panic", "now\n[    1.0] Kernel panic - not syncing: no init\n", "crashed"},
		{"Go crash", "now\npanic: index out of range\n", "crashed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := NewTranscript()
			fmt.Fprint(tr, c.text)
			if strings.Contains(c.text, "now") {
				if _, err := tr.Await(t.Context(), Text("now")); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if line, err := tr.Await(ctx, selected); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %q, %v; want an error with %q", line, err, c.why)
			}
		})
	}
}

func TestAwaitWaits(t *testing.T) {
	tr := NewTranscript()
	go func() {
		tr.Note("[qemu] RESET")
		fmt.Fprint(tr, "la")
		fmt.Fprint(tr, "st\n")
		tr.Close(errMachineEnded)
	}()
	if line, err := tr.Await(t.Context(), Text("last")); err != nil || line != "last" {
		t.Errorf("got %q, %v", line, err)
	}
	if _, err := tr.Await(t.Context(), Text("more")); !errors.Is(err, errMachineEnded) {
		t.Errorf("got %v", err)
	}
	if !tr.Has(Text("RESET")) || tr.Has(Text("BOOT")) {
		t.Errorf("Has is wrong about %q", tr)
	}
}

// TestNotesStandBetweenLines has notes that come in the middle of what the machine says.
func TestNotesStandBetweenLines(t *testing.T) {
	tr := NewTranscript()
	fmt.Fprint(tr, "fi")
	tr.Note("[qemu] RESET")
	tr.Note("[qemu] RESET again")
	fmt.Fprint(tr, "rst\nsecond\nend")
	tr.Note("[qemu] SHUTDOWN")
	tr.Close(errMachineEnded)
	if got := tr.String(); got != "first\n[qemu] RESET\n[qemu] RESET again\nsecond\nend\n[qemu] SHUTDOWN\n" {
		t.Errorf("transcript is %q", got)
	}
}

func TestTailAndBlankLines(t *testing.T) {
	tr := NewTranscript()
	fmt.Fprint(tr, "one\n     \n\ntwo\nthree\n")
	if got := tr.String(); got != "one\ntwo\nthree\n" {
		t.Errorf("transcript is %q", got)
	}
	if got := tr.Tail(2); got != "two\nthree" {
		t.Errorf("tail is %q", got)
	}
}

func TestUnknownMarkerPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a marker that nobody emits was taken")
		}
	}()
	Marker("[RAYOS_BOOTMGR:SELEKTED]")
}
