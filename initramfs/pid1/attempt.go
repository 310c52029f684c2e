package pid1

import (
	"path/filepath"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/markers"
)

// attempt is what the boot manager wrote down of this boot, and what is told it
// of how the boot goes.
type attempt struct {
	device    string // of the ESP with the record, "" if there is none
	nonce     record.Nonce
	installID string
}

// readAttempt takes the attempt's name as the boot manager handed it over.
func (b *boot) readAttempt(text string) error {
	if text == "" {
		return nil
	}
	nonce, err := record.ParseNonce(text)
	b.attempt.nonce = nonce
	return err
}

// isAttempted reports whether the boot manager began this boot's attempt on an
// ESP.
func (b *boot) isAttempted(partition string) bool {
	return b.attempt.nonce != (record.Nonce{}) &&
		bootstate.HasAttempt(filepath.Join(b.root, "dev", partition), b.wanted.InstallID, b.attempt.nonce)
}

// attemptOn says which ESP has the record.
func (b *boot) attemptOn(partition string) {
	b.attempt.device, b.attempt.installID = filepath.Join(b.root, "dev", partition), b.wanted.InstallID
}

// change changes the record of this boot's attempt. Where there is no record,
// or no attempt of this boot, there is nothing to change.
func (b *boot) change(what string, change func(record.Record, record.Nonce) (record.Record, bool)) error {
	if b.attempt.device == "" || b.attempt.nonce == (record.Nonce{}) {
		return nil
	}
	_, err := bootstate.Update(b.attempt.device, b.attempt.installID, func(r record.Record) (record.Record, bool) {
		return change(r, b.attempt.nonce)
	})
	if err != nil {
		b.say("%s could not be recorded: %v", what, err)
	}
	return err
}

// recordStage writes down how far this boot has come. That it could not is said,
// and changes nothing.
func (b *boot) recordStage(s markers.BootStage) {
	_ = b.change(s.String(), func(r record.Record, n record.Nonce) (record.Record, bool) {
		return bootmenu.Reach(r, n, record.BootStage(s))
	})
}

// bless writes down that this boot is good.
func (b *boot) bless() error { return b.change("This good boot", bootmenu.Bless) }

// closeAttempt writes down that this boot ends in order.
func (b *boot) closeAttempt() { _ = b.change("The orderly end of this boot", bootmenu.Close) }
