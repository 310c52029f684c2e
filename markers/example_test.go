package markers_test

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/markers"
)

// A program emits a marker by its type and writes the whole line at once.
func Example_emit() {
	fmt.Println(markers.BootmgrSelected{Entry: "rayos", Reason: markers.ReasonDefault}.Marker())
	fmt.Println(markers.BootStageReached{Stage: markers.ShellReady, Seq: 3, Entry: "rayos"}.Marker())
	// Output:
	// [RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default
	// [RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos
}

func ExampleParse() {
	m, err := markers.Parse(`[RAYOS_BOOTMGR:ENTRY_FAILED] entry=old, stage=read, reason="file does not exist"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	reason, _ := m.Get("reason")
	fmt.Printf("%s: %s\n", m.ID(), reason)
	// Output: RAYOS_BOOTMGR:ENTRY_FAILED: file does not exist
}

// A test reads a serial console and waits for markers in their order.
func ExampleMatcher() {
	serial := "BdsDxe: starting Boot0001\r\n" +
		"\x1b[2J\x1b[01;01H[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default\r\n" +
		"[    0.000000] Linux version 6.1\r\n" +
		"[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos\r\n"

	m := markers.NewMatcher(
		markers.BootmgrSelected{Entry: "rayos", Reason: markers.ReasonDefault}.Marker(),
		markers.MustParse("[RAYOS_BOOT_MARKER:SHELL_READY]"),
	).Forbid(markers.MustParse("[RAYOS_BOOTMGR:ENTRY_FAILED]"))
	for line := range strings.Lines(serial) {
		if err := m.Feed(line); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(m.Err())
	// Output:
	// [RAYOS_BOOT_MARKER:SHELL_READY]: marker did not arrive (1 of 2 did); last markers seen:
	// 	[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default
	// 	[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos
}
