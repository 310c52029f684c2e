package upgrade

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// Volume is the ESP of the installed system. Whatever one of its methods changes is
// durable when it returns, and no cut of the power leaves a file that is neither as it was
// nor as it is to be.
type Volume interface {
	golden.Volume
	// Replace gives a file that exists another content.
	Replace(name string, size int64, r io.Reader) error
}

// System is a new kernel with what belongs to it.
type System struct {
	Release string
	Kernel  []byte
	Initrd  []byte // may be empty
	Options string // command line; "" keeps the one that the disk has
}

// Request says what is wanted.
type Request struct {
	Manager []byte // boot manager
	System  System
	State   record.Record
	Key     ed25519.PublicKey  // that the boot manager of the disk wants snapshots to be signed with; nil if it wants none
	Private ed25519.PrivateKey // that belongs to Key; nil: nothing can be signed
}

// Errors of New.
var (
	ErrForeign  = errors.New("RayOS is not installed on it; install it with rayimg install")
	ErrUnsigned = errors.New("its boot manager uses only golden snapshots that are signed, and there is none of the version that is to be kept; add --golden-key with the private key that belongs to it")
)

// Plan is what an upgrade does. Its JSON names are part of rayimg's interface.
type Plan struct {
	New     Version       `json:"new"`             // what the machine boots afterwards
	Kept    *Version      `json:"kept,omitempty"`  // what it comes back to; nil if nothing can be
	Golden  golden.Digest `json:"golden"`          // the snapshot of Kept; zero: none
	Signed  bool          `json:"signed"`          // that snapshot has to be and is signed
	Manager bool          `json:"manager"`         // the boot manager is replaced
	System  bool          `json:"system"`          // kernel, runtime or command line change
	Notes   []string      `json:"notes,omitempty"` // for the user

	req        Request
	current    esp.Entry
	installers []esp.Entry // of a stick; they start what the entry rayos starts
	removable  bool        // the boot manager at the removable path is ours
}

// Nothing reports whether the disk has the new version already.
func (p Plan) Nothing() bool { return !p.Manager && !p.System }

// New plans an upgrade of what is on the ESP.
func New(v fs.FS, req Request) (Plan, error) {
	p := Plan{req: req}
	entries, problems := esp.Discover(v, esp.X64)
	if len(problems) > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%v; old versions are not dropped, as it is not known what it starts", problems[0]))
	}
	var ok bool
	if p.current, ok = find(entries, EntryID); !ok || p.current.Kind != esp.Type1 {
		return p, fmt.Errorf("there is no entry %s on its ESP: %w", EntryID, ErrForeign)
	}
	if err := p.planManager(v); err != nil {
		return p, err
	}
	now, nowErr := readVersion(v, p.current)
	p.planNew(now, entries, v)
	if nowErr == nil && now.content() == p.New.content() {
		p.New.entry = p.current
		p.noteIfDisabled()
		return p, nil
	}
	p.System = true
	p.planInstallers(entries)
	p.noteDefault(v)
	p.planKept(v, now, nowErr, entries)
	if p.Kept != nil {
		p.Golden, p.Signed = p.Kept.content(), req.Key != nil
		return p, p.canSign(v)
	}
	return p, nil
}

func (p *Plan) noteIfDisabled() {
	if item := p.req.State.Find(record.Key(EntryID)); item != nil && item.Disabled {
		p.Notes = append(p.Notes, fmt.Sprintf("the disk has this version, and it has failed %d times: rayimg bootmgr enable DISK %s has it tried again", item.Failures, EntryID))
	}
}

// noteDefault says so where the machine boots something else by itself.
func (p *Plan) noteDefault(v fs.FS) {
	conf, _ := esp.ReadLoaderConf(v)
	which := cmp.Or(p.req.State.Default, conf.Default)
	moves := func(e esp.Entry) bool { return esp.MatchID(which, e.ID) }
	if which != "" && !esp.MatchID(which, EntryID) && !slices.ContainsFunc(p.installers, moves) {
		p.Notes = append(p.Notes, fmt.Sprintf("the default entry is %s: the new version is not started by itself; choose it in the menu, or: rayimg bootmgr set-default DISK %s", which, EntryID))
	}
}

// installers are the entries that install from this disk.
func installers(entries []esp.Entry) (list []esp.Entry) {
	for _, e := range entries {
		if e.Role() == esp.RoleInstaller && e.Kind == esp.Type1 && isSystem(e.Linux) {
			list = append(list, e)
		}
	}
	return list
}

// planInstallers has them start the new version, too: a stick that installs one version with
// another one's installer is not what is wanted.
func (p *Plan) planInstallers(entries []esp.Entry) {
	p.installers = installers(entries)
	for _, e := range p.installers {
		p.Notes = append(p.Notes, fmt.Sprintf("the installer, entry %s, starts the new version, too", e.ID))
	}
}

