package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/markers"
)

// kernel is a PE32+ image for this machine whose one section holds text.
func kernel(text string) string {
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	optional := pe.OptionalHeader64{Magic: 0x20b, SizeOfImage: 0x3000, Subsystem: pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, NumberOfRvaAndSizes: 16}
	header := make([]byte, 0x40)
	copy(header, "MZ")
	binary.LittleEndian.PutUint32(header[0x3c:], uint32(len(header)))
	put(header)
	b.WriteString("PE\x00\x00")
	put(pe.FileHeader{Machine: peMachine, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional))})
	put(optional)
	section := pe.SectionHeader32{VirtualAddress: 0x1000, VirtualSize: uint32(len(text)), PointerToRawData: 0x200, SizeOfRawData: uint32(len(text))}
	copy(section.Name[:], ".text")
	put(section)
	b.Write(make([]byte, 0x200-b.Len()))
	b.WriteString(text)
	return b.String()
}

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

// boot runs the manager on the machine.
func boot(fw *fakefw.Firmware) fakefw.End {
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

func TestBrokenImagesFallThrough(t *testing.T) {
	foreign := []byte(kernel("a"))
	foreign[0x44] ^= 0xff
	for _, c := range []struct {
		name  string
		spoil func(fakefw.Files)
		stage markers.StartStage
		tells string
	}{
		{"missing kernel", func(f fakefw.Files) { delete(f, "linux-a") }, markers.StageRead, "linux-a"},
		{"missing initrd", func(f fakefw.Files) { delete(f, "initrd-a") }, markers.StageRead, "initrd-a"},
		{"truncated kernel", func(f fakefw.Files) { f["linux-a"] = f["linux-a"][:0x200] }, markers.StageLoad, "truncated"},
		{"empty kernel", func(f fakefw.Files) { f["linux-a"] = "" }, markers.StageLoad, "linux-a"},
		{"no EFI image", func(f fakefw.Files) { f["linux-a"] = strings.Repeat("#!/bin/sh\n", 100) }, markers.StageLoad, "not an EFI application"},
		{"another machine", func(f fakefw.Files) { f["linux-a"] = string(foreign) }, markers.StageLoad, "another kind of machine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := twoEntries()
			c.spoil(files)
			fw := fakefw.New()
			defer fw.Close()
			fw.AddVolume(files)
			end := boot(fw)
			if end.How != fakefw.Booted || string(end.Image.Source) != kernel("b") {
				t.Fatalf("%v\n%s", end.How, fw.Transcript())
			}
			want := fmt.Sprintf("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=a, stage=%s, reason=", c.stage)
			if out := fw.Transcript(); !strings.Contains(out, want) || !strings.Contains(out, c.tells) {
				t.Errorf("no line %q with %q in\n%s", want, c.tells, out)
			}
			if !strings.Contains(fw.Transcript(), "[RAYOS_BOOTMGR:SELECTED] entry=b, reason=fallback") {
				t.Errorf("no fallback in\n%s", fw.Transcript())
			}
		})
	}
}

func TestRefusedAndReturningImagesFallThrough(t *testing.T) {
	for _, c := range []struct {
		name   string
		onLoad uefi.Status
		exit   fakefw.Exit
		stage  markers.StartStage
	}{
		{"refused", uefi.ErrSecurityViolation, fakefw.Exit{}, markers.StageLoad},
		{"returned", uefi.Success, fakefw.Exit{}, markers.StageStart},
		{"failed", uefi.Success, fakefw.Exit{Status: uefi.ErrLoadError, Text: "no root"}, markers.StageStart},
	} {
		t.Run(c.name, func(t *testing.T) {
			fw := fakefw.New()
			defer fw.Close()
			fw.AddVolume(twoEntries())
			isA := func(i *fakefw.Image) bool { return string(i.Source) == kernel("a") }
			fw.OnLoad = func(i *fakefw.Image) uefi.Status {
				if isA(i) {
					return c.onLoad
				}
				return uefi.Success
			}
			fw.OnStart = func(i *fakefw.Image) fakefw.Exit {
				if isA(i) {
					return c.exit
				}
				return fakefw.Exit{TakesOver: true}
			}
			end := boot(fw)
			if end.How != fakefw.Booted || isA(end.Image) || end.Image.Initrd != nil {
				t.Fatalf("%v\n%s", end.How, fw.Transcript())
			}
			if want := fmt.Sprintf("entry=a, stage=%s", c.stage); !strings.Contains(fw.Transcript(), want) {
				t.Errorf("no %q in\n%s", want, fw.Transcript())
			}
		})
	}
}

