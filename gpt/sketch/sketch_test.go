package sketch

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rayos/rayboot/gpt"
)

func table(parts ...gpt.Partition) gpt.Table {
	return gpt.Table{Geometry: gpt.Geometry{DiskBytes: gpt.MinDiskBytes, SectorSize: 512}, Partitions: parts}
}

func TestStandardLayout(t *testing.T) {
	bar := strings.Join(Bar(table(gpt.Layout()...), false), "\n")
	for _, want := range []string{"│1 ", "│EFI Sys…│", "│400 MiB ", "│Windows Guest ", "│free       │"} {
		if !strings.Contains(bar, want) {
			t.Errorf("%q is missing in\n%s", want, bar)
		}
	}
	list := strings.Join(List(table(gpt.Layout()...)), "\n")
	if !strings.Contains(list, "  2  RayOS Kernel        821248      4 GiB") || !strings.Contains(list, "type Microsoft basic data") {
		t.Error(list)
	}
}

// TestWidth draws disks of up to 20 partitions with long names that are hostile.
func TestWidth(t *testing.T) {
	for count := range 20 {
		var parts []gpt.Partition
		for i := range count {
			name := "\x1b[2J\u202e" + strings.Repeat("W", 40)
			parts = append(parts, gpt.Partition{Number: 128 - i, Name: name, StartBytes: int64(count-i) << 31, SizeBytes: 1 << (20 + i%12)})
		}
		for _, lines := range [][]string{Bar(table(parts...), false), List(table(parts...))} {
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > 80 || strings.ContainsAny(line, "\x1b\u202e\n") {
					t.Errorf("%d partitions, %d columns: %q", count, n, line)
				}
			}
		}
		for _, line := range Bar(table(parts...), false) {
			if n := utf8.RuneCountInString(line); n != Width && (line[0] != '(' || count < 4) {
				t.Errorf("%d partitions, %d columns: %s", count, n, line)
			}
		}
	}
	if bar := strings.Join(Bar(table(gpt.Layout()...), true), ""); !strings.Contains(bar, "\x1b[94m1") {
		t.Errorf("%q has no colour", bar)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 400 << 20: "400 MiB", 80e9: "74.5 GiB", 1<<63 - 1: "8 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}
