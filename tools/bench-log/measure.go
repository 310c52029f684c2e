package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/raylog"
)

// What is measured in a turn.
const (
	durable    = 20                                   // durable appends, and synchronous writes
	grouped    = 16 * raylog.MaxGroup                 // grouped appends
	largeBytes = raylog.MaxGroup * raylog.RecordBytes // of a plain large write, as of the log's
)

// bench is what the measurements share.
type bench struct {
	logPath, plainPath string
	sizeBytes          int64 // of the log, and of the plain file

	log         *logstore.Log
	plain, sync *os.File // the plain file, for large writes and for synchronous ones
	data        []byte   // of a large write
	at          int64    // where the next plain write goes
}

// run takes the samples and counts.
func (b *bench) run(turns int) (r result, err error) {
	if err := b.prepare(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for range turns {
		for _, way := range []struct {
			samples *[]float64
			bytes   int
			do      func() error
		}{
			{&r.syncWrites, durable * raylog.RecordBytes, b.syncWrites},
			{&r.durable, durable * raylog.RecordBytes, func() error { return b.appends(durable, raylog.Warn) }},
			{&r.largeWrites, grouped * raylog.RecordBytes, b.largeWrites},
			{&r.grouped, grouped * raylog.RecordBytes, func() error { return b.appends(grouped, raylog.Info) }},
		} {
			start := time.Now()
			if err := way.do(); err != nil {
				return r, err
			}
			*way.samples = append(*way.samples, float64(way.bytes)/time.Since(start).Seconds())
		}
	}
	return r, b.count(&r)
}

// prepare writes both files once, so that no turn has to find room for them, and
// opens them.
func (b *bench) prepare() (err error) {
	for _, path := range []string{b.logPath, b.plainPath} {
		if err := write(path, b.sizeBytes); err != nil {
			return err
		}
	}
	if b.data, err = unix.Mmap(-1, 0, largeBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		return err
	}
	for i := range b.data {
		b.data[i] = byte(i * i >> 3)
	}
	if b.plain, err = os.OpenFile(b.plainPath, os.O_WRONLY|unix.O_DIRECT, 0); err != nil {
		return fmt.Errorf("direct writes are what is measured: %w", err)
	}
	if b.sync, err = os.OpenFile(b.plainPath, os.O_WRONLY|unix.O_DIRECT|unix.O_DSYNC, 0); err != nil {
		return err
	}
	if b.log, err = b.open(); err != nil {
		return err
	}
	return b.appends(1, raylog.Warn) // whatever the first write has to do besides
}

func (b *bench) open() (*logstore.Log, error) {
	return logstore.Open(logstore.Place{Path: b.logPath, SizeBytes: b.sizeBytes}, raylog.LogID{1}, raylog.BootID{1})
}

func write(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	zeros := make([]byte, largeBytes)
	for at := int64(0); err == nil && at < size; at += largeBytes {
		_, err = f.WriteAt(zeros[:min(largeBytes, size-at)], at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func (b *bench) close() error {
	return errors.Join(b.plain.Close(), b.sync.Close(), b.log.Close(), unix.Munmap(b.data))
}

// count opens the log once more, which may be full now, and counts.
func (b *bench) count(r *result) (err error) {
	if err := b.log.Close(); err != nil {
		return err
	}
	if b.log, err = b.open(); err != nil {
		return err
	}
	r.records, r.capacity, r.found = b.log.Found()
	e := entry(raylog.Info)
	r.allocations = testing.AllocsPerRun(4*raylog.MaxGroup, func() { err = errors.Join(err, b.log.Append(e)) })
	return err
}

func entry(l raylog.Level) raylog.Entry {
	return raylog.Entry{Level: l, Uptime: time.Second, Source: "bench", Message: "a message of an ordinary length, as a service says it"}
}

// appends appends n records, and waits until they are on the medium.
func (b *bench) appends(n int, level raylog.Level) error {
	e := entry(level)
	for range n {
		if err := b.log.Append(e); err != nil {
			return err
		}
	}
	return b.log.Flush()
}

// syncWrites are synchronous writes of 4 KiB, one behind the other.
func (b *bench) syncWrites() error {
	return b.writes(b.sync, b.data[:raylog.RecordBytes], durable)
}

// largeWrites are plain large writes, with one flush in the end.
func (b *bench) largeWrites() error {
	if err := b.writes(b.plain, b.data, grouped*raylog.RecordBytes/largeBytes); err != nil {
		return err
	}
	return unix.Fdatasync(int(b.plain.Fd()))
}

func (b *bench) writes(f *os.File, data []byte, n int) error {
	for range n {
		if b.at+int64(len(data)) > b.sizeBytes {
			b.at = 0
		}
		if _, err := f.WriteAt(data, b.at); err != nil {
			return err
		}
		b.at += int64(len(data))
	}
	return nil
}
