// Package logstore keeps the persistent log of the machine that is up: package
// raylog's ring on a block device, for several goroutines, with the clock that
// the ring does not have.
//
// Records of level Warn and above are on the medium when Append returns; the
// others at most GroupDelay later, on a medium that is not slow. Who appends these
// does not wait for the medium, unless it is slower than they come.
package logstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

// Place is where a log lies.
type Place struct {
	Path      string // block device or file
	Offset    int64  // of the log, in bytes, a multiple of raylog.RecordBytes
	SizeBytes int64
}

// volatileBytes is the room of a log that ends with the machine.
const volatileBytes = 4 << 20

// OnDisk is the log on a boot disk below root, of which kernel is the kernel's name
// of the RayOS Kernel partition.
func OnDisk(root, kernel string) Place {
	return Place{filepath.Join(root, "dev", kernel), slots.LogOffset, slots.LogBytes}
}

// InMemory is the log of a machine below root without a disk for it: a file that
// ends with the machine.
func InMemory(root string) Place {
	return Place{filepath.Join(root, "run/rayos/log"), 0, volatileBytes}
}

// Create makes the empty file of a log.
func (p Place) Create() error {
	err := os.MkdirAll(filepath.Dir(p.Path), 0o755)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	f, err := os.OpenFile(p.Path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	if err := errors.Join(f.Truncate(p.Offset+p.SizeBytes), f.Close()); err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	return nil
}

// Log is the log of the machine. Its methods may be called by several goroutines.
type Log struct {
	mu     sync.Mutex
	ring   *raylog.Ring
	area   *area
	buffer []byte // of the ring
	closed bool

	written sync.Cond   // a write has ended
	writing bool        // one is under way
	timer   *time.Timer // runs flushLater
	waiting bool        // the timer runs
	hurried bool        // it runs at once: the buffer fills

	problem error // of the last write, nil if it went well
	told    bool  // somebody knows
}

// bufferBytes is room for a group that is being written, for the next one, and for
// what comes until it is its turn.
const bufferBytes = 3 * raylog.MaxGroup * raylog.RecordBytes

// Open opens the log for writing.
func Open(p Place, id raylog.LogID, boot raylog.BootID) (*Log, error) {
	a, err := openArea(p.Path, p.Offset, p.SizeBytes, true)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	buffer, err := aligned(bufferBytes)
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	ring, err := raylog.Open(a, p.SizeBytes, raylog.Options{ID: id, Boot: boot, Buffer: buffer})
	if err == nil {
		err = ring.ReadOnly()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", p.Path, err), a.close(), unix.Munmap(buffer))
	}
	l := &Log{ring: ring, area: a, buffer: buffer}
	l.written.L = &l.mu
	l.timer = stopped(l.flushLater)
	return l, nil
}

// Found returns the sequence number of the newest record, the records that the log
// has room for, and what it took to open it.
func (l *Log) Found() (newest uint64, capacity int, found raylog.Found) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ring.Newest(), int(l.ring.CapacityBytes() / raylog.RecordBytes), l.ring.Found()
}

// Level is the least level that is kept.
func (l *Log) Level() raylog.Level {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ring.Level()
}

// SetLevel sets the least level that is kept.
func (l *Log) SetLevel(level raylog.Level) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ring.SetLevel(level)
}

// LastBoot returns the ID of the newest boot that is not this one and of which a
// source has said something, and false if there is none.
func (l *Log) LastBoot(this raylog.BootID, source string) (raylog.BootID, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reader := l.ring.Reader(raylog.Query{Source: source, All: true, Backward: true})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		if r.Boot != this {
			return r.Boot, true
		}
	}
	return raylog.BootID{}, false
}

// OpenReader opens the log for reading, while process 1 writes to it.
func OpenReader(p Place, id raylog.LogID) (ring *raylog.Ring, close func() error, err error) {
	a, err := openArea(p.Path, p.Offset, p.SizeBytes, false)
	if err != nil {
		return nil, nil, err
	}
	if ring, err = raylog.Open(a, p.SizeBytes, raylog.Options{ID: id}); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", p.Path, err), a.close())
	}
	return ring, a.close, nil
}
