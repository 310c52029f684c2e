package uefi

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Attr is the colour of text: the foreground in bits 0 to 3, the background in
// bits 4 to 6 (UEFI 2.10 §12.4.3).
type Attr uint8

// The colours. All of them are foregrounds, the first eight backgrounds too.
const (
	Black Attr = iota
	Blue
	Green
	Cyan
	Red
	Magenta
	Brown
	LightGray
	DarkGray
	LightBlue
	LightGreen
	LightCyan
	LightRed
	LightMagenta
	Yellow
	White
)

// On gives text of colour a the background bg, one of the first eight colours.
func (a Attr) On(bg Attr) Attr { return a&0x0f | bg&0x07<<4 }

// TextOutput is the console's screen and, where firmware redirects the console,
// the serial line (EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL, UEFI 2.10 §12.4). Without a
// console all methods say ErrUnsupported.
type TextOutput struct{ sys *System }

// ConOut is the console's output.
func (s *System) ConOut() *TextOutput { return &TextOutput{s} }

func (t *TextOutput) open() (uintptr, *raw.SimpleTextOutputProtocol, error) {
	this := t.sys.table.ConOut
	if this == 0 {
		return 0, nil, fmt.Errorf("open console output: %w", ErrUnsupported)
	}
	return this, raw.At[raw.SimpleTextOutputProtocol](this), nil
}

// OutputString writes s at the cursor. Line ends are the console's own, "\r\n".
// Characters beyond U+FFFF and null become U+FFFD; a glyph that the console
// cannot show is not an error.
func (t *TextOutput) OutputString(s string) error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.OutputString, gate.Word(this), gate.Slice(encodeUCS2(s))).Err(); err != nil {
		return fmt.Errorf("write to console: %w", err)
	}
	return nil
}

// Write writes UTF-8 with line ends "\n" as package fmt produces it. A character
// must not be split between two writes.
func (t *TextOutput) Write(b []byte) (int, error) {
	s := strings.ReplaceAll(string(b), "\r\n", "\n")
	if err := t.OutputString(strings.ReplaceAll(s, "\n", "\r\n")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Clear fills the screen with the background colour and moves the cursor to the
// upper left corner.
func (t *TextOutput) Clear() error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.ClearScreen, gate.Word(this)).Err(); err != nil {
		return fmt.Errorf("clear console: %w", err)
	}
	return nil
}

// SetCursor moves the cursor; columns and rows count from 0.
func (t *TextOutput) SetCursor(col, row int) error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.SetCursorPosition, gate.Word(this), gate.Word(col), gate.Word(row)).Err(); err != nil {
		return fmt.Errorf("move cursor to column %d, row %d: %w", col, row, err)
	}
	return nil
}

// Cursor is where the firmware says the cursor is.
func (t *TextOutput) Cursor() (col, row int, err error) {
	m, err := t.state()
	if err != nil {
		return 0, 0, fmt.Errorf("get cursor: %w", err)
	}
	return int(m.CursorColumn), int(m.CursorRow), nil
}

// SetAttribute sets the colour of what is written next.
func (t *TextOutput) SetAttribute(a Attr) error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.SetAttribute, gate.Word(this), gate.Word(a)).Err(); err != nil {
		return fmt.Errorf("set console attribute %#02x: %w", uint8(a), err)
	}
	return nil
}

// EnableCursor shows or hides the cursor. Consoles that cannot say
// ErrUnsupported.
func (t *TextOutput) EnableCursor(visible bool) error {
	this, p, err := t.open()
	if err != nil {
		return err
	}
	if err := t.sys.call(p.EnableCursor, gate.Word(this), gate.Bool(visible)).Err(); err != nil {
		return fmt.Errorf("enable cursor %t: %w", visible, err)
	}
	return nil
}
