package control

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// restore rewrites an entry so that it starts the parts of a snapshot, with the
// snapshot's command line. Without a name it is the entry that the snapshot was
// taken of.
func restore(c *Call) error {
	all, _ := golden.List(c.Store)
	s, err := c.pick(all)
	if err != nil {
		return err
	}
	_, kernels, err := c.Machine.Slots()
	if err != nil {
		return err
	}
	if err := golden.Verify(c.Store, kernels, s); err != nil {
		return fmt.Errorf("nothing was restored: %w", err)
	}
	id := s.Entry
	if len(c.Args) > 1 {
		id = c.Args[1]
	}
	target, err := entryToRestore(c.Store, id)
	if err != nil {
		return err
	}
	restored, err := restored(target, s)
	if err != nil {
		return err
	}
	if err := c.confirm(fmt.Sprintf("Entry %s will start snapshot %s (%s); what it starts now is no longer named in it.", target.ID, bootmenu.ShortID(s.ID()), s.Title)); err != nil {
		return err
	}
	if err := c.Store.Replace(target.Path, restored); err != nil {
		return err
	}
	if _, err := c.Machine.Update(func(r record.Record) (record.Record, bool) { return bootmenu.Enable(r, record.Key(target.ID)) }); err != nil {
		return fmt.Errorf("%s is restored; that it may be started again could not be saved: %w; enable it with bootmgr enable %s", target.ID, err, target.ID)
	}
	return c.done(true, fmt.Sprintf("%s starts snapshot %s from now on.", target.ID, bootmenu.ShortID(s.ID())))
}

// entryToRestore finds the Type #1 entry with an ID.
func entryToRestore(volume fs.FS, id string) (esp.Entry, error) {
	found, _ := esp.Discover(volume, esp.X64)
	for _, e := range found {
		if record.Key(e.ID) != id && e.ID != id && e.LoaderID != id {
			continue
		}
		if e.Kind != esp.Type1 {
			return esp.Entry{}, fmt.Errorf("%s is a single file, /%s: it cannot be made to start a snapshot", id, e.Path)
		}
		return e, nil
	}
	return esp.Entry{}, fmt.Errorf("no entry file %s on the ESP: name the entry that is to start the snapshot", cmp.Or(id, "is known"))
}

// restored is the text of the entry that starts the snapshot.
func restored(e esp.Entry, s golden.Snapshot) ([]byte, error) {
	if s.Kernel.Slot >= 0 || s.Initrd.LengthBytes > 0 && s.Initrd.Slot >= 0 {
		return nil, fmt.Errorf("snapshot %s lies in a kernel slot, which no entry file can name", bootmenu.ShortID(s.ID()))
	}
	e.Linux, e.EFI = path.Join(golden.Dir, s.Kernel.FileName()), ""
	e.Initrd, e.Options = nil, s.Options
	pins := esp.Pins{Linux: s.Kernel.SHA256}
	if s.Initrd.LengthBytes > 0 {
		e.Initrd = []string{path.Join(golden.Dir, s.Initrd.FileName())}
		pins.Initrd = s.Initrd.SHA256
	}
	kept := pins.Private()
	for _, p := range e.Private {
		if p.Key != esp.LinuxPinKey && p.Key != esp.InitrdPinKey {
			kept = append(kept, p)
		}
	}
	e.Private = kept
	return esp.FormatType1(e)
}
