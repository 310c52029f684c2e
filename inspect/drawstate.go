package inspect

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/sketch"
)

// lastEvents is how many events the drawing has.
const lastEvents = 5

// bootState draws both copies of the record, what it says, and how the entries
// stand.
func (d *drawing) bootState(b *BootState) {
	d.line("")
	d.line("Boot state (%s):", esp.BootStatePath)
	if b.Error != "" {
		d.wrapped(2, 2, b.Error)
		return
	}
	for _, c := range b.Copies {
		d.wrapped(2, 4, fmt.Sprintf("copy %s at byte %d: %s", c.Name, c.OffsetBytes, c.word()))
	}
	status := b.Status
	if len(b.Copies) > 0 {
		status.Problem = "" // the copies say it
	}
	d.answer(2, status.Print)
	for _, e := range b.Entries {
		if state := e.State(); state != "" {
			d.wrapped(2, 4, fmt.Sprintf("%s: %s", e.ID, state))
		}
	}
	events := b.Record.Events
	if len(events) == 0 {
		return
	}
	if older := len(events) - lastEvents; older > 0 {
		d.line("  What happened last (%d older events: rayimg recovery status):", older)
		events = events[older:]
	} else {
		d.line("  What happened:")
	}
	d.answer(4, func(out io.Writer) error { return control.PrintEvents(out, events) })
}

// word says in a word how a copy stands.
func (c Copy) word() string {
	switch {
	case c.err != nil:
		return "cannot be used: " + c.Problem
	case c.InUse:
		return fmt.Sprintf("sequence %d, in use", c.Sequence)
	}
	return fmt.Sprintf("sequence %d, written next", c.Sequence)
}

// golden draws the golden snapshots in the order in which they are tried.
func (d *drawing) golden(g *Golden) {
	d.line("")
	d.line("Golden snapshots (%s): %d of at most %d, tried in this order", golden.Dir, len(g.Snapshots), golden.MaxSnapshots)
	for _, s := range g.Snapshots {
		date := "no date"
		if s.Made != nil {
			date = s.Made.Format("2006-01-02 15:04")
		}
		d.line("  %s  %s  %s  %s  %s", bootmenu.ShortID(s.Snapshot.ID()), sketch.Fit(s.State.String(), 9), sketch.Fit(date, 16), sketch.Fit(sketch.Bytes(s.Bytes), 9), s.word(g.Key != ""))
		about := fmt.Sprintf("%s, of entry %s", cmp.Or(s.Title, "without a title"), cmp.Or(s.Entry, "unknown"))
		if place := s.place(); place != "" {
			about += "; " + place
		}
		d.wrapped(4, 4, about)
		if s.Problem != "" {
			d.wrapped(4, 4, s.Problem)
		}
	}
	for _, problem := range g.Problems {
		d.wrapped(2, 4, problem)
	}
	if g.Key != "" {
		d.wrapped(2, 4, "The boot manager wants them to be signed with the key "+g.Key)
	}
}

// word says in a word how a snapshot stands.
func (s Snapshot) word(signed bool) string {
	switch {
	case s.Problem != "":
		return "cannot be used"
	case signed:
		return "whole and signed"
	}
	return "whole"
}

// answer draws behind a margin what another command of rayimg would print.
func (d *drawing) answer(margin int, write func(io.Writer) error) {
	var text strings.Builder
	if err := write(&text); err != nil {
		d.wrapped(margin, margin, err.Error())
		return
	}
	for line := range strings.Lines(text.String()) {
		line = strings.Repeat(" ", margin) + strings.TrimSuffix(line, "\n")
		width := utf8.RuneCountInString(line)
		if width <= sketch.Width {
			d.line("%s", line)
			continue
		}
		_, value, _ := strings.Cut(line[margin:], "  ")
		value = strings.TrimLeft(value, " ")
		column := width - utf8.RuneCountInString(value)
		d.hanging(line[:len(line)-len(value)], column, value)
	}
}

// wrapped writes a text behind a margin. What does not fit goes on below, behind
// another one.
func (d *drawing) wrapped(margin, below int, text string) {
	d.hanging(strings.Repeat(" ", margin), below, text)
}

// hanging is wrapped for a line that has begun. A word that is too long for a line
// is cut.
func (d *drawing) hanging(line string, below int, text string) {
	begun := false
	next := func() {
		d.line("%s", line)
		line, begun = strings.Repeat(" ", below), false
	}
	for word := range strings.FieldsSeq(sketch.Printable(text)) {
		if begun && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > sketch.Width {
			next()
		}
		if begun {
			line += " "
		}
		letters := []rune(word)
		for room := max(1, sketch.Width-utf8.RuneCountInString(line)); len(letters) > room; room = sketch.Width - below {
			line += string(letters[:room])
			letters = letters[room:]
			next()
		}
		line, begun = line+string(letters), true
	}
	d.line("%s", line)
}
