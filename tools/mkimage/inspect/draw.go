package inspect

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// drawWidth is the width of the drawing in columns.
const drawWidth = 78

// maxTreeLines bounds the drawing of the ESP's files.
const maxTreeLines = 200

func byStart(parts []gpt.Partition) []gpt.Partition {
	return slices.SortedStableFunc(slices.Values(parts), func(a, b gpt.Partition) int { return cmp.Compare(a.StartBytes, b.StartBytes) })
}

// Draw shows a report on a terminal of at least 80 columns; colour says whether
// it knows ANSI colours.
func Draw(w io.Writer, r Report, colour bool) error {
	d := &drawing{colour: colour}
	d.line("%s: %s disk, sectors of %d bytes, %s on the host", r.Path, Bytes(r.Table.DiskBytes), r.Table.SectorSize, Bytes(r.AllocatedBytes))
	d.line("disk ID %s", r.Table.DiskID)
	if r.Table.FromBackup {
		d.line("The primary partition table is damaged; this is the backup.")
	}
	d.line("")
	d.bar(r.Table)
	d.table(r.Table)
	if r.ESP != nil {
		d.esp(r.ESP)
	}
	if r.Slots != nil {
		d.slots(r.Slots)
	}
	if r.BootState != nil {
		d.bootState(r.BootState)
	}
	if r.Golden != nil {
		d.golden(r.Golden)
	}
	_, err := w.Write(d.b.Bytes())
	return err
}

type drawing struct {
	b      bytes.Buffer
	colour bool
}

func (d *drawing) line(format string, args ...any) {
	d.b.WriteString(strings.TrimRight(Printable(fmt.Sprintf(format, args...)), " ") + "\n")
}

