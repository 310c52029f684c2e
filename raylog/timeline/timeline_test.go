package timeline_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rayos/rayboot/raylog/timeline"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

func text(t *testing.T, line timeline.Timeline, colour bool) string {
	t.Helper()
	var b strings.Builder
	if err := timeline.Draw(&b, line, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPictures(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *story
		last int
	}{{"recovery", recovery(), 10}, {"hostile", hostile(), 10}, {"last", recovery(), 2}, {"empty", &story{}, 10}} {
		t.Run(c.name, func(t *testing.T) {
			line := timeline.Last("disk.img", timeline.Boots(slices.Values(c.s.records)), c.last)
			asJSON, err := json.MarshalIndent(line, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			for ext, got := range map[string]string{".txt": text(t, line, false), ".svg": string(timeline.SVG(line)), ".json": string(asJSON) + "\n"} {
				compare(t, filepath.Join("testdata", c.name+ext), got)
			}
		})
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (-update writes it anew) is not\n%s", path, got)
	}
}

// checkPictures checks what must hold of every picture.
func checkPictures(t *testing.T, line timeline.Timeline) {
	t.Helper()
	for row := range strings.Lines(text(t, line, false)) {
		row = strings.TrimSuffix(row, "\n")
		if n := utf8.RuneCountInString(row); n > 80 {
			t.Errorf("%d columns: %s", n, row)
		}
		if strings.ContainsFunc(row, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not printable: %q", row)
		}
	}
	for d := xml.NewDecoder(bytes.NewReader(timeline.SVG(line))); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && !slices.Contains([]string{"svg", "rect", "path", "text", "title"}, e.Name.Local) {
			t.Errorf("element %s", e.Name.Local)
		}
	}
	if _, err := json.Marshal(line); err != nil {
		t.Error(err)
	}
}
