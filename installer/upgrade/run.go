package upgrade

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// OldManagerPath is where the boot manager that was replaced last lies.
const OldManagerPath = esp.RayOSDir + "/rayboot-old.efi"

// Run does the upgrade, and names each step before it begins. It may be run again after a
// cut of the power, with a new plan.
func (p Plan) Run(v Volume, step func(name string)) error {
	for _, s := range []struct {
		name string
		when bool
		do   func(v Volume) error
	}{
		{"keep a golden snapshot of the old version", p.Kept != nil, p.snapshot},
		{"keep an entry for the old version", p.Kept != nil, p.keepEntries},
		{"take what changes out of the list of digests", !p.Nothing(), p.shrinkManifest},
		{"drop versions that no entry starts", true, p.drop},
		{"write the new kernel and runtime", p.System, p.writeSystem},
		{"replace the boot manager", p.Manager, p.writeManager},
		{"have the installer start the new version", p.System && len(p.installers) > 0, p.moveInstallers},
		{"make the old version the next choice after the new one", p.Kept != nil, p.chooseOld},
		{"boot the new version from now on", p.System, p.commit},
		{"drop versions that no entry starts", true, p.drop},
		{"list the digests", true, p.writeManifest},
	} {
		if !s.when {
			continue
		}
		step(s.name)
		if err := s.do(v); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return p.check(v)
}

// Forget has the new version begin with a clean record: its failures and those of the old
// one are forgotten, and so is an attempt at the one before. Recovery ends.
func (p Plan) Forget(r record.Record) (record.Record, bool) {
	fresh := r.Clone()
	ids := []string{EntryID, OldID}
	for _, e := range p.installers {
		ids = append(ids, e.ID)
	}
	for _, id := range ids {
		fresh, _ = bootmenu.Enable(fresh, record.Key(id))
	}
	fresh, _ = bootmenu.CancelRecovery(fresh)
	fresh.Open = record.Attempt{}
	return fresh, !fresh.Equal(r)
}

// snapshot makes a golden snapshot of the version to keep, unless there is one. It is stable:
// somebody who upgrades a machine vouches for what it runs.
func (p Plan) snapshot(v Volume) error {
	k := p.Kept
	src := golden.Source{
		Booted: golden.Booted{
			Title: strings.TrimSpace(k.entry.Title + " " + k.Release), Kernel: k.kernel, Initrd: k.initrd, Options: k.Options,
		},
		Entry: record.Key(EntryID), Key: p.req.Key,
		Open: func(part golden.BootedPart) (io.ReadCloser, error) { return open(v, part) },
	}
	s, _, err := golden.Take(v, src, control.InUse(v))
	if err != nil {
		return err
	}
	if p.req.Key != nil && s.CheckSignature(p.req.Key) != nil {
		if err := p.sign(v, s); err != nil {
			return err
		}
	}
	if s.State == golden.Stable {
		return nil
	}
	_, err = golden.Promote(v, s.ID())
	return err
}

// sign signs a snapshot that is there.
func (p Plan) sign(v Volume, s golden.Snapshot) error {
	s.Sign(p.req.Private)
	if err := s.CheckSignature(p.req.Key); err != nil {
		return fmt.Errorf("%w: the key that signs is another one", err)
	}
	b, err := golden.EncodeManifest(s)
	if err != nil {
		return err
	}
	return v.Replace(path.Join(golden.Dir, s.Name()), golden.ManifestBytes, bytes.NewReader(b[:]))
}

// previous is what the title of the old version ends with.
const previous = " (previous)"

// keepEntries makes rayos-old start the version to keep, and the safe mode, too.
func (p Plan) keepEntries(v Volume) error {
	old := p.Kept.in(p.Kept.entry)
	old.SortKey = OldID
	if !strings.HasSuffix(old.Title, previous) {
		old.Title += previous
	}
	if err := putEntry(v, esp.EntryPath(OldID), old); err != nil {
		return err
	}
	return p.moveSafe(v, *p.Kept)
}

// moveSafe has the safe mode start a version.
func (p Plan) moveSafe(v Volume, to Version) error {
	entries, _ := esp.Discover(v, esp.X64)
	safe, ok := find(entries, safeID)
	if !ok || safe.Kind != esp.Type1 || safe.Linux == "" {
		return nil
	}
	return move(v, safe, to)
}

// moveInstallers has the installer of a stick start the new version, which it installs, too.
func (p Plan) moveInstallers(v Volume) error {
	for _, e := range p.installers {
		if err := move(v, e, p.New); err != nil {
			return err
		}
	}
	return nil
}

// move has an entry start a version, with the command line that it has.
func move(v Volume, e esp.Entry, to Version) error {
	to.Options = e.Options
	return putEntry(v, e.Path, to.in(e))
}

// putEntry writes an entry file, unless it has that content.
func putEntry(v Volume, name string, e esp.Entry) error {
	text, err := esp.FormatType1(e)
	if err != nil {
		return err
	}
	return put(v, name, text)
}

// put makes or replaces a file, unless it has that content.
func put(v Volume, name string, data []byte) error {
	info, err := fs.Stat(v, name)
	var old []byte
	if err == nil && info.Size() == int64(len(data)) {
		old, err = fs.ReadFile(v, name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = v.Create(name, int64(len(data)), bytes.NewReader(data))
	case err == nil && (info.Size() != int64(len(data)) || !bytes.Equal(old, data)):
		err = v.Replace(name, int64(len(data)), bytes.NewReader(data))
	}
	if err != nil {
		return err
	}
	got, err := fs.ReadFile(v, name)
	if err == nil && !bytes.Equal(got, data) {
		err = errors.New("the medium holds something else than was written")
	}
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	return nil
}

// drop removes kernels and initrds that nothing starts, the oldest versions that is.
func (p Plan) drop(v Volume) error {
	entries, problems := esp.Discover(v, esp.X64)
	if len(problems) > 0 {
		return nil // what an entry that cannot be read starts is not known
	}
	files, err := unused(v, entries)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := v.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func (p Plan) writeSystem(v Volume) error {
	if err := put(v, p.New.entry.Linux, p.req.System.Kernel); err != nil {
		return err
	}
	if len(p.New.entry.Initrd) == 0 {
		return nil
	}
	return put(v, p.New.entry.Initrd[0], p.req.System.Initrd)
}

// writeManager puts the new boot manager in the place of the old one, which stays beside it.
func (p Plan) writeManager(v Volume) error {
	now, err := readIfThere(v, esp.ManagerPath, maxManagerBytes)
	if err != nil {
		return err
	}
	if now != nil && !bytes.Equal(now, p.req.Manager) {
		if err := put(v, OldManagerPath, now); err != nil {
			return err
		}
	}
	if err := put(v, esp.ManagerPath, p.req.Manager); err != nil || !p.removable {
		return err
	}
	return put(v, esp.RemovablePathX64, p.req.Manager)
}

// defaultPattern matches the entry rayos, and then, as the menu has them in this order,
// rayos-old.
const defaultPattern = EntryID + "*"

// chooseOld has loader.conf name the old version as well: where entries of other systems
// come first in the menu, one of those would be next otherwise.
func (p Plan) chooseOld(v Volume) error {
	conf, _ := esp.ReadLoaderConf(v)
	if conf.Default != EntryID {
		return nil
	}
	text, err := readIfThere(v, esp.LoaderConfPath, maxTextBytes)
	if err != nil {
		return err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "default" && strings.EqualFold(words[1], EntryID) {
			line = "default " + defaultPattern + "\n"
		}
		lines = append(lines, line)
	}
	return put(v, esp.LoaderConfPath, []byte(strings.Join(lines, "")))
}

// commit is the write from which on the machine boots the new version.
func (p Plan) commit(v Volume) error {
	if p.Kept == nil {
		if err := p.moveSafe(v, p.New); err != nil {
			return err
		}
	}
	return putEntry(v, p.current.Path, p.New.entry)
}
