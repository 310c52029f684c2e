package logview_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/logview"
)

// memory is an area in memory.
type memory []byte

func (m memory) ReadAt(b []byte, offset int64) (int, error) {
	n := copy(b, m[offset:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (m memory) WriteAt(b []byte, offset int64) (int, error) { return copy(m[offset:], b), nil }
func (m memory) Sync() error                                 { return nil }

// threeBoots is a log of three boots with four entries each, one of them a
// warning.
func threeBoots(t *testing.T) *raylog.Ring {
	t.Helper()
	ring, err := raylog.Open(make(memory, 64*raylog.RecordBytes), 64*raylog.RecordBytes, raylog.Options{ID: raylog.LogID{1}})
	if err != nil {
		t.Fatal(err)
	}
	for boot := range byte(3) {
		for i, level := range []raylog.Level{raylog.Info, raylog.Warn, raylog.Info, raylog.Info} {
			e := raylog.Entry{Level: level, Source: "test", Message: fmt.Sprintf("boot %d, entry %d", boot, i), Boot: raylog.BootID{0xa0 + boot}}
			if err := ring.Append(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := ring.Flush(); err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestRecent(t *testing.T) {
	var out strings.Builder
	s := logview.Show{Last: 3, Format: logview.Text, Query: raylog.Query{Level: raylog.Info}}
	if err := s.Recent(&out, threeBoots(t)); err != nil {
		t.Fatal(err)
	}
	want := "[RAYOS_LOG] Recent entries:\n-- boot a2000000\n[0ms] WARN: test: boot 2, entry 1\n[0ms] INFO: test: boot 2, entry 2\n[0ms] INFO: test: boot 2, entry 3\n" +
		"Usage: 18% (0.0 MB of 0 MB)\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestExport(t *testing.T) {
	ring := threeBoots(t)
	for _, c := range []struct {
		show logview.Show
		want int
	}{
		{logview.Show{}, 12},
		{logview.Show{Last: 5}, 5},
		{logview.Show{Last: 50}, 12},
		{logview.Show{Query: raylog.Query{Level: raylog.Warn}}, 3},
		{logview.Show{Query: raylog.Query{Level: raylog.Warn}, Last: 2}, 2},
		{logview.Show{Query: raylog.Query{Source: "nobody"}}, 0},
	} {
		c.show.Format = logview.JSON
		var out strings.Builder
		n, err := c.show.Export(&out, ring)
		if err != nil || n != c.want || strings.Count(out.String(), "\n") != n {
			t.Errorf("%+v: %d records, %v\n%s", c.show, n, err, out.String())
		}
	}
}

func TestBoot(t *testing.T) {
	ring := threeBoots(t)
	for name, want := range map[string]byte{"0": 0xa2, "-1": 0xa1, "-2": 0xa0, "a1": 0xa1, "A00": 0xa0} {
		if got, err := logview.Boot(ring, name); err != nil || got[0] != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"-3", "b", "", "1"} {
		if got, err := logview.Boot(ring, name); err == nil {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestStats(t *testing.T) {
	var out strings.Builder
	if err := logview.Stats(&out, threeBoots(t), false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Records   12, of these 12 since", "Sequence  1 to 12\n", "Boots     3\n", "Usage: 18%"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := logview.Stats(&out, threeBoots(t), true); err != nil || !json.Valid([]byte(out.String())) || !strings.Contains(out.String(), `"records": 12`) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
