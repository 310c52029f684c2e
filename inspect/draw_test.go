package inspect_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/inspect"
)

func draw(t *testing.T, r inspect.Report, colour bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := inspect.Draw(&b, r, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDrawingIsNarrow(t *testing.T) {
	f := build(t, testSpec())
	r, err := inspect.Read(f, gpt.MinDiskBytes)
	if err != nil {
		t.Fatal(err)
	}
	r.Path = "disk.img"
	text := draw(t, r, false)
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"disk.img: 74.5 GiB disk", "│Windows Guest", "821248", "RAYOS-ESP", "└─ BOOTX64.EFI", "rayos-safe", "Kernel slots (partition 2): 1 of 16 used",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") || !strings.Contains(draw(t, r, true), "\x1b[") {
		t.Error("colours are not where they belong")
	}
}

// hostile is a report whose names could do something to a terminal or a browser.
func hostile(count int) inspect.Report {
	r := inspect.Report{Path: "x.img", Table: gpt.Table{Geometry: gpt.Geometry{DiskBytes: 1 << 40, SectorSize: 512}}}
	for i := range count {
		r.Table.Partitions = append(r.Table.Partitions, gpt.Partition{
			Number: i + 1, Name: "\x1b[2J<script>&\"'\u202e" + strings.Repeat("W", 20), StartBytes: int64(count-i) << 30, SizeBytes: 1 << 31,
		})
	}
	r.ESP = &inspect.ESP{Files: []inspect.File{{Path: "a\x1b]0;b/c\nd", Bytes: 1}}}
	r.ESP.Volume.ClusterBytes = 512
	return r
}

func TestDrawingOfHostileNames(t *testing.T) {
	for _, count := range []int{0, 1, 5, 8, 9, 128} {
		r := hostile(count)
		text := draw(t, r, false)
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%d partitions: the drawing has control characters", count)
		}
		picture := inspect.SVG(r)
		for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%d partitions: %v\n%s", count, err, picture)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Errorf("%d partitions: a name has become an element", count)
			}
		}
	}
}
