package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// console draws on the firmware's text console, which is the screen and the
// serial line alike, and reads keys from both. A console that does not work
// must not keep the machine from booting: drawing has no error that could be
// acted on, and there is nowhere else to show it.
type console struct {
	out   *uefi.TextOutput
	in    *uefi.TextInput
	cols  int
	rows  int
	shown []bootmenu.Line // what the menu's rows show now; nil when no menu is up

	journal *journal // which keeps every line
}

func openConsole(sys *uefi.System) *console {
	c := &console{out: sys.ConOut(), in: sys.ConIn(), cols: bootmenu.MinColumns, rows: bootmenu.MinRows, journal: newJournal()}
	if cols, rows, err := c.out.Size(); err == nil {
		c.cols, c.rows = cols, rows
	}
	return c
}

// say writes one line below whatever is on the console, and into the log.
func (c *console) say(text string) { c.keep(raylog.Info, text) }

// warn is say for what goes wrong.
func (c *console) warn(format string, args ...any) {
	c.keep(raylog.Warn, fmt.Sprintf(format, args...))
}

// emit writes a marker line.
func (c *console) emit(e markers.Emitter) {
	m, level := e.Marker(), raylog.Info
	if markers.Alarms(m) {
		level = raylog.Warn
	}
	c.keep(level, m.String())
}

func (c *console) keep(level raylog.Level, text string) {
	c.print(text)
	c.logged(c.journal.add(level, text))
}

// print writes one line that the log does not have.
func (c *console) print(text string) { _, _ = fmt.Fprintln(c.out, text) }

// logged says where the log ends.
func (c *console) logged(err error) {
	if err != nil {
		c.print(fmt.Sprintf("The log ends here, the boot goes on: %v", err))
	}
}

var attributes = map[bootmenu.Style]uefi.Attr{
	bootmenu.Plain:     uefi.LightGray.On(uefi.Black),
	bootmenu.Heading:   uefi.White.On(uefi.Black),
	bootmenu.Highlight: uefi.Black.On(uefi.LightGray),
	bootmenu.Dim:       uefi.Cyan.On(uefi.Black),
	bootmenu.Warning:   uefi.Yellow.On(uefi.Black),
}

// draw brings the menu to the console. Only rows that changed are written: a
// serial line is slow.
func (c *console) draw(s bootmenu.Screen) {
	if c.shown == nil {
		c.clear()
		c.shown = make([]bootmenu.Line, 0, len(s.Lines))
	}
	for row := range max(len(s.Lines), len(c.shown)) {
		var line bootmenu.Line
		if row < len(s.Lines) {
			line = s.Lines[row]
		}
		if row < len(c.shown) && c.shown[row] == line || row >= c.rows {
			continue
		}
		c.drawRow(row, line)
	}
	c.shown = append(c.shown[:0], s.Lines...)
	_ = c.out.SetAttribute(attributes[bootmenu.Plain])
	_ = c.out.EnableCursor(s.CursorRow >= 0)
	if s.CursorRow >= 0 && s.CursorRow < c.rows {
		_ = c.out.SetCursor(s.CursorColumn, s.CursorRow)
	}
}

func (c *console) drawRow(row int, line bootmenu.Line) {
	pad := max(0, c.cols-1-utf8.RuneCountInString(line.Text))
	_ = c.out.SetCursor(0, row)
	_ = c.out.SetAttribute(attributes[line.Style])
	_ = c.out.OutputString(line.Text + strings.Repeat(" ", pad))
}

// clear takes the menu away and leaves an empty console.
func (c *console) clear() {
	_ = c.out.SetAttribute(attributes[bootmenu.Plain])
	_ = c.out.Clear()
	c.shown = nil
}

// keyWaiting reports whether a key was pressed already, and takes it.
func (c *console) keyWaiting() bool {
	_, pressed, err := c.in.ReadKey()
	return pressed && err == nil
}

// forever lets WaitKey wait until there is a key.
const forever = -1

// wait waits for a key, while a countdown runs at most a second.
func (c *console) wait(sys *uefi.System, counting bool) bootmenu.Event {
	limit := time.Duration(forever)
	if counting {
		limit = time.Second
	}
	key, pressed, err := c.in.WaitKey(limit)
	switch {
	case err != nil: // no keyboard: the countdown still has to run
		_ = sys.Stall(time.Second)
		return bootmenu.Tick{}
	case pressed:
		return bootmenu.KeyPressed{Key: menuKey(key)}
	default:
		return bootmenu.Tick{}
	}
}

var scanCodes = map[uefi.ScanCode]bootmenu.Code{
	uefi.ScanUp: bootmenu.Up, uefi.ScanDown: bootmenu.Down, uefi.ScanLeft: bootmenu.Left, uefi.ScanRight: bootmenu.Right,
	uefi.ScanHome: bootmenu.Home, uefi.ScanEnd: bootmenu.End, uefi.ScanPageUp: bootmenu.PageUp, uefi.ScanPageDown: bootmenu.PageDown,
	uefi.ScanEscape: bootmenu.Escape, uefi.ScanDelete: bootmenu.Delete,
}

// menuKey translates a key of the firmware.
func menuKey(k uefi.Key) bootmenu.Key {
	if code, ok := scanCodes[k.Scan]; ok {
		return bootmenu.Key{Code: code}
	}
	switch {
	case k.Rune == uefi.KeyEnter || k.Rune == '\n':
		return bootmenu.Key{Code: bootmenu.Enter}
	case k.Rune == uefi.KeyBackspace || k.Rune == 0x7f:
		return bootmenu.Key{Code: bootmenu.Backspace}
	case k.Rune == 0x1b:
		return bootmenu.Key{Code: bootmenu.Escape}
	case k.Rune >= ' ':
		return bootmenu.Key{Code: bootmenu.Character, Rune: k.Rune}
	default:
		return bootmenu.Key{Code: bootmenu.Other}
	}
}
