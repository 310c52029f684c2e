// Package logview shows the records of the persistent log to people and to
// machines. It is the same for the runtime's command log and for rayimg log.
package logview

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rayos/rayboot/raylog"
)

// Format is a way to write records.
type Format string

// The formats.
const (
	Text Format = "text" // for people: a line for each record, and one in front of each boot
	JSON Format = "json" // one object on each line
	CSV  Format = "csv"  // RFC 4180, with a head line
)

// Formats returns all formats.
func Formats() []Format { return []Format{Text, JSON, CSV} }

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	for _, f := range Formats() {
		if s == string(f) {
			return f, nil
		}
	}
	return "", fmt.Errorf("format %q: choose one of %v", s, Formats())
}

// Writer writes records in one format. Flush must be called at the end.
type Writer struct {
	Colors bool // in the text format, mark what is bad

	out    io.Writer
	format Format
	table  *csv.Writer
	boot   raylog.BootID // of the last record
	began  bool
}

// NewWriter returns a writer to out.
func NewWriter(out io.Writer, f Format) *Writer {
	w := &Writer{out: out, format: f}
	if f == CSV {
		w.table = csv.NewWriter(out)
	}
	return w
}

// object is a record in JSON. Its names are part of the interface.
type object struct {
	Sequence uint64        `json:"sequence"`
	Boot     raylog.BootID `json:"boot"`
	UptimeMS int64         `json:"uptimeMilliseconds"`
	Wall     *time.Time    `json:"wall,omitempty"`
	Level    raylog.Level  `json:"level"`
	Source   string        `json:"source"`
	Message  string        `json:"message"`
	Epoch    uint32        `json:"epoch"`
	Cut      bool          `json:"cut,omitempty"` // the message was longer
}

// Write writes one record.
func (w *Writer) Write(r raylog.Record) error {
	first := !w.began || r.Boot != w.boot
	begins := !w.began
	w.began, w.boot = true, r.Boot
	switch w.format {
	case JSON:
		return json.NewEncoder(w.out).Encode(newObject(r))
	case CSV:
		if begins {
			if err := w.table.Write([]string{"sequence", "boot", "uptime_ms", "wall", "level", "source", "message", "epoch", "cut"}); err != nil {
				return err
			}
		}
		return w.table.Write(row(r))
	}
	if first {
		if _, err := fmt.Fprintf(w.out, "-- boot %.8s%s\n", r.Boot, wall(r.Wall, ", "+time.DateTime+" UTC")); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w.out, w.line(r))
	return err
}

// Flush writes what is left.
func (w *Writer) Flush() error {
	if w.table == nil {
		return nil
	}
	w.table.Flush()
	return w.table.Error()
}

func newObject(r raylog.Record) object {
	o := object{
		Sequence: r.Sequence, Boot: r.Boot, UptimeMS: r.Uptime.Milliseconds(), Level: r.Level,
		Source: r.Source, Message: r.Message, Epoch: r.Epoch, Cut: r.Cut,
	}
	if !r.Wall.IsZero() {
		utc := r.Wall.UTC()
		o.Wall = &utc
	}
	return o
}

func row(r raylog.Record) []string {
	return []string{
		strconv.FormatUint(r.Sequence, 10), r.Boot.String(), strconv.FormatInt(r.Uptime.Milliseconds(), 10),
		wall(r.Wall, time.RFC3339Nano), r.Level.String(), r.Source, r.Message,
		strconv.FormatUint(uint64(r.Epoch), 10), strconv.FormatBool(r.Cut),
	}
}

func wall(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

const (
	red, yellow, plain = "\x1b[31m", "\x1b[33m", "\x1b[m"
	indent             = "    "
)

// line is a record as people read it. The lines of a message behind the first are
// indented, and what would not show, or would do something to a terminal, is escaped.
func (w *Writer) line(r raylog.Record) string {
	color, end := "", ""
	if w.Colors && r.Level >= raylog.Warn {
		color, end = yellow, plain
		if r.Level >= raylog.Error {
			color = red
		}
	}
	message := strings.ReplaceAll(printable(strings.TrimRight(r.Message, "\n")), "\n", "\n"+indent)
	if r.Cut {
		message += " [cut]"
	}
	return fmt.Sprintf("%s[%dms] %s: %s: %s%s\n", color, r.Uptime.Milliseconds(), r.Level, printable(r.Source), message, end)
}

func printable(s string) string {
	var b strings.Builder
	for _, c := range strings.ToValidUTF8(s, "\uFFFD") {
		if c == '\n' || c == '\t' || unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\x%02x", c)
		}
	}
	return b.String()
}

// Usage is the last line of an answer: how full the log is.
func Usage(used, capacity int64) string {
	return fmt.Sprintf("Usage: %d%% (%.1f MB of %d MB)", used*100/max(capacity, 1), float64(used)/(1<<20), capacity>>20)
}
