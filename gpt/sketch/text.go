package sketch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rayos/rayboot/gpt"
)

// Bytes writes a size in the largest binary unit that leaves at least 1.
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, i := float64(n), 0
	for value >= 1024 && i < len(units)-1 {
		value /= 1024
		i++
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[i]
}

// Printable replaces what could do something to a terminal: a disk's names are
// whatever its maker wanted them to be.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// OneLine is Printable for a text that must stay on its line.
func OneLine(s string) string { return strings.ReplaceAll(Printable(s), "\n", "; ") }

// Fit cuts s to width columns, or fills it with spaces.
func Fit(s string, width int) string {
	r := []rune(OneLine(s))
	if len(r) > width {
		return string(r[:max(width-1, 0)]) + "…"
	}
	return string(r) + strings.Repeat(" ", width-len(r))
}

// ByStart returns the partitions in the order of their places.
func ByStart(parts []gpt.Partition) []gpt.Partition {
	return slices.SortedStableFunc(slices.Values(parts), func(a, b gpt.Partition) int { return cmp.Compare(a.StartBytes, b.StartBytes) })
}

// Piece is a part of the disk: a partition, or the space between partitions.
type Piece struct {
	Partition  *gpt.Partition // nil for free space
	StartBytes int64
	SizeBytes  int64
}

// Name is that of the partition.
func (p Piece) Name() string {
	if p.Partition == nil {
		return "free"
	}
	return p.Partition.Name
}

// Pieces divides the disk in the order of its bytes. Free space of less than
// 16 MiB, such as alignment, is left out; partitions that overlap follow each other.
func Pieces(t gpt.Table) []Piece {
	const smallest = 16 << 20
	var list []Piece
	at := int64(0)
	free := func(end int64) {
		if end-at >= smallest {
			list = append(list, Piece{StartBytes: at, SizeBytes: end - at})
		}
	}
	for _, p := range ByStart(t.Partitions) {
		free(p.StartBytes)
		list = append(list, Piece{&p, p.StartBytes, p.SizeBytes})
		at = max(at, p.EndBytes())
	}
	free(t.DiskBytes)
	return list
}
