package logview

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/rayos/rayboot/raylog"
)

// Show is what is to be shown of a log.
type Show struct {
	Query  raylog.Query
	Last   int // so many records at most, the newest; 0 for all
	Format Format
	Colors bool
}

// Recent shows records to people, with a heading and how full the log is; in
// another format than Text only the records.
func (s Show) Recent(out io.Writer, ring *raylog.Ring) error {
	if s.Format != Text {
		_, err := s.Export(out, ring)
		return err
	}
	if _, err := fmt.Fprintln(out, "[RAYOS_LOG] Recent entries:"); err != nil {
		return err
	}
	if _, err := s.Export(out, ring); err != nil {
		return err
	}
	used := min(ring.Written(), uint64(ring.CapacityBytes()/raylog.RecordBytes)) * raylog.RecordBytes
	_, err := fmt.Fprintln(out, Usage(int64(used), ring.CapacityBytes()))
	return err
}

// Follow shows records, and those that come: whenever wait returns, the log is looked
// at again. It ends with the error of wait.
func (s Show) Follow(out io.Writer, ring *raylog.Ring, wait func() error) error {
	for w := s.writer(out); ; {
		newest := ring.Newest()
		if _, err := s.write(w, ring); err != nil {
			return err
		}
		s.Query.After, s.Last = newest, 0
		if err := wait(); err != nil {
			return err
		}
		if err := ring.Refresh(); err != nil {
			return err
		}
	}
}

// Export writes the records and returns how many they are.
func (s Show) Export(out io.Writer, ring *raylog.Ring) (n int, err error) {
	return s.write(s.writer(out), ring)
}

// writer returns a writer in the wanted format.
func (s Show) writer(out io.Writer) *Writer {
	w := NewWriter(out, s.Format)
	w.Colors = s.Colors
	return w
}

// write writes the records and returns how many they are.
func (s Show) write(w *Writer, ring *raylog.Ring) (n int, err error) {
	next := ring.Reader(s.Query).Next
	if s.Last > 0 {
		next = s.newest(ring)
	}
	for r, ok := next(); ok; r, ok = next() {
		if err := w.Write(r); err != nil {
			return n, err
		}
		n++
	}
	return n, w.Flush()
}

// newest returns the last records, the oldest first.
func (s Show) newest(ring *raylog.Ring) func() (raylog.Record, bool) {
	q := s.Query
	q.Backward = true
	reader := ring.Reader(q)
	var last []raylog.Record
	for len(last) < s.Last {
		r, ok := reader.Next()
		if !ok {
			break
		}
		last = append(last, r)
	}
	return func() (raylog.Record, bool) {
		if len(last) == 0 {
			return raylog.Record{}, false
		}
		r := last[len(last)-1]
		last = last[:len(last)-1]
		return r, true
	}
}

// Boot finds a boot by how people name it: 0 is the newest, -1 the one before it,
// and so on; or the first digits of its ID.
func Boot(ring *raylog.Ring, name string) (raylog.BootID, error) {
	back, err := strconv.Atoi(name)
	counted := err == nil && back <= 0
	var seen []raylog.BootID
	reader := ring.Reader(raylog.Query{All: true, Backward: true})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		if slices.Contains(seen, r.Boot) {
			continue
		}
		seen = append(seen, r.Boot)
		if counted && len(seen) > -back || !counted && name != "" && strings.HasPrefix(r.Boot.String(), strings.ToLower(name)) {
			return r.Boot, nil
		}
	}
	return raylog.BootID{}, fmt.Errorf("boot %q is not in the log, which knows %d boots: name one by the first digits of its ID, or by 0 for the newest, -1 for the one before it", name, len(seen))
}

// Stats prints the numbers of a log.
func Stats(out io.Writer, ring *raylog.Ring, asJSON bool) error {
	s := ring.Stats()
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Records\t%d, of these %d since the log was cleared\n", s.Records, s.Current)
	fmt.Fprintf(w, "Sequence\t%d to %d\n", s.Oldest, s.Newest)
	fmt.Fprintf(w, "Boots\t%d\n", s.Boots)
	fmt.Fprintf(w, "Damaged\t%d\n", s.Damaged)
	fmt.Fprintf(w, "Missing\t%d\n", s.Missing)
	if s.Newer > 0 {
		fmt.Fprintf(w, "Of a newer version\t%d\n", s.Newer)
	}
	fmt.Fprintf(w, "Found by\t%d reads\n", ring.Found().Reads)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, Usage(s.UsedBytes, s.CapacityBytes))
	return err
}
