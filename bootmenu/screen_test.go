package bootmenu

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

var update = flag.Bool("update", false, "write the screens in testdata anew")

// picture is a screen as text: the style of each line in front of it.
func picture(s Screen) string {
	var b strings.Builder
	for _, line := range s.Lines {
		fmt.Fprintf(&b, "%c|%s\n", "phldw"[line.Style], strings.TrimRight(line.Text, " "))
	}
	fmt.Fprintf(&b, "cursor %d,%d\n", s.CursorColumn, s.CursorRow)
	return b.String()
}

func rayos() []Entry {
	return []Entry{
		{ID: "rayos", Title: "RayOS", Version: "6.1.0", Source: "/loader/entries/rayos.conf", Options: "console=ttyS0,115200", Editable: true},
		{ID: "rayos-slot", Title: "RayOS from a kernel slot", Kind: markers.KindSlot, Source: "kernel slot 0", Options: "console=ttyS0,115200", Editable: true},
		{ID: "rayos-safe", Title: "RayOS safe mode", Source: "/loader/entries/rayos-safe.conf", Options: "rayos.safe", Editable: true, Recovery: true},
		{ID: "auto-reboot-to-firmware-setup", Title: "Firmware setup", Kind: markers.KindSetup, Source: "the firmware"},
	}
}

func TestScreens(t *testing.T) {
	config := Config{TimeoutSeconds: 5, Default: "rayos", Editor: true, Setup: true, Heading: "RayOS boot manager"}
	many := rayos()
	for i := len(many); i < MaxEntries; i++ {
		many = append(many, Entry{ID: fmt.Sprint("linux-", i), Title: fmt.Sprint("Linux ", i), Source: "/loader/entries", Options: "quiet"})
	}
	bad := rayos()
	bad[1].Bad = true
	failures := record.Loaded{Record: record.Record{RecoveryAttempts: 3, Recovery: markers.RecoverFailures, Entries: []record.Entry{
		{Key: "rayos", Failures: 3, Disabled: true, Stage: record.BootStage(markers.ShellReady), Cause: markers.CauseStuck},
		{Key: "rayos-slot", Failures: 1, Stage: record.StageStart, Cause: markers.CauseWatchdog},
	}}}
	kept := []Snapshot{{golden.Digest{1}, "RayOS 6.1.0"}, {golden.Digest{2}, "RayOS 6.0.9"}}
	long := rayos()
	long[0].Title = strings.Repeat("A very long title ", 10)
	long[0].Options = strings.Repeat("option=value ", 30)
	for _, c := range []struct {
		name string
		on   PoweredOn
		keys string
		fail string // ID of the entry that then does not start
	}{
		{"countdown", PoweredOn{Entries: rayos(), Config: config}, "", ""},
		{"waiting", PoweredOn{Entries: rayos(), Config: config}, "jj", ""},
		{"sixteen", PoweredOn{Entries: many, Config: config}, "vvvvvvvvvvvvvvvv", ""},
		{"bad", PoweredOn{Entries: bad, Config: config}, "", ""},
		{"long", PoweredOn{Entries: long, Config: config}, "", ""},
		{"empty", PoweredOn{Config: config}, "", ""},
		{"failed", PoweredOn{Entries: rayos(), Config: config}, "\r", "rayos"},
		{"golden", PoweredOn{Entries: rayos(), Config: config, Snapshots: kept}, "jjj", ""},
		{"stopped", PoweredOn{Entries: rayos(), Config: config, Snapshots: kept, State: failures}, "", ""},
		{"edit", PoweredOn{Entries: rayos(), Config: config}, "e debug<<", ""},
		{"edit long", PoweredOn{Entries: long, Config: config}, "e", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := powered(c.on)
			for _, r := range c.keys {
				s, _ = Step(s, KeyPressed{key(r)})
			}
			if c.fail != "" {
				s, _ = step(s, StartFailed{ID: c.fail, Stage: markers.StageRead, Problem: "load /EFI/rayos/vmlinuz: file not found; copy the kernel back or choose another entry"})
			}
			compare(t, c.name, picture(s.Screen(80, 25)))
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "screens", strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the screen is\n%s\nwant\n%s\n(go test ./bootmenu -update accepts it)", got, want)
	}
}

// TestNoLineWraps: a console that wraps would scroll the menu away.
func TestNoLineWraps(t *testing.T) {
	for _, size := range [][2]int{{80, 25}, {100, 31}, {128, 40}, {1, 1}} {
		long := rayos()
		for i := range long {
			long[i].Title = strings.Repeat("Ä", 300)
			long[i].Options = strings.Repeat("ö", 300)
			long[i].Source = strings.Repeat("ü", 300)
		}
		s := powered(PoweredOn{Entries: long, Config: Config{TimeoutSeconds: 9, Heading: strings.Repeat("h", 300), Notice: strings.Repeat("n", 300)}})
		cols, rows := max(size[0], MinColumns), max(size[1], MinRows)
		screen := s.Screen(size[0], size[1])
		if len(screen.Lines) > rows {
			t.Errorf("%v: %d lines", size, len(screen.Lines))
		}
		for _, line := range screen.Lines {
			if n := utf8.RuneCountInString(line.Text); n >= cols {
				t.Errorf("%v: a line of %d characters", size, n)
			}
		}
	}
}

func FuzzEditor(f *testing.F) {
	f.Add("root=/dev/vda1 quiet", "<<<x\b\b>>~!")
	f.Add("", "\b\b\b")
	f.Fuzz(func(t *testing.T, text, keys string) {
		menu := []Entry{{ID: "a", Title: "A", Options: text, Editable: true}}
		s := powered(PoweredOn{Entries: menu, Config: Config{TimeoutSeconds: WaitForever, Editor: true}})
		s, _ = Step(s, KeyPressed{Key{Rune: 'e'}})
		for _, r := range keys {
			if s, _ = Step(s, KeyPressed{key(r)}); s.editor == nil {
				return
			}
			if e := s.editor; e.cursor < 0 || e.cursor > len(e.text) || len(e.text) > MaxOptions {
				t.Fatalf("cursor %d in %d characters", e.cursor, len(e.text))
			}
			if c := s.Screen(80, 25); c.CursorRow < 0 || c.CursorColumn < 0 || c.CursorColumn >= 79 {
				t.Fatalf("text cursor at %d,%d", c.CursorColumn, c.CursorRow)
			}
		}
	})
}
