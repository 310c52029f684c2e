package inspect_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/raylog"
)

// logStart is where the log lies in an image with the standard layout.
const logStart = 401*gpt.MiB + slots.LogOffset

// logArea is the log of an image.
type logArea struct{ *os.File }

func (a logArea) ReadAt(b []byte, off int64) (int, error)  { return a.File.ReadAt(b, logStart+off) }
func (a logArea) WriteAt(b []byte, off int64) (int, error) { return a.File.WriteAt(b, logStart+off) }
func (logArea) Sync() error                                { return nil } // nobody cuts the power here

// unreadable is a disk on which a range cannot be read.
type unreadable struct {
	io.ReaderAt
	from, to int64
}

func (u unreadable) ReadAt(b []byte, off int64) (int, error) {
	if off < u.to && off+int64(len(b)) > u.from {
		return 0, errDisk
	}
	return u.ReaderAt.ReadAt(b, off)
}

// TestLog has logs of 100 records: whole, with a damaged record, with a hole, of a newer version, on
// a disk that fails.
func TestLog(t *testing.T) {
	zero := func(from, to int) func(*testing.T, *os.File) {
		return func(t *testing.T, f *os.File) {
			t.Helper()
			if _, err := f.WriteAt(make([]byte, (to-from)*raylog.RecordBytes), logStart+int64(from)*raylog.RecordBytes); err != nil {
				t.Fatal(err)
			}
		}
	}
	place := func(n int64) int64 { return logStart + n*raylog.RecordBytes }
	for _, c := range []struct {
		name           string
		damage         func(t *testing.T, f *os.File)
		records        int   // more
		from, to       int64 // that cannot be read
		want, warnings string
		says           string
	}{
		{name: "whole"},
		{name: "gone round", records: slots.LogBytes/raylog.RecordBytes + 100},
		{name: "damaged record", damage: func(t *testing.T, f *os.File) { flip(t, f, place(7)+100) }, want: "log-damaged", warnings: "log-damaged", says: "1 record of 100 in the log"},
		{name: "hole", damage: zero(20, 70), want: "log-head", says: "the newest record of the log is number 100, the boot manager finds"},
		{name: "record that cannot be read", from: place(7), to: place(8), want: "log-unreadable", says: "the disk is failing"},
		{name: "nothing that can be read", from: logStart, to: logStart + slots.LogBytes, want: "log-unreadable"},
		{name: "another's records", damage: func(t *testing.T, f *os.File) {
			t.Helper()
			zero(0, 100)(t, f)
			other, err := raylog.Open(logArea{f}, slots.LogBytes, raylog.Options{ID: raylog.LogID{7}})
			if err != nil {
				t.Fatal(err)
			}
			fill(t, other, 50)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec()
			f := build(t, spec)
			r, err := inspect.Read(f, spec.SizeBytes)
			if err != nil {
				t.Fatal(err)
			}
			ring, err := raylog.Open(logArea{f}, slots.LogBytes, raylog.Options{ID: raylog.InstallLogID(r.BootState.InstallID)})
			if err != nil {
				t.Fatal(err)
			}
			fill(t, ring, 100+c.records)
			if c.damage != nil {
				c.damage(t, f)
			}
			findings, err := inspect.Verify(t.Context(), unreadable{f, c.from, c.to}, spec.SizeBytes)
			if err != nil {
				t.Fatal(err)
			}
			var codes, warnings []string
			for _, found := range findings {
				if codes = append(codes, found.Code); found.Warning {
					warnings = append(warnings, found.Code)
				}
			}
			if got := strings.Join(codes, " "); got != c.want || strings.Join(warnings, " ") != c.warnings || !strings.Contains(fmt.Sprint(findings), c.says) {
				t.Errorf("%+v", findings)
			}
		})
	}
}

func fill(t *testing.T, ring *raylog.Ring, records int) {
	t.Helper()
	for range records {
		if err := ring.Append(raylog.Entry{Level: raylog.Error, Source: "test", Message: "text", Boot: raylog.BootID{1}}); err != nil {
			t.Fatal(err)
		}
		if ring.Newest()-ring.Written() == raylog.MaxGroup {
			if err := ring.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := ring.Flush(); err != nil {
		t.Fatal(err)
	}
}
