package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/markers"
)

// loaderConf starts the default at once.
const loaderConf = "timeout 0\ndefault a\n"

func twoEntries() fakefw.Files {
	return fakefw.Files{
		"loader/loader.conf":    loaderConf,
		"loader/entries/a.conf": "title A\nlinux /linux-a\ninitrd /initrd-a\noptions root=a\nsort-key 1\n",
		"loader/entries/b.conf": "title B\nlinux /linux-b\noptions root=b\nsort-key 2\n",
		"linux-a":               kernel("a"),
		"linux-b":               kernel("b"),
		"initrd-a":              "initrd of a",
	}
}

// boot runs the manager on the machine, from an image without a key.
func boot(fw *fakefw.Firmware) fakefw.End { return bootImage(fw, kernel("boot manager")) }

// bootImage runs the manager from this image.
func bootImage(fw *fakefw.Firmware, image string) fakefw.End {
	fw.SetProgram([]byte(image))
	return fw.Run(func() { run(fw.System(), nil) })
}

func TestDefaultEntryStarts(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(twoEntries())
	end := boot(fw)
	if end.How != fakefw.Booted {
		t.Fatalf("%v\n%s", end.How, fw.Transcript())
	}
	image := end.Image
	if string(image.Source) != kernel("a") || image.CommandLine != "root=a" || string(image.Initrd) != "initrd of a" {
		t.Errorf("started %q with %q and initrd %q", image.Path, image.CommandLine, image.Initrd)
	}
	want := []string{
		"[RAYOS_BOOTMGR:DISCOVERED] entry=a, kind=bls",
		"[RAYOS_BOOTMGR:DISCOVERED] entry=b, kind=bls",
		"[RAYOS_BOOTMGR:SELECTED] entry=a, reason=default",
	}
	expectMarkers(t, fw, want)
	if fw.Watchdog() != startWatchdog {
		t.Errorf("watchdog %v while the kernel starts, want %v", fw.Watchdog(), startWatchdog)
	}
}

// expectMarkers wants these marker lines in this order and no others of the
// manager.
func expectMarkers(t *testing.T, fw *fakefw.Firmware, want []string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(fw.Transcript()) {
		if m, err := markers.Parse(strings.TrimSpace(line)); err == nil {
			got = append(got, m.String())
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("markers\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMenuKeysChoose(t *testing.T) {
	files := twoEntries()
	files["loader/loader.conf"] = "timeout 5\ndefault a\n"
	for _, c := range []struct{ name, keys, want, options string }{
		{"characters", "j\r", "b", "root=b"},
		{"digit", "2\r", "b", "root=b"},
		{"edit", "e quiet\r", "a", "root=a quiet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fw := fakefw.New()
			defer fw.Close()
			fw.AddVolume(files)
			fw.TypeAfter(2*time.Second, c.keys)
			end := boot(fw)
			if end.How != fakefw.Booted || string(end.Image.Source) != kernel(c.want) || end.Image.CommandLine != c.options {
				t.Fatalf("%v\n%s", end, fw.Transcript())
			}
		})
	}
	t.Run("countdown", func(t *testing.T) {
		fw := fakefw.New()
		defer fw.Close()
		fw.AddVolume(files)
		if end := boot(fw); end.How != fakefw.Booted || fw.Now() < 5*time.Second {
			t.Fatalf("%v after %v", end, fw.Now())
		}
	})
	t.Run("any key stops it", func(t *testing.T) {
		fw := fakefw.New()
		defer fw.Close()
		fw.AddVolume(files)
		fw.PressAfter(time.Second, uefi.ScanHome)
		if end := boot(fw); end.How != fakefw.Waiting {
			t.Fatalf("%v, want a menu that waits\n%s", end, fw.Screen())
		}
		if screen := fw.Screen().String(); !strings.Contains(screen, "Waiting for your choice") || !strings.Contains(screen, ">  1  A") {
			t.Errorf("the screen is\n%s", screen)
		}
	})
}

// TestEveryFirmwareCallMayFail makes each call fail in turn: the machine must
// still start something or show its menu, and never return to the firmware,
// except when its own volume cannot be opened.
func TestEveryFirmwareCallMayFail(t *testing.T) {
	files := rayosFiles(t)
	addGolden(t, files, 1, "kept")
	fw := fakefw.New()
	addRayOSDisk(fw, files)
	boot(fw)
	calls := fw.CallLog()
	fw.Close()
	for n, call := range calls {
		fw := fakefw.New()
		addRayOSDisk(fw, files)
		fw.FailCall(n+1, uefi.ErrDeviceError)
		switch end := boot(fw); end.How {
		case fakefw.Booted, fakefw.Waiting:
		default:
			if !strings.Contains(fw.Transcript(), "the boot volume") && call != "OpenProtocol" {
				t.Errorf("call %d, %s, fails: %v\n%s", n+1, call, end.How, fw.Transcript())
			}
		}
		fw.Close()
	}
}
