package pid1

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/markers"
)

// attempt is what the boot manager wrote down of this boot, and what is told it
// of how the boot goes.
type attempt struct {
	nonce  record.Nonce   // zero if the boot manager handed over none
	booted *golden.Booted // what it started; nil if it did not say

	device string         // of the ESP with the record, "" if the boot disk was not found
	open   record.Attempt // as it was found there; of kind NoAttempt if this boot is not counted
	looked error          // why it is not known whether this boot is counted
}

// readAttempt takes the attempt as the boot manager handed it over.
func (b *boot) readAttempt(nonce, booted string) (problem error) {
	if nonce != "" {
		b.attempt.nonce, problem = record.ParseNonce(nonce)
	}
	if booted == "" {
		return problem
	}
	all, err := golden.ParseBooted(booted)
	if err == nil {
		b.attempt.booted = &all
	}
	return errors.Join(problem, err)
}

// wasAttempted reports whether the boot manager handed over an attempt.
func (b *boot) wasAttempted() bool { return b.attempt.nonce != record.Nonce{} }

// openAttempt returns this boot's attempt as it stands in the record of an ESP.
func (b *boot) openAttempt(partition string) (record.Attempt, error) {
	loaded, err := bootstate.Load(b.device(partition), b.wanted.InstallID)
	if err == nil {
		err = unusable(loaded)
	}
	if open := loaded.Record.Open; err == nil && open.Kind != record.NoAttempt && open.Nonce == b.attempt.nonce {
		return open, nil
	}
	return record.Attempt{}, err
}

// unusable says why a record is not the one of this machine; nil if it is.
func unusable(l record.Loaded) error {
	if l.Status == record.Good || l.Status == record.Degraded {
		return nil
	}
	return fmt.Errorf("boot state: %w", l.Problem)
}

// isAttempted reports whether the boot manager began this boot's attempt on an
// ESP. One whose record cannot be read is not it.
func (b *boot) isAttempted(partition string) bool {
	open, _ := b.openAttempt(partition)
	return open.Kind != record.NoAttempt
}

func (b *boot) device(partition string) string { return filepath.Join(b.root, "dev", partition) }

// findAttempt looks for this boot's attempt on the boot disk, and says so if there
// is none.
func (b *boot) findAttempt() {
	if !b.wasAttempted() {
		b.say("this boot is not counted: the boot loader handed over no attempt")
		return
	}
	b.attempt.looked = errors.New("the boot disk was not found")
	if partition := b.disk.Partition; partition != "" {
		b.attempt.device = b.device(partition)
		b.attempt.open, b.attempt.looked = b.openAttempt(partition)
	}
	switch {
	case b.attempt.looked != nil:
		b.warn("what becomes of this boot cannot be recorded: %v", b.attempt.looked)
	case b.attempt.open.Kind == record.NoAttempt:
		b.warn("this boot is not counted: the boot manager has not recorded it")
	}
}

// change changes the record of this boot's attempt and makes that durable. Where
// there is no attempt of this boot, there is nothing to change.
func (b *boot) change(change func(record.Record, record.Nonce) (record.Record, bool)) error {
	if b.attempt.looked != nil || b.attempt.open.Kind == record.NoAttempt {
		return b.attempt.looked
	}
	var lost error
	_, err := bootstate.Update(b.attempt.device, b.wanted.InstallID, func(l record.Loaded) (record.Record, bool) {
		if lost = unusable(l); lost != nil {
			return l.Record, false
		}
		return change(l.Record, b.attempt.nonce)
	})
	return errors.Join(err, lost)
}

// tell changes the record as [boot.change] does. That it could not is said, once
// if there never was a chance, and the boot goes on.
func (b *boot) tell(what string, change func(record.Record, record.Nonce) (record.Record, bool)) {
	if err := b.change(change); err != nil && b.attempt.looked == nil {
		b.warn("%s could not be recorded: %v", what, err)
	}
}

// recordStage writes down how far this boot has come.
func (b *boot) recordStage(s markers.BootStage) {
	b.tell(s.String(), func(r record.Record, n record.Nonce) (record.Record, bool) {
		return bootmenu.Reach(r, n, record.BootStage(s))
	})
}

// closeAttempt writes down that this boot ends in order.
func (b *boot) closeAttempt() { b.tell("the orderly end of this boot", bootmenu.Close) }

// bless writes down that this boot is good.
func (b *boot) bless() error { return b.change(bootmenu.Bless) }