// planManager finds out which boot managers have to be replaced.
func (p *Plan) planManager(v fs.FS) error {
	ours, err := readIfThere(v, esp.ManagerPath, maxManagerBytes)
	if err != nil {
		return err
	}
	removable, err := readIfThere(v, esp.RemovablePathX64, maxManagerBytes)
	if err != nil {
		return err
	}
	old, err := readIfThere(v, OldManagerPath, maxManagerBytes)
	if err != nil {
		return err
	}
	p.removable = removable == nil || bytes.Equal(removable, ours) || bytes.Equal(removable, old)
	if !p.removable && !bytes.Equal(removable, p.req.Manager) {
		p.Notes = append(p.Notes, fmt.Sprintf("%s is not RayOS's boot manager and stays as it is", esp.RemovablePathX64))
	}
	p.Manager = !bytes.Equal(ours, p.req.Manager) || p.removable && !bytes.Equal(removable, p.req.Manager)
	return nil
}

// planNew describes the new version. A kernel or an initrd that is there already stays where
// it is.
func (p *Plan) planNew(now Version, entries []esp.Entry, v fs.FS) {
	s := &p.req.System
	options := s.Options
	if options == "" {
		options = p.current.Options
	}
	n := Version{Entry: EntryID, Release: s.Release, Options: options, Kernel: golden.Sum(s.Kernel)}
	n.kernel = golden.BootedPart{Paths: []string{esp.KernelPath(s.Release + "-" + short(n.Kernel))}, Slot: -1}
	if now.Kernel == n.Kernel {
		n.kernel.Paths = now.kernel.Paths
	}
	if len(s.Initrd) > 0 {
		n.Initrd = golden.Sum(s.Initrd)
		n.initrd = golden.BootedPart{Paths: []string{esp.InitrdPath(s.Release + "-" + short(n.Initrd))}, Slot: -1}
		if now.Initrd == n.Initrd && len(now.initrd.Paths) == 1 {
			n.initrd.Paths = now.initrd.Paths
		}
	}
	n.entry = n.in(p.current)
	p.New = n
}

// short is the part of a digest that tells files of one release apart.
func short(d golden.Digest) string { return d.String()[:8] }

// in is an entry that starts the version, otherwise like another one.
func (x Version) in(e esp.Entry) esp.Entry {
	e.Version, e.Options = x.Release, x.Options
	e.Linux, e.EFI, e.UKI, e.Initrd = x.kernel.Paths[0], "", "", x.initrd.Paths
	private := esp.Pins{Linux: x.Kernel, Initrd: x.Initrd}.Private()
	for _, line := range e.Private {
		if line.Key != esp.LinuxPinKey && line.Key != esp.InitrdPinKey && line.Key != esp.BlessKey {
			private = append(private, line)
		}
	}
	e.Private = append(private, esp.BlessByRuntime())
	return e
}

// planKept chooses what the machine comes back to: what it boots now, unless that is known to
// be bad, or is not known to be good while there is something older that is.
func (p *Plan) planKept(v fs.FS, now Version, nowErr error, entries []esp.Entry) {
	var old *Version
	if e, ok := find(entries, OldID); ok {
		if x, err := readVersion(v, e); err == nil && !p.disabled(OldID) {
			old = &x
		}
	}
	switch {
	case nowErr == nil && !p.disabled(EntryID) && (old == nil || proven(v, now)):
		p.Kept = &now
	case old != nil:
		p.Kept = old
		why := "was never a good boot"
		if p.req.Key != nil {
			why = "is not known to be a good boot: where snapshots must be signed, `recovery snapshot` on the machine makes it known"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("what the entry %s starts now %s; %s stays what the machine comes back to", EntryID, why, OldID))
	case nowErr == nil:
		p.Kept = &now // better than nothing
	default:
		p.Notes = append(p.Notes, fmt.Sprintf("nothing of what is on the disk can be kept: %v", nowErr))
	}
}

func (p *Plan) disabled(id string) bool {
	item := p.req.State.Find(record.Key(id))
	return item != nil && item.Disabled
}

// proven reports whether a boot of the version was good: it left a stable snapshot.
func proven(v fs.FS, x Version) bool {
	s, ok := snapshotOf(v, x)
	return ok && s.State == golden.Stable
}

func snapshotOf(v fs.FS, x Version) (golden.Snapshot, bool) {
	all, _ := golden.List(v)
	for _, s := range all {
		if s.ID() == x.content() {
			return s, true
		}
	}
	return golden.Snapshot{}, false
}

// canSign says why the snapshot of the version to keep would not be used.
func (p *Plan) canSign(v fs.FS) error {
	if p.req.Key == nil || p.req.Private != nil {
		return nil
	}
	if s, ok := snapshotOf(v, *p.Kept); ok && s.CheckSignature(p.req.Key) == nil {
		return nil
	}
	return ErrUnsigned
}

// Bounds of what is read of an ESP, in bytes.
const (
	maxManagerBytes = 64 << 20
	maxTextBytes    = 64 << 10
)

// readIfThere reads a file of at most limit bytes, nil if there is none.
func readIfThere(v fs.FS, name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(v, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Size() > limit:
		return nil, fmt.Errorf("read %s: %d bytes, at most %d are read", name, info.Size(), limit)
	}
	return fs.ReadFile(v, name)
}