// TestEveryFirmwareCallMayFail makes each call fail in turn: the machine must
// still start something or show its menu, and never return to the firmware,
// except when its own volume cannot be opened.
func TestEveryFirmwareCallMayFail(t *testing.T) {
	fw := fakefw.New()
	fw.AddVolume(twoEntries())
	boot(fw)
	calls := fw.CallLog()
	fw.Close()
	for n, call := range calls {
		fw := fakefw.New()
		fw.AddVolume(twoEntries())
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

func TestSlot(t *testing.T) {
	image, initrd := []byte(kernel("slot")), []byte("initrd of the slot")
	slot := slots.Slot{
		ID: "rayos-slot", Title: "From a slot", Options: "root=slot",
		Kernel: slots.Image{OffsetBytes: slots.ImageOffset, LengthBytes: int64(len(image)), SHA256: golden.Sum(image)},
		Initrd: slots.Image{OffsetBytes: slots.ImageOffset + 4096, LengthBytes: int64(len(initrd)), SHA256: golden.Sum(initrd)},
	}
	table, err := slots.Encode(slots.Table{Sequence: 1, Slots: []slots.Slot{slot}})
	if err != nil {
		t.Fatal(err)
	}
	for _, flip := range []bool{false, true} {
		fw := fakefw.New()
		disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<24)
		esp := disk.AddPartition(1, uefi.PartitionInfo{Type: fakefw.ESPType, StartLBA: 2048, EndLBA: 821247})
		files := twoEntries()
		files["loader/loader.conf"] = "timeout 0\ndefault rayos-slot\n"
		esp.Format(files)
		const start = 821248
		disk.AddPartition(2, uefi.PartitionInfo{Type: uefi.GUID(gpt.TypeRayOSKernel), StartLBA: start, EndLBA: start + 8<<20 - 1})
		for at, data := range map[int64][]byte{0: table, slot.Kernel.OffsetBytes: image, slot.Initrd.OffsetBytes: initrd} {
			if _, err := disk.Medium.WriteAt(data, start*512+at); err != nil {
				t.Fatal(err)
			}
		}
		want := "slot"
		if flip {
			if _, err := disk.Medium.WriteAt([]byte{initrd[3] ^ 1}, start*512+slot.Initrd.OffsetBytes+3); err != nil {
				t.Fatal(err)
			}
			want = "a"
		}
		end := boot(fw)
		if end.How != fakefw.Booted || string(end.Image.Source) != kernel(want) {
			t.Errorf("flipped %v: %v\n%s", flip, end.How, fw.Transcript())
		}
		if !flip && (end.Image.CommandLine != "root=slot" || !bytes.Equal(end.Image.Initrd, initrd)) {
			t.Errorf("command line %q, initrd %q", end.Image.CommandLine, end.Image.Initrd)
		}
		if flip && !strings.Contains(fw.Transcript(), "stage=verify") {
			t.Errorf("a flipped byte goes unnoticed:\n%s", fw.Transcript())
		}
		fw.Close()
	}
}

func TestSeveralInitrdsAreJoined(t *testing.T) {
	files := twoEntries()
	files["loader/entries/a.conf"] = "linux /linux-a\ninitrd /initrd-a\ninitrd /second\n"
	files["second"] = "2"
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(files)
	if end := boot(fw); end.How != fakefw.Booted || string(end.Image.Initrd) != "initrd of a\x002\x00\x00\x00" {
		t.Fatalf("%v\n%s", end, fw.Transcript())
	}
}

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
