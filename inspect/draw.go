package inspect

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/gpt/slots"
)

// maxTreeLines bounds the drawing of the ESP's files.
const maxTreeLines = 200

// Draw shows a report on a terminal of at least 80 columns; colour says whether
// it knows ANSI colours.
func Draw(w io.Writer, r Report, colour bool) error {
	d := &drawing{colour: colour}
	d.line("%s: %s disk, sectors of %d bytes, %s on the host", r.Path, sketch.Bytes(r.Table.DiskBytes), r.Table.SectorSize, sketch.Bytes(r.AllocatedBytes))
	d.line("disk ID %s", r.Table.DiskID)
	if r.Table.FromBackup {
		d.line("The primary partition table is damaged; this is the backup.")
	}
	d.line("")
	for _, line := range sketch.Bar(r.Table, d.colour) {
		d.b.WriteString(line + "\n")
	}
	d.line("")
	for _, line := range sketch.List(r.Table) {
		d.line("%s", line)
	}
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
	if r.System != nil {
		d.system(r.System)
	}
	if r.LinuxGuest != nil {
		d.linux(r.LinuxGuest)
	}
	_, err := w.Write(d.b.Bytes())
	return err
}

type drawing struct {
	b      bytes.Buffer
	colour bool
}

func (d *drawing) line(format string, args ...any) {
	d.b.WriteString(strings.TrimRight(sketch.Printable(fmt.Sprintf(format, args...)), " ") + "\n")
}

func (d *drawing) esp(e *ESP) {
	v := e.Volume
	d.line("")
	if v.ClusterBytes == 0 {
		d.line("ESP (partition %d): %s", e.Partition, e.Error)
		return
	}
	d.line("ESP (partition %d): FAT32 %s, serial %04X-%04X, %s of %s used", e.Partition, v.Label, v.Serial>>16, v.Serial&0xffff,
		sketch.Bytes(e.Usage.UsedClusters*e.Usage.ClusterBytes), sketch.Bytes(e.Usage.Clusters*e.Usage.ClusterBytes))
	d.tree(e)
	if e.Error != "" {
		d.line("%s", e.Error)
	}
	d.line("")
	d.line("Boot entries of the ESP: %d", len(e.Entries))
	if len(e.Entries) > 0 {
		d.line("  %s %s %s %s %s", sketch.Fit("ID", 14), sketch.Fit("KIND", 4), sketch.Fit("TITLE", 18), sketch.Fit("PINNED", 6), "IMAGE")
	}
	for _, entry := range e.Entries {
		d.line("  %s %s %s %s %s", sketch.Fit(entry.ID, 14), sketch.Fit(entry.Kind, 4), sketch.Fit(entry.Title, 18), sketch.Fit(entry.Pins.word(len(entry.Initrd) > 0), 6), sketch.Fit("/"+entry.Image, 33))
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
			d.line("  %s", sketch.Fit(name, 64))
		} else {
			d.line("  %s %10s", sketch.Fit(name, 64), sketch.Bytes(f.Bytes))
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
		d.line("  %2d  %s %s", slot.Index, sketch.Fit(slot.ID, 16), sketch.Fit(slot.Title, 50))
		for _, m := range []struct {
			what  string
			image slots.Image
		}{{"kernel", slot.Kernel}, {"initrd", slot.Initrd}} {
			if m.image.LengthBytes > 0 {
				d.line("      %s at byte %d, %s, SHA-256 %x…", m.what, m.image.OffsetBytes, sketch.Bytes(m.image.LengthBytes), m.image.SHA256[:8])
			}
		}
	}
}
