package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/markers"
)

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
