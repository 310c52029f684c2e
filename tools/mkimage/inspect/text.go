package inspect

import (
	"fmt"
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

// fit cuts s to width columns, or fills it with spaces.
func fit(s string, width int) string {
	r := []rune(OneLine(s))
	if len(r) > width {
		return string(r[:max(width-1, 0)]) + "…"
	}
	return string(r) + strings.Repeat(" ", width-len(r))
}

// piece is a part of the disk: a partition, or the space between partitions.
type piece struct {
	partition *gpt.Partition // nil for free space
	start     int64
	size      int64
}

func (p piece) name() string {
	if p.partition == nil {
		return "free"
	}
	return p.partition.Name
}

// pieces divides the disk in the order of its bytes. Free space of less than
// 16 MiB, such as alignment, is left out; partitions that overlap follow each other.
func pieces(t gpt.Table) []piece {
	const smallest = 16 << 20
	var list []piece
	at := int64(0)
	free := func(end int64) {
		if end-at >= smallest {
			list = append(list, piece{start: at, size: end - at})
		}
	}
	for _, p := range byStart(t.Partitions) {
		free(p.StartBytes)
		list = append(list, piece{partition: &p, start: p.StartBytes, size: p.SizeBytes})
		at = max(at, p.EndBytes())
	}
	free(t.DiskBytes)
	return list
}
