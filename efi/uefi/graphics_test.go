package uefi_test

import (
	"errors"
	"image"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

func TestGraphicsOutput(t *testing.T) {
	fw := newFirmware(t)
	if screens, err := fw.System().GraphicsOutputs(); len(screens) != 0 || err != nil {
		t.Errorf("without a screen: %v, %v", screens, err)
	}
	display := fw.AddDisplay(640, 480)
	screens, err := fw.System().GraphicsOutputs()
	if err != nil || len(screens) != 1 {
		t.Fatalf("screens %v, %v", screens, err)
	}
	g := screens[0]
	modes, err := g.Modes()
	if err != nil || len(modes) != 2 || modes[1] != (uefi.GraphicsMode{Number: 1, Width: 320, Height: 240, Stride: 320, Format: uefi.PixelBGR}) {
		t.Errorf("modes %+v, %v", modes, err)
	}
	if err := g.SetMode(1); err != nil {
		t.Fatal(err)
	}
	if m, err := g.Mode(); m != modes[1] || err != nil {
		t.Errorf("mode %+v, %v", m, err)
	}
	red := uefi.Pixel{Red: 255}
	if err := g.Fill(image.Rect(10, 20, 13, 22), red); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x, y int
		want uefi.Pixel
	}{{9, 20, uefi.Pixel{}}, {10, 20, red}, {12, 21, red}, {13, 21, uefi.Pixel{}}, {12, 22, uefi.Pixel{}}} {
		if got := display.Pixels[c.y*320+c.x]; got != c.want {
			t.Errorf("pixel at %d, %d is %v", c.x, c.y, got)
		}
	}
}

func TestGraphicsDrawAndCapture(t *testing.T) {
	fw := newFirmware(t)
	fw.AddDisplay(64, 48)
	screens, err := fw.System().GraphicsOutputs()
	if err != nil || len(screens) != 1 {
		t.Fatalf("screens %v, %v", screens, err)
	}
	g := screens[0]
	picture := make([]uefi.Pixel, 7*5)
	for i := range picture {
		picture[i] = uefi.Pixel{Blue: uint8(i), Green: 1}
	}
	area := image.Rect(50, 40, 57, 45)
	if err := g.Draw(area, picture); err != nil {
		t.Fatal(err)
	}
	if got, err := g.Capture(area); err != nil || !slices.Equal(got, picture) {
		t.Errorf("captured %v, %v", got, err)
	}
	if err := g.Draw(area, picture[1:]); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("too few pixels: %v", err)
	}
	if _, err := g.Capture(image.Rectangle{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("empty capture: %v", err)
	}
	if err := g.Fill(image.Rect(60, 40, 65, 45), uefi.Pixel{}); !errors.Is(err, uefi.ErrInvalidParameter) || !strings.Contains(err.Error(), "fill (60,40)-(65,45) of screen") {
		t.Errorf("off the screen: %v", err)
	}
}

func TestGraphicsOfLyingFirmware(t *testing.T) {
	fw := newFirmware(t)
	fw.AddDisplay(64, 48)
	screens, err := fw.System().GraphicsOutputs()
	if err != nil || len(screens) != 1 {
		t.Fatalf("screens %v, %v", screens, err)
	}
	honest := fw.Override("GOP.QueryMode", nil)
	for _, lie := range []func(size, info *uintptr){
		func(size, _ *uintptr) { *size = 4 },
		func(_, info *uintptr) {
			raw.At[raw.GraphicsOutputModeInformation](*info).HorizontalResolution = 1 << 30
		},
	} {
		fw.Override("GOP.QueryMode", func(args []uintptr) uefi.Status {
			status := honest(args)
			lie(raw.At[uintptr](args[2]), raw.At[uintptr](args[3]))
			return status
		})
		if modes, err := screens[0].Modes(); err == nil {
			t.Errorf("modes are %+v", modes)
		}
	}
}
