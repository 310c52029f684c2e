package sketch

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/gpt"
)

// Width is that of the drawing in columns.
const Width = 78

// Bar draws the disk to scale, as far as a label of every piece can still be read. Where
// colour is set, it has ANSI colours.
func Bar(t gpt.Table, colour bool) []string {
	list := Pieces(t)
	widths := barWidths(list, Width-1-len(list))
	if widths == nil {
		return []string{"(too many partitions to draw)"}
	}
	edge := func(left, cross, right string) string {
		var cells []string
		for _, width := range widths {
			cells = append(cells, strings.Repeat("─", width))
		}
		return left + strings.Join(cells, cross) + right
	}
	row := func(text func(Piece) string) string {
		var b strings.Builder
		for i, p := range list {
			b.WriteString("│" + p.paint(Fit(text(p), widths[i]), colour))
		}
		return b.String() + "│"
	}
	return []string{
		edge("┌", "┬", "┐"),
		row(Piece.number),
		row(Piece.Name),
		row(func(p Piece) string { return Bytes(p.SizeBytes) }),
		edge("└", "┴", "┘"),
	}
}

func (p Piece) number() string {
	if p.Partition == nil {
		return ""
	}
	return fmt.Sprint(p.Partition.Number)
}

// paint colours text as the piece of that number.
func (p Piece) paint(text string, colour bool) string {
	if !colour || p.Partition == nil {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", 91+(p.Partition.Number+2)%6, text)
}

// barWidths shares total columns among the pieces, each at least minBar wide.
// It returns nil where they have no room.
func barWidths(list []Piece, total int) []int {
	const minBar = 8
	spare := total - minBar*len(list)
	if spare < 0 || len(list) == 0 {
		return nil
	}
	var sum int64
	for _, p := range list {
		sum += p.SizeBytes >> 20
	}
	widths, left := make([]int, len(list)), spare
	for i, p := range list {
		extra := int(float64(spare) * float64(p.SizeBytes>>20) / float64(max(sum, 1)))
		widths[i] = minBar + extra
		left -= extra
	}
	widths[len(widths)-1] += max(left, 0)
	return widths
}

// List lists the partitions in the order of their places, behind a line of headings.
func List(t gpt.Table) []string {
	lines := []string{fmt.Sprintf("%3s  %s %11s %10s  %s", "#", Fit("Name", 14), "Start LBA", "Size", "PARTUUID")}
	for _, p := range ByStart(t.Partitions) {
		lines = append(lines, fmt.Sprintf("%3d  %s %11d %10s  %s", p.Number, Fit(p.Name, 14), p.StartBytes/int64(t.SectorSize), Bytes(p.SizeBytes), p.ID))
		if name := gpt.TypeName(p.Type); name != p.Name {
			lines = append(lines, "     type "+name)
		}
	}
	return lines
}
