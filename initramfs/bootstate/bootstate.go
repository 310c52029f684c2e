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
	"os"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
)

// Load reads the record on the partition.
func Load(device, installID string) (record.Loaded, error) {
	var loaded record.Loaded
	err := with(device, os.O_RDONLY, func(_ *partition, file record.Medium) error {
		_, loaded = record.Open(file, installID)
		return nil
	})
	return loaded, err
}

// with opens the record's file on a partition for as long as do runs.
func with(device string, mode int, do func(*partition, record.Medium) error) (err error) {
	p, err := openPartition(device, mode)
	if err != nil {
		return fmt.Errorf("boot state: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	size, err := p.size()
	if err != nil {
		return fmt.Errorf("boot state: size of the partition: %w", err)
	}
	return do(p, volume.On(p, size))
}

// Update changes the record on the partition and makes it durable. change gets
// what was found and reports whether there is anything to change; Update reports
// the same. Others wait meanwhile.
func Update(device, installID string, change func(record.Loaded) (record.Record, bool)) (changed bool, err error) {
	err = with(device, os.O_RDWR, func(p *partition, file record.Medium) error {
		if err := p.lock(); err != nil {
			return fmt.Errorf("boot state: %w", err)
		}
		store, loaded := record.Open(file, installID)
		var r record.Record
		if r, changed = change(loaded); !changed {
			return nil
		}
		return store.Save(r)
	})
	return changed, err
}
