package fakefw

import (
	"slices"
	"strings"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Cell is one character on the screen with its colour.
type Cell struct {
	Rune rune
	Attr uefi.Attr
}

// Screen is what the console shows.
type Screen struct {
	Cols, Rows    int
	Cells         []Cell // row by row
	Col, Row      int    // of the cursor
	CursorVisible bool
}

// Cell is the character at a place; columns and rows count from 0.
func (s Screen) Cell(col, row int) Cell { return s.Cells[row*s.Cols+col] }

// Line is the text of a row without the blanks at its end.
func (s Screen) Line(row int) string {
	var b strings.Builder
	for _, c := range s.Cells[row*s.Cols : (row+1)*s.Cols] {
		b.WriteRune(c.Rune)
	}
	return strings.TrimRight(b.String(), " ")
}

// String is the text of the screen, without the empty rows at its end.
func (s Screen) String() string {
	var lines []string
	for row := range s.Rows {
		lines = append(lines, s.Line(row))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// console is the state behind the console protocols.
type console struct {
	screen     Screen
	transcript strings.Builder
	mode       *raw.SimpleTextOutputMode
}

// textModes are the sizes of the modes; mode 1 is missing, as it may be.
var textModes = []struct{ cols, rows int }{{80, 25}, {0, 0}, {100, 31}, {128, 40}}

// Screen is what the console shows now.
func (fw *Firmware) Screen() Screen {
	s := fw.console.screen
	m := fw.console.mode
	s.Cells = slices.Clone(s.Cells)
	s.Col, s.Row, s.CursorVisible = int(m.CursorColumn), int(m.CursorRow), m.CursorVisible != 0
	return s
}

// Transcript is all that was ever written to the console, with "\n" for "\r\n":
// what a serial line would have got, without the cursor's movements.
func (fw *Firmware) Transcript() string {
	return strings.ReplaceAll(fw.console.transcript.String(), "\r\n", "\n")
}

func (fw *Firmware) buildConsole() (conIn, conOut uintptr) {
	conIn, _ = place(fw, raw.SimpleTextInputProtocol{
		ReadKeyStroke: fw.register("ConIn.ReadKeyStroke", fw.readKeyStroke),
		WaitForKey:    keyEvent,
	})
	mode, p := place(fw, raw.SimpleTextOutputMode{MaxMode: int32(len(textModes)), Attribute: int32(uefi.LightGray)})
	fw.console.mode = p
	fw.setTextMode([]uintptr{0, 0})
	conOut, _ = place(fw, raw.SimpleTextOutputProtocol{
		OutputString:      fw.register("ConOut.OutputString", fw.outputString),
		QueryMode:         fw.register("ConOut.QueryMode", fw.queryTextMode),
		SetMode:           fw.register("ConOut.SetMode", fw.setTextMode),
		SetAttribute:      fw.register("ConOut.SetAttribute", fw.setAttribute),
		ClearScreen:       fw.register("ConOut.ClearScreen", fw.clearScreen),
		SetCursorPosition: fw.register("ConOut.SetCursorPosition", fw.setCursor),
		EnableCursor:      fw.register("ConOut.EnableCursor", fw.enableCursor),
		Mode:              mode,
	})
	return conIn, conOut
}

func (fw *Firmware) outputString(args []uintptr) uefi.Status {
	for addr := args[1]; ; addr += 2 {
		u := *raw.At[uint16](addr)
		if u == 0 {
			return uefi.Success
		}
		fw.console.transcript.WriteRune(rune(u))
		fw.console.put(rune(u))
	}
}

// put writes one character and moves the cursor, as UEFI 2.10 §12.4.3 has it.
func (c *console) put(r rune) {
	m := c.mode
	switch r {
	case '\r':
		m.CursorColumn = 0
		return
	case '\n':
		c.lineFeed()
		return
	case '\b':
		m.CursorColumn = max(0, m.CursorColumn-1)
		return
	}
	c.screen.Cells[int(m.CursorRow)*c.screen.Cols+int(m.CursorColumn)] = Cell{r, uefi.Attr(m.Attribute)}
	m.CursorColumn++
	if int(m.CursorColumn) == c.screen.Cols {
		m.CursorColumn = 0
		c.lineFeed()
	}
}

// lineFeed moves down, which on the last row scrolls the screen up.
func (c *console) lineFeed() {
	if int(c.mode.CursorRow) < c.screen.Rows-1 {
		c.mode.CursorRow++
		return
	}
	cells := c.screen.Cells
	copy(cells, cells[c.screen.Cols:])
	c.blank(cells[len(cells)-c.screen.Cols:])
}

func (c *console) blank(cells []Cell) {
	for i := range cells {
		cells[i] = Cell{' ', uefi.Attr(c.mode.Attribute)}
	}
}

func (fw *Firmware) queryTextMode(args []uintptr) uefi.Status {
	if args[1] >= uintptr(len(textModes)) || textModes[args[1]].cols == 0 {
		return uefi.ErrUnsupported
	}
	m := textModes[args[1]]
	*raw.At[uintptr](args[2]), *raw.At[uintptr](args[3]) = uintptr(m.cols), uintptr(m.rows)
	return uefi.Success
}

func (fw *Firmware) setTextMode(args []uintptr) uefi.Status {
	if args[1] >= uintptr(len(textModes)) || textModes[args[1]].cols == 0 {
		return uefi.ErrUnsupported
	}
	m := textModes[args[1]]
	fw.console.screen = Screen{Cols: m.cols, Rows: m.rows, Cells: make([]Cell, m.cols*m.rows)}
	fw.console.mode.Mode = int32(args[1])
	return fw.clearScreen(args)
}

func (fw *Firmware) setAttribute(args []uintptr) uefi.Status {
	if args[1] > 0x7f {
		return uefi.ErrUnsupported
	}
	fw.console.mode.Attribute = int32(args[1])
	return uefi.Success
}

func (fw *Firmware) clearScreen([]uintptr) uefi.Status {
	c := &fw.console
	c.blank(c.screen.Cells)
	c.mode.CursorColumn, c.mode.CursorRow = 0, 0
	return uefi.Success
}

func (fw *Firmware) setCursor(args []uintptr) uefi.Status {
	c := &fw.console
	if args[1] >= uintptr(c.screen.Cols) || args[2] >= uintptr(c.screen.Rows) {
		return uefi.ErrUnsupported
	}
	c.mode.CursorColumn, c.mode.CursorRow = int32(args[1]), int32(args[2])
	return uefi.Success
}

func (fw *Firmware) enableCursor(args []uintptr) uefi.Status {
	fw.console.mode.CursorVisible = uint8(args[1])
	return uefi.Success
}
