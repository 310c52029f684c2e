package bootmenu

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/bootmenu/record"
)

// Style is how a line of the screen is drawn.
type Style uint8

// The styles. An adapter without colours draws them all alike: nothing is told
// by style alone.
const (
	Plain Style = iota
	Heading
	Highlight
	Dim
	Warning
)

// Line is one row of the screen.
type Line struct {
	Text  string
	Style Style
}

// Screen is what is shown: at most as many lines as there are rows, each
// shorter than a row, so that no console wraps.
type Screen struct {
	Lines []Line
	// CursorColumn and CursorRow place the text cursor while a command line is
	// edited; both are -1 when it is hidden.
	CursorColumn, CursorRow int
}

// The least screen that is drawn on: the text mode every UEFI console has
// (UEFI 2.10 §12.4).
const (
	MinColumns = 80
	MinRows    = 25
)

// Rows that are not entries: heading, blank, details (2), status (3), help (2);
// where there is room, a blank stands before details and status.
const (
	rowsAroundEntries = 9
	rowsOfBlanks      = 2
)

// Screen draws the menu on cols x rows characters. Smaller screens are drawn
// as if they were MinColumns x MinRows.
func (s State) Screen(cols, rows int) Screen {
	cols, rows = max(cols, MinColumns), max(rows, MinRows)
	d := drawing{width: cols - 1, screen: Screen{CursorColumn: -1, CursorRow: -1}}
	d.add(Heading, " %s", s.config.Heading)
	d.add(Plain, "")
	if s.editor != nil {
		d.editor(s.entries[s.cursor].Title, s.editor)
		return d.screen
	}
	airy := len(s.entries)+rowsAroundEntries+rowsOfBlanks <= rows
	d.entries(s, rows-rowsAroundEntries)
	if airy {
		d.add(Plain, "")
	}
	d.details(s)
	if airy {
		d.add(Plain, "")
	}
	d.status(s)
	d.help(s)
	return d.screen
}

type drawing struct {
	width  int
	screen Screen
}

func (d *drawing) add(style Style, format string, args ...any) {
	d.screen.Lines = append(d.screen.Lines, Line{clip(fmt.Sprintf(format, args...), d.width), style})
}

// clip cuts text to width characters and shows that it did.
func clip(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:width-3]) + "..."
}

// entries draws the part of the list around the cursor that fits.
func (d *drawing) entries(s State, room int) {
	if len(s.entries) == 0 {
		d.add(Warning, "   There is no boot entry on this disk.")
		return
	}
	top := max(0, min(s.cursor-room/2, len(s.entries)-room))
	defaultIndex := s.find(s.config.Default)
	for i := top; i < min(top+room, len(s.entries)); i++ {
		d.entry(i, s.entries[i], i == s.cursor, s.tags(i, defaultIndex))
	}
}

// tags say what is special about an entry.
func (s *State) tags(index, defaultIndex int) []string {
	e := &s.entries[index]
	var tags []string
	if index == defaultIndex {
		tags = append(tags, "default")
	}
	if e.Bad {
		tags = append(tags, "no tries left")
	}
	item := s.record.Find(record.Key(e.ID))
	switch {
	case item != nil && item.Disabled:
		tags = append(tags, "disabled")
	case e.problem != "":
		tags = append(tags, "did not start")
	case item != nil:
		tags = append(tags, fmt.Sprintf("failed %d/%d", item.Failures, EntryLimit))
	}
	return tags
}

func (d *drawing) entry(index int, e Entry, highlighted bool, tags []string) {
	mark, style := ' ', Plain
	if highlighted {
		mark, style = '>', Highlight
	}
	title := e.Title
	if e.Version != "" {
		title += " " + e.Version
	}
	d.add(style, " %c %2d  %-50s %s", mark, index+1, clip(title, 50), strings.Join(tags, ", "))
}

// details tells of the highlighted entry what it is made of.
func (d *drawing) details(s State) {
	if len(s.entries) == 0 {
		d.add(Plain, "")
		d.add(Plain, "")
		return
	}
	e := s.entries[s.cursor]
	d.add(Dim, "   %s: %s%s", e.ID, s.lastFailure(&e), e.Source)
	d.add(Dim, "   %s", e.Options)
}

// lastFailure says what the record remembers of an entry.
func (s *State) lastFailure(e *Entry) string {
	item := s.record.Find(record.Key(e.ID))
	if item == nil || item.Failures == 0 {
		return ""
	}
	return fmt.Sprintf("failed %d/%d, last %s at %s; ", item.Failures, EntryLimit, item.Cause, item.Stage)
}

func (d *drawing) status(s State) {
	if s.notice != "" {
		d.notice(s.notice)
	} else {
		d.add(Plain, "")
	}
	switch {
	case s.countdown != noCountdown:
		d.add(Plain, " %s starts in %d s. Any key stops the countdown.", s.entries[s.cursor].Title, s.countdown)
	default:
		d.add(Plain, " Waiting for your choice.")
	}
}

// notice wraps a warning over two lines if it must.
func (d *drawing) notice(text string) {
	head, rest := wrap(text, d.width-2)
	d.add(Warning, " %s", head)
	if rest != "" {
		d.add(Warning, " %s", rest)
	}
}

// wrap splits text at the last space that lets the head fit.
func wrap(text string, width int) (head, rest string) {
	runes := []rune(text)
	if len(runes) <= width {
		return text, ""
	}
	cut := strings.LastIndexByte(string(runes[:width]), ' ')
	if cut <= 0 {
		return string(runes[:width]), string(runes[width:])
	}
	return text[:cut], text[cut+1:]
}

func (d *drawing) help(s State) {
	line := " Enter start  Up/Down, j/k or 1-9 choose"
	if s.config.Editor {
		line += "  e edit command line"
	}
	d.add(Dim, "%s", line)
	line = " d make default  r recovery"
	if s.config.Setup {
		line += "  f firmware setup"
	}
	d.add(Dim, "%s", line+"  p power off")
}

// editor draws the command line, wrapped, with the text cursor in it.
func (d *drawing) editor(title string, e *editor) {
	d.add(Plain, " Command line of %s, for this boot only:", title)
	d.add(Plain, "")
	width := d.width - 4
	top := len(d.screen.Lines)
	for rest := e.text; ; rest = rest[width:] {
		d.add(Highlight, "   %s", string(rest[:min(width, len(rest))]))
		if len(rest) < width {
			break
		}
	}
	d.screen.CursorColumn = 3 + e.cursor%width
	d.screen.CursorRow = top + e.cursor/width
	d.add(Plain, "")
	d.add(Dim, " Enter start with this command line  Esc back to the menu without a change")
}
