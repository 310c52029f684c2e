package disks

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

// maxShown bounds the partitions that are shown of one disk; JSON has all.
const maxShown = 8

// Print shows a list on a terminal of at least 80 columns. options has it name the options of
// a command without which a disk is not written; a dialog asks instead.
func Print(w io.Writer, l List, options bool) error {
	var b bytes.Buffer
	if len(l.Disks) == 0 {
		b.WriteString("There is no disk.\n")
	} else {
		heading(&b)
	}
	for _, d := range l.Disks {
		details(&b, d)
		refusals(&b, d, options)
	}
	if n := len(l.More); n > 0 {
		wrap(&b, "", fmt.Sprintf("At most %d disks are listed. There are %d more: %s. Each of them can be named, too.", plan.MaxDisks, n, strings.Join(l.More, ", ")))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func heading(b *bytes.Buffer) { columns(b, "NAME", "BUS", "SIZE", "MODEL", "SERIAL") }

func columns(b *bytes.Buffer, texts ...string) {
	var line string
	for i, width := range []int{11, 7, 9, 23, 25} {
		line += sketch.Fit(texts[i], width) + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// details says what lies on a disk.
func details(b *bytes.Buffer, d plan.Disk) {
	c := d.Content
	columns(b, d.Name, string(d.Transport), sketch.Bytes(d.SizeBytes), strings.TrimSpace(d.Vendor+" "+d.Model), d.Serial)
	wrap(b, "  ", d.Holds())
	for i, p := range c.Partitions {
		if i == maxShown {
			wrap(b, "  ", fmt.Sprintf("... and %d more", len(c.Partitions)-i+c.More))
			break
		}
		line := fmt.Sprintf("  %3d  %s %9s  %s", p.Number, sketch.Fit(title(p), 28), sketch.Bytes(p.SizeBytes), content(p))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, damage := range c.Damage {
		wrap(b, "  ", damage)
	}
}

// refusals says what speaks against writing a disk. With what nobody can allow it does not
// matter what else somebody can.
func refusals(b *bytes.Buffer, d plan.Disk, options bool) {
	var names []string
	for _, r := range d.Refusals(plan.Consent{}, nil) {
		switch {
		case r.Code == plan.RefusedUnreadable: // said above
		case r.Consent == "":
			wrap(b, "  ", "not written: "+r.Text)
			options = false
		case options:
			names = append(names, r.Consent)
		}
	}
	if options && len(names) > 0 {
		wrap(b, "  ", "written only with "+strings.Join(names, " "))
	}
}

// title is the name of a partition, or its type.
func title(p signature.Partition) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Type
}

func content(p signature.Partition) string {
	if p.Label == "" {
		return p.FileSystem
	}
	return fmt.Sprintf("%s \"%s\"", p.FileSystem, strings.TrimRight(sketch.Fit(p.Label, 16), " "))
}

// wrap writes a text behind a margin. What does not fit goes on below; of a word that is
// too long for a line the end is left out.
func wrap(b *bytes.Buffer, margin, text string) {
	const indent = "  "
	line := margin
	for word := range strings.FieldsSeq(sketch.OneLine(text)) {
		if room := sketch.Width - len(margin+indent); utf8.RuneCountInString(word) > room {
			word = sketch.Fit(word, room)
		}
		if utf8.RuneCountInString(line)+utf8.RuneCountInString(word) > sketch.Width && strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = margin + indent
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
