package timeline

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// drawWidth is the width of the drawing in columns.
const drawWidth = 78

// The colours of terminals.
const (
	red    = 31
	green  = 32
	yellow = 33
)

// segmentColours are those of the stages, in order.
var segmentColours = [...]int{34, 33, 35, 36, 32, 93}

// outcomeColours are those of the outcomes; the others have none.
var outcomeColours = map[Outcome]int{Good: green, Recovered: green, Failed: red, Stopped: red, Ended: yellow, Unknown: yellow}

// Draw shows a timeline on a terminal of at least 80 columns; colour says whether
// it knows ANSI colours.
func Draw(w io.Writer, t Timeline, colour bool) error {
	d := &drawing{colour: colour, scale: scaleMS(t.Boots)}
	d.spare = drawWidth
	for _, b := range t.Boots {
		d.spare = min(d.spare, drawWidth-narrowest(b))
	}
	d.b.WriteString(strings.Join(wrap(t.heading(), drawWidth), "\n") + "\n")
	for i, b := range t.Boots {
		d.b.WriteByte('\n')
		if i > 0 && b.recovers(&t.Boots[i-1]) {
			d.b.WriteString("    │\n    └─> recovery\n")
		}
		d.boot(b)
	}
	_, err := w.Write(d.b.Bytes())
	return err
}

func (t *Timeline) heading() string {
	switch n := len(t.Boots); {
	case t.Total == 0:
		return t.Log + ": no boot is in the log"
	case n == t.Total && n == 1:
		return t.Log + ": the one boot that is in the log"
	case n == t.Total:
		return fmt.Sprintf("%s: the %d boots that are in the log, the newest last", t.Log, n)
	default:
		return fmt.Sprintf("%s: the last %d of %d boots that are in the log, the newest last", t.Log, n, t.Total)
	}
}

type drawing struct {
	b      bytes.Buffer
	colour bool
	scale  int64 // milliseconds that take spare columns
	spare  int   // columns of a bar besides those that its labels need
}

func (d *drawing) paint(colour int, text string) string {
	if !d.colour || colour == 0 {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

// marks stand in front of events.
var marks = map[mark]struct {
	text   string
	colour int
}{failing: {"╳", red}, recovering: {">", green}, telling: {"-", yellow}}

func (d *drawing) boot(b Boot) {
	words := b.Words()
	left := fmt.Sprintf("boot %d  ", b.Number)
	if b.Wall != nil {
		left += b.Wall.Format(time.DateTime) + " UTC  "
	}
	left += b.what()
	d.b.WriteString(fit(left, drawWidth-1-utf8.RuneCountInString(words)) + " " + d.paint(outcomeColours[b.Outcome], words) + "\n")
	d.bar(b)
	for _, e := range b.Events {
		mark := marks[e.mark()]
		d.hanging("  "+mark.text+" ", mark.colour, e.when()+e.Text)
	}
	for _, p := range b.Problems {
		d.hanging("  "+p.Level.String()+" ", red, fmt.Sprintf("%s: %s", p.Source, p.Message))
	}
	if b.MoreProblems > 0 {
		d.hanging("  ", 0, fmt.Sprintf("and %d more errors", b.MoreProblems))
	}
	d.hanging("  ", 0, b.aside())
}

// when is the time of an event in front of its text, where the system's clock knows
// it.
func (e *Event) when() string {
	if e.Firmware || e.UptimeMS < 0 {
		return ""
	}
	return span(e.UptimeMS) + ": "
}

// hanging writes a text behind its mark, and below it what does not fit.
func (d *drawing) hanging(mark string, colour int, text string) {
	mark = printable(mark)
	width := utf8.RuneCountInString(mark)
	for i, line := range wrap(text, drawWidth-width) {
		if i > 0 {
			mark, colour = strings.Repeat(" ", width), 0
		}
		d.b.WriteString(d.paint(colour, mark) + line + "\n")
	}
}

// cell is a segment of a bar.
type cell struct {
	name, time    string
	width, colour int
	edge          string // above and below it
	end           string // right of it
}

// cells are the segments of a boot, as narrow as their labels allow.
func cells(b Boot) (all []cell) {
	for _, s := range b.Segments {
		c := cell{name: s.label(b.Outcome), time: span(s.TimeMS), edge: "─", end: "│"}
		c.width = max(utf8.RuneCountInString(c.name), utf8.RuneCountInString(c.time))
		if i := slices.Index(Stages(), s.Stage); i >= 0 {
			c.colour = segmentColours[i]
		}
		if !s.Reached {
			c.edge = "╌"
			if b.Outcome == Failed {
				c.colour = red
			}
		}
		all = append(all, c)
	}
	if len(all) > 0 && b.Outcome == Failed {
		all[len(all)-1].end = "╳"
	}
	return all
}

// narrowest is the least width of a boot's bar in columns.
func narrowest(b Boot) int {
	width := 1
	for _, c := range cells(b) {
		width += c.width + 1
	}
	return width
}

// bar draws the segments to a scale that all boots have, but that none is narrower
// than its label.
func (d *drawing) bar(b Boot) {
	all := cells(b)
	if len(all) == 0 {
		return
	}
	for i, s := range b.Segments {
		ms, _ := s.drawnMS()
		all[i].width += int(int64(max(d.spare, 0)) * ms / d.scale)
	}
	d.edge(all, "┌", "┬", "┐")
	d.row(all, func(c cell) string { return c.name })
	d.row(all, func(c cell) string { return c.time })
	d.edge(all, "└", "┴", "┘")
}

func (d *drawing) edge(all []cell, left, cross, right string) {
	d.b.WriteString(left)
	for i, c := range all {
		if i > 0 {
			d.b.WriteString(cross)
		}
		d.b.WriteString(strings.Repeat(c.edge, c.width))
	}
	d.b.WriteString(right + "\n")
}

func (d *drawing) row(all []cell, text func(cell) string) {
	d.b.WriteString("│")
	for _, c := range all {
		d.b.WriteString(d.paint(c.colour, fit(text(c), c.width)) + c.end)
	}
	d.b.WriteString("\n")
}
