package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

func TestSeventeenEntriesAreReported(t *testing.T) {
	files := fakefw.Files{"loader/loader.conf": "timeout 0\n", "linux": kernel("k")}
	for i := range bootmenu.MaxEntries + 1 {
		files[fmt.Sprintf("loader/entries/e%02d.conf", i)] = "linux /linux\n"
	}
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(files)
	boot(fw)
	out := fw.Transcript()
	if n := strings.Count(out, "RAYOS_BOOTMGR:DISCOVERED"); n != bootmenu.MaxEntries {
		t.Errorf("%d entries", n)
	}
	if !strings.Contains(out, "[RAYOS_BOOTMGR:ENTRIES_DROPPED] count=1, limit=16") {
		t.Errorf("the dropped entry is not reported:\n%s", out)
	}
}

func TestAutomaticEntries(t *testing.T) {
	files := twoEntries()
	files["EFI/Microsoft/Boot/bootmgfw.efi"] = kernel("windows")
	files["loader/loader.conf"] = "timeout 0\ndefault auto-windows\n"
	fw := fakefw.New()
	defer fw.Close()
	fw.SetVariable("OsIndicationsSupported", uefi.GlobalVariable, volatile, []byte{bootToFirmwareUI, 0, 0, 0, 0, 0, 0, 0})
	fw.AddVolume(files)
	end := boot(fw)
	if end.How != fakefw.Booted || string(end.Image.Source) != kernel("windows") {
		t.Fatalf("%v\n%s", end, fw.Transcript())
	}
	if file := end.Image.Path.FilePath(); !strings.EqualFold(file, `\EFI\Microsoft\Boot\bootmgfw.efi`) {
		t.Errorf("Windows finds its files by its path, which is %q", file)
	}
	if !strings.Contains(fw.Transcript(), "entry=auto-reboot-to-firmware-setup, kind=setup") {
		t.Errorf("no firmware setup in\n%s", fw.Transcript())
	}
}

func TestFirmwareSetup(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.SetVariable("OsIndicationsSupported", uefi.GlobalVariable, volatile, []byte{bootToFirmwareUI, 0, 0, 0, 0, 0, 0, 0})
	fw.AddVolume(twoEntries())
	fw.Type("xf") // x brings up the menu
	end := boot(fw)
	data, attr, ok := fw.Variable("OsIndications", uefi.GlobalVariable)
	if end.How != fakefw.Reset || end.Reset != uefi.ResetCold || !ok || data[0] != bootToFirmwareUI || attr != persistent {
		t.Errorf("%v, OsIndications %x %x", end, data, attr)
	}
}

func TestPowerOff(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(twoEntries())
	fw.Type("xp")
	if end := boot(fw); end.How != fakefw.Reset || end.Reset != uefi.ResetShutdown {
		t.Errorf("%v", end)
	}
}
