//go:build ovmf

package ovmftests

import (
	"fmt"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// entryFiles returns n Type #1 entries which start the stand-in, named e01.conf and so on.
func entryFiles(t *testing.T, n int) map[string]string {
	files := map[string]string{"standin.efi": app(t, "standin")}
	for i := 1; i <= n; i++ {
		entry := fmt.Sprintf("title Entry %d\nsort-key %02d\nefi /standin.efi\noptions number=%d\n", i, i, i)
		files[fmt.Sprintf("loader/entries/e%02d.conf", i)] = harness.WriteFile(t, entry)
	}
	return files
}

// TestNoEntry shows the menu of a disk with nothing to boot. The firmware's setup is there all the same.
func TestNoEntry(t *testing.T) {
	t.Parallel()
	m := bootForeign(t, "", nil)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=auto-reboot-to-firmware-setup, kind=setup"),
		harness.Text("nothing can be started by itself"),
		menuWaits,
	)
	m.Type("p")
	m.ExpectOff()
	m.Never(harness.Marker("[RAYOS_BOOTMGR:SELECTED]"))
}

func TestOneEntry(t *testing.T) {
	t.Parallel()
	m := bootForeign(t, "timeout 1\n", entryFiles(t, 1))
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=e01, kind=bls"),
		harness.Text("Entry 1 starts in 1 s."),
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=e01, reason=first"),
		harness.Text(`\standin.efi "number=1"`),
	)
	m.ExpectOff()
}

// TestSixteenEntries fills the menu: fifteen files and the firmware's setup.
func TestSixteenEntries(t *testing.T) {
	t.Parallel()
	m := bootForeign(t, "timeout 30\n", entryFiles(t, 15))
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=e15, kind=bls"), harness.Text(" 16  Firmware setup"), menuCounts)
	m.Never(harness.Marker("[RAYOS_BOOTMGR:ENTRIES_DROPPED]"))
	m.Type("0") // the tenth
	m.Expect(highlighted(10))
	for number := 11; number <= 15; number++ {
		m.Type(harness.SerialDown)
		m.Expect(highlighted(number))
	}
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=e15, reason=user"),
		harness.Text(`\standin.efi "number=15"`),
	)
	m.ExpectOff()
}

// TestSeventeenEntries has one file and the setup more than there is room for: told, and the default still starts.
func TestSeventeenEntries(t *testing.T) {
	t.Parallel()
	m := bootForeign(t, "timeout 1\ndefault e16\n", entryFiles(t, 17))
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=e16, kind=bls"),
		harness.Marker("[RAYOS_BOOTMGR:ENTRIES_DROPPED] count=2, limit=16"),
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=e16, reason=default"),
		harness.Text(`\standin.efi "number=16"`),
	)
	m.Never(harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=e17"))
	m.ExpectOff()
}

// TestWindows starts what lies at the path of Windows Boot Manager.
func TestWindows(t *testing.T) {
	t.Parallel()
	files := map[string]string{"EFI/Microsoft/Boot/bootmgfw.efi": app(t, "standin")}
	m := bootForeign(t, "timeout 30\ndefault auto-windows\n", files)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=auto-windows, kind=windows"),
		harness.Text("Windows Boot Manager"),
		menuCounts,
	)
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=auto-windows, reason=user"),
		harness.Text(`\EFI\Microsoft\Boot\bootmgfw.efi ""`),
	)
	m.ExpectOff()
}
