package markers

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// usualLineLength is the width of a firmware console, less the last column.
const usualLineLength = 79

func TestRegistry(t *testing.T) {
	seen := make(map[string]bool)
	for _, d := range All() {
		if seen[d.ID()] {
			t.Errorf("%s is defined twice", d.ID())
		}
		seen[d.ID()] = true
		if d.EmittedBy == "" || d.Since == "" || !strings.HasSuffix(d.Meaning, ".") {
			t.Errorf("%s: emitter, version or meaning is missing: %+v", d.ID(), d)
		}
		for _, f := range d.Fields {
			if f.Meaning == "" {
				t.Errorf("%s: field %s has no meaning", d.ID(), f.Key)
			}
		}
		m := d.Example.Marker()
		if m.ID() != d.ID() {
			t.Errorf("example of %s is a %s", d.ID(), m.ID())
		}
		if err := Check(m); err != nil {
			t.Errorf("example of %s: %v", d.ID(), err)
		}
		if got, err := Parse(m.String()); err != nil || got.String() != m.String() {
			t.Errorf("example of %s: Parse = %v, %v", d.ID(), got, err)
		}
	}
}

// TestPromisedMarkers holds the names that documents and users' scripts rely on.
func TestPromisedMarkers(t *testing.T) {
	var ids []string
	for _, d := range All() {
		ids = append(ids, d.ID())
	}
	for _, id := range []string{
		"RAYOS_BOOTMGR:DISCOVERED", "RAYOS_BOOTMGR:SELECTED", "RAYOS_BOOTMGR:BOOT_SUCCESS",
		"RAYOS_BOOTMGR:ENTRY_FAILED", "RAYOS_BOOTMGR:ENTRIES_DROPPED",
		"RAYOS_BOOT_MARKER:KERNEL_LOADED", "RAYOS_BOOT_MARKER:MEMORY_READY",
		"RAYOS_BOOT_MARKER:SUBSYSTEMS_READY", "RAYOS_BOOT_MARKER:SHELL_READY", "RAYOS_BOOT_MARKER:GOLDEN",
		"RAYOS_WATCHDOG:ARMED", "RAYOS_WATCHDOG:KICKED", "RAYOS_WATCHDOG:EXPIRED",
		"RAYOS_PRESENTATION:SURFACE_CREATE", "RAYOS_PRESENTATION:FIRST_FRAME", "RAYOS_PRESENTATION:FRAME_UPDATE",
		"RAYOS_PRESENTATION:PRESENTED", "RAYOS_PRESENTATION:HIDDEN", "RAYOS_PRESENTATION:DESTROY",
	} {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is not in the registry", id)
		}
	}
}

