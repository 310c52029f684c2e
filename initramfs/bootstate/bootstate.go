// Package bootstate reads and changes the boot-state record of the boot disk
// from the booted system. The ESP stays mounted read-only: the record's file is
// found on the partition itself and changed in place, so that no crash can leave
// the file system in disorder.
//
// Process 1 and the commands of the shell all go through [Update], one at a time.
package bootstate

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
)

// partition is the block device of an ESP.
type partition struct{ *os.File }

// Sync makes what was written durable and forgets what is cached, so that the
// next read asks the disk.
func (p partition) Sync() error {
	if err := p.File.Sync(); err != nil {
		return err
	}
	return p.forget()
}

func (p partition) forget() error {
	if err := unix.Fadvise(int(p.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop the cache of %s: %w", p.Name(), err)
	}
	return nil
}

// Load reads the record on the partition.
func Load(device, installID string) (record.Loaded, error) {
	p, size, err := open(device, os.O_RDONLY)
	if err != nil {
		return record.Loaded{}, fmt.Errorf("boot state: %w", err)
	}
	defer p.Close()
	_, loaded := record.Open(volume.On(p, size), installID)
	return loaded, nil
}

func open(device string, mode int) (partition, int64, error) {
	f, err := os.OpenFile(device, mode, 0)
	if err != nil {
		return partition{}, 0, err
	}
	p := partition{f}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = p.forget()
	}
	if err != nil {
		return partition{}, 0, errors.Join(err, f.Close())
	}
	return p, size, nil
}

// Update changes the record on the partition and makes it durable. change
// reports whether there is anything to change; Update reports the same. Others
// wait meanwhile.
func Update(device, installID string, change func(record.Record) (record.Record, bool)) (changed bool, err error) {
	p, size, err := open(device, os.O_RDWR)
	if err != nil {
		return false, fmt.Errorf("boot state: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	// The kernel releases the lock with the file.
	if err := unix.Flock(int(p.Fd()), unix.LOCK_EX); err != nil {
		return false, fmt.Errorf("boot state: lock %s: %w", device, err)
	}
	store, loaded := record.Open(volume.On(p, size), installID)
	r, changed := change(loaded.Record)
	if !changed {
		return false, nil
	}
	return true, store.Save(r)
}

// HasAttempt reports whether the record on the partition has the open attempt
// with this nonce: whether this is the disk that the boot manager wrote to just
// now. An install ID of another installation does not matter here.
func HasAttempt(device, installID string, nonce record.Nonce) bool {
	loaded, err := Load(device, installID)
	return err == nil && loaded.Record.Open.Kind != record.NoAttempt && loaded.Record.Open.Nonce == nonce
}
