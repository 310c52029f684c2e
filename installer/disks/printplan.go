package disks

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

// PrintPlan shows a disk, and its partitions as they are and as they will be. Where colour
// is set, it has ANSI colours.
func PrintPlan(w io.Writer, p plan.Plan, colour bool) error {
	var b bytes.Buffer
	heading(&b)
	details(&b, p.Disk)
	draw := func(title string, parts []gpt.Partition) {
		fmt.Fprintf(&b, "\n%s:\n", title)
		for _, line := range sketch.Bar(gpt.Table{Geometry: p.Geometry(), Partitions: parts}, colour) {
			b.WriteString(line + "\n")
		}
	}
	if now := partitions(p.Disk); len(now) > 0 {
		draw("Now", now)
	}
	draw("Afterwards", p.After)
	for _, line := range sketch.List(gpt.Table{Geometry: p.Geometry(), Partitions: p.After}) {
		b.WriteString(line + "\n")
	}
	switch {
	case len(p.Kept) > 0:
		wrap(&b, "", fmt.Sprintf("Kept as they are: partitions %s.", numbers(p.Kept)))
	case !p.Disk.Content.Empty():
		wrap(&b, "", "All that lies on the disk now will be lost.")
	}
	for _, note := range p.Notes {
		wrap(&b, "", "Note: "+note+".")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// partitions are those that lie on a disk now, of whatever table.
func partitions(d plan.Disk) (list []gpt.Partition) {
	for _, p := range d.Content.Partitions {
		inside := slices.ContainsFunc(d.Content.Partitions, func(o signature.Partition) bool {
			return o.Number != p.Number && o.StartBytes > p.StartBytes && o.StartBytes < p.StartBytes+p.SizeBytes
		})
		if !inside { // what others lie in is an extended one
			list = append(list, gpt.Partition{Number: p.Number, Name: title(p), StartBytes: p.StartBytes, SizeBytes: p.SizeBytes})
		}
	}
	return list
}

func numbers(list []int) string {
	text := ""
	for i, n := range list {
		switch {
		case i > 0 && i == len(list)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text
}
