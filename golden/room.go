package golden

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

var errNoRoom = errors.New("no room")

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
		if part.LengthBytes == 0 || part.Slot != noSlot {
			continue
		}
		if _, err := fs.Stat(v, path.Join(Dir, part.FileName())); err != nil {
			need += part.LengthBytes
		}
	}
	free, err := v.FreeBytes()
	if err != nil {
		return fmt.Errorf("free space of the ESP: %w", err)
	}
	if free < need {
		return fmt.Errorf("%w: the ESP has %d KiB free and %d KiB are needed: make room, for example with recovery drop", errNoRoom, free>>10, (need+1023)>>10)
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
