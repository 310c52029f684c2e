package upgrade

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// check looks whether all is as planned.
func (p Plan) check(v Volume) error {
	entries, _ := esp.Discover(v, esp.X64)
	err := starting(v, entries, EntryID, p.New)
	if p.Kept != nil {
		err = errors.Join(err, starting(v, entries, OldID, *p.Kept))
	}
	for _, e := range p.installers {
		want := p.New
		want.Options = e.Options
		err = errors.Join(err, starting(v, entries, e.ID, want))
	}
	if err != nil || p.Kept == nil {
		return err
	}
	s, ok := snapshotOf(v, *p.Kept)
	if !ok || s.State != golden.Stable {
		return errors.New("check the golden snapshot: it is not there")
	}
	if p.req.Key != nil {
		return s.CheckSignature(p.req.Key)
	}
	return nil
}

// starting says why an entry does not start a version.
func starting(v fs.FS, entries []esp.Entry, id string, want Version) error {
	e, ok := find(entries, id)
	if !ok {
		return fmt.Errorf("check entry %s: it is not there", id)
	}
	got, err := readVersion(v, e)
	if err == nil && got.content() != want.content() {
		err = errors.New("it starts something else")
	}
	if err != nil {
		return fmt.Errorf("check entry %s: %w", id, err)
	}
	return nil
}
