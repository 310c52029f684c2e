package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
	"github.com/rayos/rayboot/raylog/logview"
)

// writeLog DISK INSTALL-ID BOOT LEVEL SOURCE MESSAGE appends a record to the log of
// a disk with the standard layout, as a boot does.
func writeLog(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	level, err := raylog.ParseLevel(args[3])
	ts.Check(err)
	ring, err := raylog.Open(fileArea{f}, slots.LogBytes, raylog.Options{ID: raylog.InstallLogID(strings.TrimSpace(ts.ReadFile(args[1]))), Level: raylog.Trace})
	ts.Check(err)
	boot := raylog.BootID{args[2][0]}
	ts.Check(ring.Append(raylog.Entry{Level: level, Source: args[4], Message: args[5], Boot: boot, Uptime: 1500 * time.Millisecond}))
	ts.Check(ring.Flush())
}

// fileArea is the log area in a disk image.
type fileArea struct{ *os.File }

const kernelPartition = 821248 * 512 // docs/on-disk.md

func (f fileArea) ReadAt(b []byte, offset int64) (int, error) {
	return f.File.ReadAt(b, kernelPartition+slots.LogOffset+offset)
}

func (f fileArea) WriteAt(b []byte, offset int64) (int, error) {
	return f.File.WriteAt(b, kernelPartition+slots.LogOffset+offset)
}

// TestFollowLog appends to a log that is followed.
func TestFollowLog(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const size = 16 * raylog.RecordBytes
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	open := func() *raylog.Ring {
		ring, err := raylog.Open(file, size, raylog.Options{ID: raylog.LogID{1}})
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}
	add := func(message string) {
		if err := open().Append(raylog.Entry{Level: raylog.Warn, Source: "test", Message: message}); err != nil {
			t.Fatal(err)
		}
	}
	add("first")
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- followLog(ctx, w, open(), logview.Show{Last: followFrom, Format: logview.Text})
		w.Close()
	}()
	var seen strings.Builder
	chunk := make([]byte, 1024)
	for next := 0; !strings.Contains(seen.String(), "third"); {
		n, err := r.Read(chunk)
		if err != nil {
			t.Fatalf("%v after %s", err, seen.String())
		}
		seen.Write(chunk[:n])
		if strings.Count(seen.String(), "test: ") > next {
			add([]string{"second", "third", "later"}[next])
			next++
		}
	}
	cancel()
	go io.Copy(io.Discard, r)
	if err := <-ended; err != context.Canceled {
		t.Errorf("it ended with %v", err)
	}
	if got := seen.String(); strings.Count(got, "-- boot") != 1 || strings.Count(got, "first") != 1 || strings.Count(got, "second") != 1 {
		t.Errorf("followed:\n%s", got)
	}
}
