package golden

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Source is a system that was booted, and where its parts can be read now.
type Source struct {
	Booted Booted
	Entry  string                                       // key of the boot entry
	Open   func(part BootedPart) (io.ReadCloser, error) // reads a part from where it was booted
	Key    ed25519.PublicKey                            // that the boot manager wants signatures of; nil if it wants none
}

// usable reports whether the boot manager would start a snapshot that is there.
func (src Source) usable(v fs.FS, s Snapshot) bool {
	return (src.Key == nil || s.CheckSignature(src.Key) == nil) && Verify(v, nil, s) == nil
}

// ErrChanged is in the chain of the error of Take for a part that is not what
// was booted any more.
var ErrChanged = errors.New("it has changed since it was booted; no snapshot is taken")

// Take makes a candidate of what was booted, and reports whether there was no
// snapshot of it yet. If there was, it writes nothing. The parts come first, each
// read back, then the manifest: a cut of the power leaves no snapshot that is not
// whole. inUse reports whether a boot entry starts a file of the store.
func Take(v Volume, src Source, inUse func(part string) bool) (s Snapshot, made bool, err error) {
	s = Snapshot{
		State: Candidate, Entry: src.Entry, Title: src.Booted.Title, Options: src.Booted.Options,
		Kernel: storedPart(src.Booted.Kernel), Initrd: storedPart(src.Booted.Initrd),
	}
	if err := s.Check(); err != nil {
		return Snapshot{}, false, fmt.Errorf("take a snapshot: %w", err)
	}
	all, _ := List(v)
	for _, old := range all {
		if old.ID() == s.ID() {
			return old, false, nil
		}
		s.Sequence = max(s.Sequence, old.Sequence)
	}
	s.Sequence++
	if err := makeRoom(v, src, all, s, inUse); err != nil {
		return Snapshot{}, false, fmt.Errorf("take a snapshot: %w", err)
	}
	if err := write(v, src, s); err != nil {
		return Snapshot{}, false, errors.Join(fmt.Errorf("take a snapshot: %w", err), collect(v, inUse))
	}
	return s, true, nil
}

func storedPart(p BootedPart) Part {
	return Part{LengthBytes: p.LengthBytes, SHA256: p.SHA256, Slot: noSlot}
}

func write(v Volume, src Source, s Snapshot) error {
	for _, part := range []struct {
		what   string
		booted BootedPart
		stored Part
	}{{"kernel", src.Booted.Kernel, s.Kernel}, {"initrd", src.Booted.Initrd, s.Initrd}} {
		if part.stored.LengthBytes == 0 {
			continue
		}
		if err := copyPart(v, src, part.what, part.booted, part.stored); err != nil {
			return err
		}
	}
	if err := removeIfThere(v, path.Join(Dir, s.Name())); err != nil {
		return err // what a cut left of it is in the way
	}
	return createManifest(v, s)
}

// copyPart copies a part into the store and reads it back. One that is there
// already and whole is left as it is.
func copyPart(v Volume, src Source, what string, booted BootedPart, stored Part) error {
	name := path.Join(Dir, stored.FileName())
	err := stored.verify(v, nil, what)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if err := v.Remove(name); err != nil {
			return err
		}
	}
	r, err := src.Open(booted)
	if err != nil {
		return err
	}
	err = stored.verifyReader(what, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if r, err = src.Open(booted); err != nil {
		return err
	}
	err = v.Create(name, stored.LengthBytes, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	if err := stored.verify(v, nil, what); err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	return nil
}

// makeRoom drops snapshots until there is a place for s, and says so if there is
// no room for its parts.
func makeRoom(v Volume, src Source, all []Snapshot, s Snapshot, inUse func(part string) bool) error {
	if err := collect(v, inUse); err != nil {
		return err
	}
	for len(all) >= MaxSnapshots {
		i := oldestUnused(v, src, all, inUse)
		if i < 0 {
			return fmt.Errorf("%d are kept, which is the limit, and none can be given up: drop one with recovery drop", len(all))
		}
		if err := Drop(v, all[i].ID(), inUse); err != nil {
			return err
		}
		all = slices.Delete(slices.Clone(all), i, i+1)
	}
	need := int64(ManifestBytes + slackBytes)
	for _, part := range []Part{s.Kernel, s.Initrd} {
		if _, err := fs.Stat(v, path.Join(Dir, part.FileName())); part.LengthBytes > 0 && err != nil {
			need += part.LengthBytes
		}
	}
	free, err := v.FreeBytes()
	if err != nil {
		return fmt.Errorf("free space of the ESP: %w", err)
	}
	if free < need {
		return fmt.Errorf("the ESP has %d KiB free and %d KiB are needed: make room, for example with recovery drop", free>>10, (need+1023)>>10)
	}
	return nil
}

// oldestUnused is the index of the snapshot to give up: the oldest that no entry
// starts from, neither the newest stable one nor the first that would be started;
// -1 if there is none.
func oldestUnused(v fs.FS, src Source, all []Snapshot, inUse func(part string) bool) int {
	keep := slices.IndexFunc(all, func(s Snapshot) bool { return src.usable(v, s) })
	oldest := -1
	for i, s := range all {
		newestStable := i == 0 && s.State == Stable
		if i == keep || newestStable || inUse(s.Kernel.FileName()) || inUse(s.Initrd.FileName()) {
			continue
		}
		if oldest < 0 || cmp.Less(s.Sequence, all[oldest].Sequence) {
			oldest = i
		}
	}
	return oldest
}

// collect removes what no snapshot and no entry needs: leftovers of a cut, and
// what Drop leaves. Where a manifest cannot be read or is of a newer version, it
// is not known which parts it needs, and all stay.
func collect(v Volume, inUse func(part string) bool) error {
	all, _ := List(v)
	needed := make(map[string]bool)
	for _, s := range all {
		for _, p := range []Part{s.Kernel, s.Initrd} {
			needed[p.FileName()] = true
		}
		needed[s.Name()] = true
	}
	files, err := fs.ReadDir(v, Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var manifests, parts []string
	keepParts := false
	for _, f := range files {
		switch name := strings.ToLower(f.Name()); {
		case needed[name] || inUse(name):
		case isManifest(name) && isForeign(v, name):
			keepParts = true
		case isManifest(name):
			manifests = append(manifests, name)
		case path.Ext(name) == partSuffix:
			parts = append(parts, name)
		}
	}
	if keepParts {
		parts = nil
	}
	for _, name := range append(manifests, parts...) {
		if err := removeIfThere(v, path.Join(Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// isForeign reports whether a manifest cannot be judged.
func isForeign(v fs.FS, name string) bool {
	data, err := fs.ReadFile(v, path.Join(Dir, name))
	if err == nil {
		_, err = DecodeManifest(data)
		return errors.Is(err, ErrVersion)
	}
	return true
}