// paint colours text as the piece of that number.
func (d *drawing) paint(p piece, text string) string {
	if !d.colour || p.partition == nil {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", 31+(p.partition.Number+2)%6, text)
}

// bar draws the disk to scale, as far as a label of every piece can still be
// read.
func (d *drawing) bar(t gpt.Table) {
	list := pieces(t)
	widths := barWidths(list, drawWidth-1-len(list))
	if widths == nil {
		d.line("(too many partitions to draw)")
		return
	}
	edge := func(left, cross, right string) {
		var cells []string
		for _, width := range widths {
			cells = append(cells, strings.Repeat("─", width))
		}
		d.b.WriteString(left + strings.Join(cells, cross) + right + "\n")
	}
	row := func(text func(piece) string) {
		for i, p := range list {
			d.b.WriteString("│" + d.paint(p, fit(text(p), widths[i])))
		}
		d.b.WriteString("│\n")
	}
	edge("┌", "┬", "┐")
	row(func(p piece) string {
		if p.partition == nil {
			return ""
		}
		return fmt.Sprint(p.partition.Number)
	})
	row(piece.name)
	row(func(p piece) string { return Bytes(p.size) })
	edge("└", "┴", "┘")
}

// barWidths shares total columns among the pieces, each at least minBar wide.
// It returns nil where they have no room.
func barWidths(list []piece, total int) []int {
	const minBar = 8
	spare := total - minBar*len(list)
	if spare < 0 || len(list) == 0 {
		return nil
	}
	var sum int64
	for _, p := range list {
		sum += p.size >> 20
	}
	widths, left := make([]int, len(list)), spare
	for i, p := range list {
		extra := int(float64(spare) * float64(p.size>>20) / float64(max(sum, 1)))
		widths[i] = minBar + extra
		left -= extra
	}
	widths[len(widths)-1] += max(left, 0)
	return widths
}

// table lists the partitions.
func (d *drawing) table(t gpt.Table) {
	d.line("")
	d.line("%3s  %s %11s %10s  %s", "#", fit("Name", 14), "Start LBA", "Size", "PARTUUID")
	for _, p := range byStart(t.Partitions) {
		d.line("%3d  %s %11d %10s  %s", p.Number, fit(p.Name, 14), p.StartBytes/int64(t.SectorSize), Bytes(p.SizeBytes), p.ID)
		if name := gpt.TypeName(p.Type); name != p.Name {
			d.line("     type %s", name)
		}
	}
}

func (d *drawing) esp(e *ESP) {
	v := e.Volume
	d.line("")
	if v.ClusterBytes == 0 {
		d.line("ESP (partition %d): %s", e.Partition, e.Error)
		return
	}
	d.line("ESP (partition %d): FAT32 %s, serial %04X-%04X, %s of %s used", e.Partition, v.Label, v.Serial>>16, v.Serial&0xffff,
		Bytes(e.Usage.UsedClusters*e.Usage.ClusterBytes), Bytes(e.Usage.Clusters*e.Usage.ClusterBytes))
	d.tree(e)
	if e.Error != "" {
		d.line("%s", e.Error)
	}
	d.line("")
	d.line("Boot entries of the ESP: %d", len(e.Entries))
	if len(e.Entries) > 0 {
		d.line("  %s %s %s %s %s", fit("ID", 14), fit("KIND", 4), fit("TITLE", 18), fit("PINNED", 6), "IMAGE")
	}
	for _, entry := range e.Entries {
		d.line("  %s %s %s %s %s", fit(entry.ID, 14), fit(entry.Kind, 4), fit(entry.Title, 18), fit(entry.Pins.word(len(entry.Initrd) > 0), 6), fit("/"+entry.Image, 33))
	}
}

// tree draws the files, which are in the order of a walk.
func (d *drawing) tree(e *ESP) {
	last := lastInDirectory(e.Files)
	for i, f := range e.Files {
		if i == maxTreeLines {
			d.line("  … and %d more", len(e.Files)-i)
			break
		}
		indent, depth := "", strings.Count(f.Path, "/")
		for at := 1; at <= depth; at++ {
			if last[prefix(f.Path, at)] {
				indent += "   "
			} else {
				indent += "│  "
			}
		}
		branch := "├─ "
		if last[f.Path] {
			branch = "└─ "
		}
		name := indent + branch + path.Base(f.Path)
		if f.Dir {
			d.line("  %s", fit(name, 64))
		} else {
			d.line("  %s %10s", fit(name, 64), Bytes(f.Bytes))
		}
	}
	if e.More {
		d.line("  … and more than %d files", maxFiles)
	}
}

// lastInDirectory marks the paths that no other follows in their directory.
func lastInDirectory(files []File) map[string]bool {
	last, seen := map[string]bool{}, map[string]bool{}
	for _, f := range slices.Backward(files) {
		if dir := path.Dir(f.Path); !seen[dir] {
			seen[dir] = true
			last[f.Path] = true
		}
	}
	return last
}

// prefix returns the first n elements of a path.
func prefix(p string, n int) string {
	return strings.Join(strings.Split(p, "/")[:n], "/")
}

func (d *drawing) slots(s *Slots) {
	d.line("")
	if s.Error != "" {
		d.line("Kernel slots (partition %d): %s", s.Partition, s.Error)
		return
	}
	d.line("Kernel slots (partition %d): %d of %d used, table sequence %d", s.Partition, len(s.Table.Slots), slots.MaxSlots, s.Table.Sequence)
	for _, slot := range s.Table.Slots {
		d.line("  %2d  %s %s", slot.Index, fit(slot.ID, 16), fit(slot.Title, 50))
		for _, m := range []struct {
			what  string
			image slots.Image
		}{{"kernel", slot.Kernel}, {"initrd", slot.Initrd}} {
			if m.image.LengthBytes > 0 {
				d.line("      %s at byte %d, %s, SHA-256 %x…", m.what, m.image.OffsetBytes, Bytes(m.image.LengthBytes), m.image.SHA256[:8])
			}
		}
	}
}
