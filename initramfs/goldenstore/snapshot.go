package goldenstore

import (
	"context"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/golden"
)

// Take makes a golden snapshot of what was booted, a candidate, and reports
// whether there was none of it yet. entry is the key of the boot entry.
func (s Store) Take(ctx context.Context, booted golden.Booted, entry string) (taken golden.Snapshot, made bool, err error) {
	err = s.Change(ctx, func(v golden.Volume) error {
		taken, made, err = golden.Take(v, golden.Source{Booted: booted, Entry: entry, Open: s.Open, Key: s.Key}, control.InUse(v))
		return err
	})
	return taken, made, err
}

// Promote makes a candidate stable, and reports whether it was one.
func (s Store) Promote(ctx context.Context, id golden.Digest) (promoted bool, err error) {
	err = s.Change(ctx, func(v golden.Volume) error {
		promoted, err = golden.Promote(v, id)
		return err
	})
	return promoted, err
}