func TestEmitters(t *testing.T) {
	tests := []struct {
		emitter Emitter
		want    string
	}{
		{BootmgrDiscovered{"rayos-slot", KindSlot}, "[RAYOS_BOOTMGR:DISCOVERED] entry=rayos-slot, kind=slot"},
		{BootmgrEntriesDropped{3, 16}, "[RAYOS_BOOTMGR:ENTRIES_DROPPED] count=3, limit=16"},
		{BootmgrSelected{"rayos", ReasonFallback}, "[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=fallback"},
		{
			BootmgrEntryFailed{"old", StageLoad, "Unsupported: not an EFI image"},
			`[RAYOS_BOOTMGR:ENTRY_FAILED] entry=old, stage=load, reason="Unsupported: not an EFI image"`,
		},
		{BootmgrBootSuccess{"rayos"}, "[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos"},
		{BootStageReached{KernelLoaded, 0, "rayos"}, "[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos"},
		{WatchdogArmed{"iTCO_wdt", 60, ArmedCommand}, "[RAYOS_WATCHDOG:ARMED] device=iTCO_wdt, seconds=60, reason=command"},
		{WatchdogKicked{"iTCO_wdt", KickedCommand}, "[RAYOS_WATCHDOG:KICKED] device=iTCO_wdt, reason=command"},
		{ServiceFailed{"x", false, 5, "exit status 1"}, `[RAYOS_SERVICE:FAILED] service=x, critical=no, starts=5, reason="exit status 1"`},
		{WatchdogExpired{"shell", "halt", 3, 3}, "[RAYOS_WATCHDOG:EXPIRED] service=shell, policy=halt, count=3, limit=3"},
		{PresentationSurfaceCreate{1, "linux", 1920, 1080}, "[RAYOS_PRESENTATION:SURFACE_CREATE] id=1, width=1920, height=1080, guest=linux"},
		{PresentationFirstFrame{1, 0}, "[RAYOS_PRESENTATION:FIRST_FRAME] id=1, seq=0"},
		{PresentationFrameUpdate{1, 60}, "[RAYOS_PRESENTATION:FRAME_UPDATE] id=1, seq=60"},
		{PresentationPresented{1}, "[RAYOS_PRESENTATION:PRESENTED] id=1"},
		{PresentationHidden{1}, "[RAYOS_PRESENTATION:HIDDEN] id=1"},
		{PresentationDestroy{4294967295}, "[RAYOS_PRESENTATION:DESTROY] id=4294967295"},
		{BootStageReached{Golden, 4, ""}, `[RAYOS_BOOT_MARKER:GOLDEN] seq=4, entry=""`},
	}
	for _, tt := range tests {
		got := tt.emitter.Marker().String()
		if got != tt.want {
			t.Errorf("%#v\n got %s\nwant %s", tt.emitter, got, tt.want)
		}
		if _, failed := tt.emitter.(BootmgrEntryFailed); !failed && len(got) > usualLineLength {
			t.Errorf("%s has %d columns, consoles wrap after %d", got, len(got), usualLineLength)
		}
	}
}

func TestBootStages(t *testing.T) {
	var names []string
	for _, s := range BootStages() {
		names = append(names, s.String())
	}
	want := "KERNEL_LOADED MEMORY_READY SUBSYSTEMS_READY SHELL_READY GOLDEN"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("stages are %s, want %s", got, want)
	}
	if got := BootStage(5).String(); got != "BootStage(5)" {
		t.Errorf("BootStage(5).String() = %s", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, line := range []string{
		"[RAYOS_BOOTMGR:SELECTED] entry=rayos",
		"[RAYOS_BOOTMGR:SELECTED] reason=default, entry=rayos",
		"[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=luck",
		"[RAYOS_BOOTMGR:ENTRIES_DROPPED] count=many, limit=16",
		"[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default, more=1",
	} {
		if err := Check(MustParse(line)); err == nil || errors.Is(err, ErrUnknown) {
			t.Errorf("Check(%s) = %v, want an error about its fields", line, err)
		}
	}
	if err := Check(MustParse("[RAYOS_BOOTMGR:ELECTED]")); !errors.Is(err, ErrUnknown) {
		t.Errorf("Check of an unknown marker = %v, want ErrUnknown", err)
	}
}

// FuzzEmitters: whatever text reaches an emitter, the line is a marker.
func FuzzEmitters(f *testing.F) {
	f.Add("rayos", "read")
	f.Add(strings.Repeat("\x00", MaxValueBytes), strings.Repeat("é", MaxValueBytes))
	f.Add(strings.Repeat("v", MaxValueBytes-2), strings.Repeat("v", MaxValueBytes+1))
	f.Fuzz(func(t *testing.T, entry, reason string) {
		for _, e := range []Emitter{
			BootmgrDiscovered{Entry: entry},
			BootmgrSelected{Entry: entry},
			BootmgrEntryFailed{Entry: entry, Stage: StageRead, Reason: reason},
			BootmgrBootSuccess{Entry: entry},
			BootStageReached{Entry: entry},
		} {
			m := e.Marker()
			if err := m.Validate(); err != nil {
				t.Errorf("%#v: %v", e, err)
			}
			value, _ := m.Get("entry")
			short := strings.TrimSuffix(value, ellipsis)
			if value != entry && (short == value || !strings.HasPrefix(entry, short)) {
				t.Errorf("entry %q became %q", entry, value)
			}
		}
	})
}
