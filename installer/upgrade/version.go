package upgrade

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// IDs of the entries that an upgrade deals with.
const (
	EntryID = "rayos"
	OldID   = "rayos-old"
	safeID  = "rayos-safe"
)

// Version is what an entry starts.
type Version struct {
	Entry   string        `json:"entry"` // its ID
	Release string        `json:"release"`
	Options string        `json:"options"`
	Kernel  golden.Digest `json:"kernel"`
	Initrd  golden.Digest `json:"initrd"` // zero: it has none

	entry  esp.Entry
	kernel golden.BootedPart
	initrd golden.BootedPart
}

// content identifies what is started, as a snapshot of it does.
func (v Version) content() golden.Digest {
	return golden.Snapshot{
		Kernel: golden.Part{SHA256: v.Kernel}, Initrd: golden.Part{SHA256: v.Initrd}, Options: v.Options,
	}.ID()
}

// find returns the entry with an ID.
func find(entries []esp.Entry, id string) (esp.Entry, bool) {
	i := slices.IndexFunc(entries, func(e esp.Entry) bool { return e.ID == id })
	if i < 0 {
		return esp.Entry{}, false
	}
	return entries[i], true
}

// readVersion reads what an entry starts, and compares it with what the entry pins.
func readVersion(v fs.FS, e esp.Entry) (Version, error) {
	x := Version{Entry: e.ID, Release: e.Version, Options: e.Options, entry: e}
	if e.Kind != esp.Type1 || e.Linux == "" {
		return x, fmt.Errorf("%s names no kernel", e.Path)
	}
	pins, err := e.Pins()
	if err != nil {
		return x, fmt.Errorf("%s: %w", e.Path, err)
	}
	if x.kernel, err = readPart(v, e.Linux); err != nil {
		return x, err
	}
	if len(e.Initrd) > 0 {
		if x.initrd, err = readPart(v, e.Initrd...); err != nil {
			return x, err
		}
	}
	x.Kernel, x.Initrd = x.kernel.SHA256, x.initrd.SHA256
	for _, pin := range []struct {
		want [sha256.Size]byte
		got  golden.Digest
		name string
	}{{pins.Linux, x.Kernel, e.Linux}, {pins.Initrd, x.Initrd, strings.Join(e.Initrd, ", ")}} {
		if pin.want != ([sha256.Size]byte{}) {
			if err := golden.Digest(pin.want).Verify(pin.name, pin.got); err != nil {
				return x, err
			}
		}
	}
	return x, nil
}

func readPart(v fs.FS, paths ...string) (golden.BootedPart, error) {
	p := golden.BootedPart{Paths: paths, Slot: -1}
	r, err := open(v, p)
	if err != nil {
		return p, err
	}
	h := sha256.New()
	p.LengthBytes, err = io.Copy(h, r)
	p.SHA256 = golden.Digest(h.Sum(nil))
	return p, errors.Join(err, r.Close())
}

// initrdAlign is where the kernel looks for the next archive after one: of several files
// each is padded to a multiple of it.
const initrdAlign = 4

// open opens the files of a part, one behind the other.
func open(v fs.FS, p golden.BootedPart) (io.ReadCloser, error) {
	all := &joined{}
	var readers []io.Reader
	for _, name := range p.Paths {
		f, err := v.Open(name)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.files, readers = append(all.files, f), append(readers, f)
		if len(p.Paths) > 1 {
			info, err := f.Stat()
			if err != nil {
				return nil, errors.Join(err, all.Close())
			}
			readers = append(readers, strings.NewReader(strings.Repeat("\x00", int(-info.Size()&(initrdAlign-1)))))
		}
	}
	all.Reader = io.MultiReader(readers...)
	return all, nil
}

// joined are files that are read one behind the other.
type joined struct {
	io.Reader
	files []fs.File
}

// Close closes all files.
func (j *joined) Close() (err error) {
	for _, f := range j.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// starts are the files that entries start, in lower case.
func starts(entries []esp.Entry) map[string]bool {
	files := map[string]bool{}
	for _, e := range entries {
		for _, name := range append([]string{e.Image()}, e.Initrd...) {
			files[strings.ToLower(name)] = true
		}
	}
	return files
}

// unused lists the kernels and initrds of RayOS that no entry starts.
func unused(v fs.FS, entries []esp.Entry) (list []string, err error) {
	files, err := fs.ReadDir(v, esp.RayOSDir)
	if err != nil {
		return nil, err
	}
	needed := starts(entries)
	for _, f := range files {
		name := path.Join(esp.RayOSDir, f.Name())
		if isSystem(name) && !f.IsDir() && !needed[strings.ToLower(name)] {
			list = append(list, name)
		}
	}
	return list, nil
}
