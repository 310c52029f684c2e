package logview_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/logview"
)

func records() []raylog.Record {
	boot1, boot2 := raylog.BootID{0xab, 0xcd}, raylog.BootID{0xef}
	return []raylog.Record{
		{Sequence: 1, Entry: raylog.Entry{Level: raylog.Info, Uptime: time.Second, Source: "bootmgr", Message: "Kernel initialized\n", Boot: boot1}},
		{Sequence: 2, Entry: raylog.Entry{Level: raylog.Error, Uptime: 1500 * time.Millisecond, Source: "kernel", Message: "two\nlines \x1b[31m, \xff", Boot: boot1, Wall: time.UnixMilli(1795000000123)}},
		{Sequence: 3, Entry: raylog.Entry{Level: raylog.Warn, Source: "a,b", Message: `says "x"`, Boot: boot2, Wall: time.UnixMilli(1795000000123)}, Cut: true, Epoch: 1},
	}
}

func write(t *testing.T, f logview.Format, colors bool) string {
	t.Helper()
	var out strings.Builder
	w := logview.NewWriter(&out, f)
	w.Colors = colors
	for _, r := range records() {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	want := "-- boot abcd0000\n" +
		"[1000ms] INFO: bootmgr: Kernel initialized\n" +
		"[1500ms] ERROR: kernel: two\n    lines \\x1b[31m, \uFFFD\n" +
		"-- boot ef000000, 2026-11-18 11:06:40 UTC\n" +
		"[0ms] WARN: a,b: says \"x\" [cut]\n"
	if got := write(t, logview.Text, false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	colored := write(t, logview.Text, true)
	if !strings.Contains(colored, "\x1b[31m[1500ms]") || !strings.Contains(colored, "\x1b[33m[0ms]") || strings.Contains(colored, "\x1b[31m[1000ms]") {
		t.Errorf("colours:\n%q", colored)
	}
}

func TestJSON(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(write(t, logview.JSON, false)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	var o struct {
		Sequence           uint64
		Boot, Level, Wall  string
		UptimeMilliseconds int64
		Cut                bool
	}
	if err := json.Unmarshal([]byte(lines[2]), &o); err != nil || o.Sequence != 3 || o.Level != "WARN" || !o.Cut || o.Wall != "2026-11-18T11:06:40.123Z" {
		t.Errorf("%s: %+v, %v", lines[2], o, err)
	}
	if strings.Contains(lines[0], "wall") {
		t.Errorf("a time that is not known: %s", lines[0])
	}
}

func TestCSV(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(write(t, logview.CSV, false))).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "sequence" || rows[3][6] != `says "x"` || rows[2][3] != "2026-11-18T11:06:40.123Z" || rows[1][3] != "" {
		t.Errorf("%q, %v", rows, err)
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range logview.Formats() {
		if got, err := logview.ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("%s: %s, %v", f, got, err)
		}
	}
	if _, err := logview.ParseFormat("xml"); err == nil {
		t.Error("xml is taken")
	}
}

func TestUsage(t *testing.T) {
	if got := logview.Usage(60397978, 128<<20); got != "Usage: 45% (57.6 MB of 128 MB)" {
		t.Error(got)
	}
	if got := logview.Usage(0, 0); got != "Usage: 0% (0.0 MB of 0 MB)" {
		t.Error(got)
	}
}
