package uefi_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

func TestTextOutput(t *testing.T) {
	fw := newFirmware(t)
	out := fw.System().ConOut()
	title := uefi.White.On(uefi.Blue)
	for _, err := range []error{
		out.SetAttribute(title), out.OutputString("RayOS\r\n"), out.SetAttribute(uefi.LightGray),
		out.SetCursor(2, 3), out.OutputString("► Grüße 世界"), out.EnableCursor(true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := fmt.Fprintf(out, "\nnext\r\nline"); n != 11 || err != nil {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	s := fw.Screen()
	if want := "RayOS\n\n\n  ► Grüße 世界\nnext\nline"; s.String() != want {
		t.Errorf("screen is\n%s\nwant\n%s", s, want)
	}
	if c := s.Cell(4, 0); c != (fakefw.Cell{Rune: 'S', Attr: title}) || title != 0x1f {
		t.Errorf("cell is %+v", c)
	}
	if !s.CursorVisible || s.Col != 4 || s.Row != 5 {
		t.Errorf("cursor at %d, %d, visible %t", s.Col, s.Row, s.CursorVisible)
	}
	if col, row, err := out.Cursor(); col != 4 || row != 5 || err != nil {
		t.Errorf("cursor at %d, %d, %v", col, row, err)
	}
	if err := out.Clear(); err != nil || fw.Screen().String() != "" {
		t.Errorf("after clearing: %q, %v", fw.Screen(), err)
	}
	if err := out.SetCursor(80, 0); !errors.Is(err, uefi.ErrUnsupported) || !strings.Contains(err.Error(), "move cursor to column 80, row 0") {
		t.Errorf("cursor off the screen: %v", err)
	}
}

func TestTextOutputForeignCharacters(t *testing.T) {
	fw := newFirmware(t)
	if err := fw.System().ConOut().OutputString("a\x00b🚀c\xffd"); err != nil {
		t.Fatal(err)
	}
	if want := "a\ufffdb\ufffdc\ufffdd"; fw.Screen().String() != want {
		t.Errorf("screen is %q, want %q", fw.Screen(), want)
	}
}

func TestTextOutputUnknownGlyphIsNoError(t *testing.T) {
	fw := newFirmware(t)
	fw.Override("ConOut.OutputString", func([]uintptr) uefi.Status { return uefi.WarnUnknownGlyph })
	if err := fw.System().ConOut().OutputString("☃"); err != nil {
		t.Error(err)
	}
}

func TestTextModes(t *testing.T) {
	fw := newFirmware(t)
	out := fw.System().ConOut()
	modes, err := out.Modes()
	if want := "[{0 80 25} {2 100 31} {3 128 40}]"; err != nil || fmt.Sprint(modes) != want {
		t.Errorf("modes are %v, %v; want %s", modes, err, want)
	}
	if err := out.SetMode(2); err != nil {
		t.Fatal(err)
	}
	if cols, rows, err := out.Size(); cols != 100 || rows != 31 || err != nil {
		t.Errorf("size is %d by %d, %v", cols, rows, err)
	}
	if err := out.SetMode(1); !errors.Is(err, uefi.ErrUnsupported) {
		t.Errorf("mode 1: %v", err)
	}
	fw.Override("ConOut.QueryMode", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[2]), *raw.At[uintptr](args[3]) = 0, 1<<40
		return uefi.Success
	})
	if _, _, err := out.Size(); err == nil || !strings.Contains(err.Error(), "claims 0 columns") {
		t.Errorf("senseless size: %v", err)
	}
}

func TestReadKey(t *testing.T) {
	fw := newFirmware(t)
	in := fw.System().ConIn()
	fw.Type("j\r")
	fw.Press(uefi.ScanUp)
	for _, want := range []uefi.Key{{Rune: 'j'}, {Rune: uefi.KeyEnter}, {Scan: uefi.ScanUp}} {
		if k, ok, err := in.ReadKey(); k != want || !ok || err != nil {
			t.Errorf("key is %+v, %t, %v; want %+v", k, ok, err, want)
		}
	}
	if k, ok, err := in.ReadKey(); ok || err != nil {
		t.Errorf("without a key: %+v, %v", k, err)
	}
	fw.Type("abc")
	if err := in.Drain(); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := in.ReadKey(); ok {
		t.Error("a key is left after draining")
	}
}

func TestWaitKey(t *testing.T) {
	fw := newFirmware(t)
	in := fw.System().ConIn()
	fw.TypeAfter(1500*time.Millisecond, "x")
	fw.TypeAfter(time.Hour, "y")
	for _, c := range []struct {
		timeout time.Duration
		key     rune // 0 for none
		now     time.Duration
	}{
		{0, 0, 0},
		{time.Second, 0, time.Second},
		{time.Second, 'x', 1500 * time.Millisecond},
		{0, 0, 1500 * time.Millisecond},
		{-1, 'y', time.Hour},
		{10, 0, time.Hour + 100}, // rounded up to the clock's 100 ns
	} {
		k, ok, err := in.WaitKey(c.timeout)
		if k.Rune != c.key || ok != (c.key != 0) || err != nil || fw.Now() != c.now {
			t.Errorf("waiting %v: key %q, %t, %v at %v; want %q at %v", c.timeout, k.Rune, ok, err, fw.Now(), c.key, c.now)
		}
	}
}

// TestWaitKeyEndsWithoutKeys has a console whose event fires although there is
// never a key, as for a Shift key alone.
func TestWaitKeyEndsWithoutKeys(t *testing.T) {
	fw := newFirmware(t)
	fw.Type("x")
	fw.Override("ConIn.ReadKeyStroke", func([]uintptr) uefi.Status { return uefi.ErrNotReady })
	if k, ok, err := fw.System().ConIn().WaitKey(time.Second); ok || err != nil {
		t.Errorf("got %+v, %v", k, err)
	}
}

func TestDrainEnds(t *testing.T) {
	fw := newFirmware(t)
	fw.Override("ConIn.ReadKeyStroke", func(args []uintptr) uefi.Status {
		*raw.At[raw.InputKey](args[1]) = raw.InputKey{UnicodeChar: 'x'}
		return uefi.Success
	})
	if err := fw.System().ConIn().Drain(); err == nil {
		t.Error("a keyboard that never stops was drained")
	}
}
