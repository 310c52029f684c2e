package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

const (
	logSource  = "bootmgr"
	logRecords = 64 // that are kept in memory until they are written
)

// journal puts what the boot manager says into the persistent log, which the
// runtime goes on with. It must not keep the machine from booting: what does not
// work is said once and ends it.
type journal struct {
	boot   raylog.BootID // of this power-on; the runtime takes it over
	begin  time.Time
	early  []raylog.Entry // before the log is open
	ring   *raylog.Ring   // nil before that, and where there is no log
	closed bool           // nothing is kept any more
}

// newJournal returns the journal of this power-on.
func newJournal() *journal {
	j := &journal{begin: time.Now()}
	// It never fails (crypto/rand).
	_, _ = rand.Read(j.boot[:])
	return j
}

// add keeps one line.
func (j *journal) add(level raylog.Level, text string) error {
	now := time.Now()
	e := raylog.Entry{Level: level, Uptime: now.Sub(j.begin), Wall: known(now), Source: logSource, Message: text}
	switch {
	case j.closed:
		return nil
	case j.ring == nil:
		if len(j.early) < logRecords {
			j.early = append(j.early, e)
		}
		return nil
	}
	return j.check(j.ring.Append(e))
}

// firmwareBuilt is earlier than any boot of this program: a clock that says less
// is not set.
var firmwareBuilt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func known(t time.Time) time.Time {
	if t.Before(firmwareBuilt) {
		return time.Time{}
	}
	return t
}

// check ends the journal at its first error.
func (j *journal) check(err error) error {
	if err != nil {
		j.ring, j.early, j.closed = nil, nil, true
	}
	return err
}

// open opens the log of an installation in the RayOS Kernel partition, and writes
// what was said before.
func (j *journal) open(partition *uefi.BlockIO, installID string) error {
	if partition == nil || installID == "" {
		j.early, j.closed = nil, true
		return nil
	}
	if partition.Media().ReadOnly {
		return j.check(errReadOnly)
	}
	ring, err := raylog.Open(logArea{partition}, slots.LogBytes, raylog.Options{
		ID: raylog.InstallLogID(installID), Boot: j.boot, Buffer: make([]byte, logRecords*raylog.RecordBytes),
	})
	if err == nil {
		err = ring.ReadOnly()
	}
	if err != nil {
		return j.check(err)
	}
	early := j.early
	j.ring, j.early = ring, nil
	for _, e := range early {
		if err := j.check(ring.Append(e)); err != nil {
			return err
		}
	}
	return nil
}

// flush writes what is kept in memory. It is called before the machine may stand
// still, and before another program takes it over.
func (j *journal) flush() error {
	if j.ring == nil {
		return nil
	}
	return j.check(j.ring.Flush())
}

// logArea is the place of the log in the partition.
type logArea struct{ partition *uefi.BlockIO }

func (a logArea) ReadAt(b []byte, offset int64) (int, error) {
	return a.partition.ReadAt(b, slots.LogOffset+offset)
}

var (
	errReadOnly = errors.New("its disk is read-only")
	errOutside  = errors.New("outside of the log")
)

func (a logArea) WriteAt(b []byte, offset int64) (int, error) {
	if offset < 0 || offset+int64(len(b)) > slots.LogBytes {
		return 0, fmt.Errorf("write %d bytes at %d: %w", len(b), offset, errOutside)
	}
	return a.partition.WriteAt(b, slots.LogOffset+offset)
}

func (a logArea) Sync() error { return a.partition.Flush() }
