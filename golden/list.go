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

// maxFiles bounds how many files of the store are looked at.
const maxFiles = 64

// List returns the snapshots of an ESP in the order in which they are to be
// tried: the stable ones, newest first, then the candidates, newest first. Their
// parts are there with the right size; their content is not looked at. What
// cannot be used is a problem. An ESP without a store has none of both.
func List(fsys fs.FS) (snapshots []Snapshot, problems []error) {
	files, err := fs.ReadDir(fsys, Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("list golden snapshots: %w", err)}
	}
	sizes := make(map[string]int64)
	var manifests []string
	for i, f := range files {
		if i == maxFiles {
			problems = append(problems, fmt.Errorf("%s: more than %d files; the rest is not looked at", Dir, maxFiles))
			break
		}
		name := strings.ToLower(f.Name())
		info, err := f.Info()
		if err != nil {
			problems = append(problems, fmt.Errorf("%s/%s: %w", Dir, name, err))
			continue
		}
		sizes[name] = info.Size()
		if isManifest(name) {
			manifests = append(manifests, f.Name())
		}
	}
	for _, name := range manifests {
		s, err := readManifest(fsys, name, sizes)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s/%s: %w", Dir, name, err))
			continue
		}
		snapshots = append(snapshots, s)
	}
	slices.SortFunc(snapshots, order)
	return withoutTwins(snapshots), problems
}

// isManifest reports whether a file of the store is a manifest, by its name in
// lower case.
func isManifest(name string) bool {
	suffix := path.Ext(name)
	return suffix == "."+Stable.String() || suffix == "."+Candidate.String()
}

// order is the order in which snapshots are tried.
func order(a, b Snapshot) int {
	return cmp.Or(cmp.Compare(b.State, a.State), cmp.Compare(b.Sequence, a.Sequence), strings.Compare(a.Name(), b.Name()))
}

// withoutTwins drops a candidate that is there as a stable snapshot too: its
// promotion was cut short.
func withoutTwins(all []Snapshot) []Snapshot {
	seen := make(map[Digest]bool)
	return slices.DeleteFunc(all, func(s Snapshot) bool {
		twin := seen[s.ID()]
		seen[s.ID()] = true
		return twin
	})
}

func readManifest(fsys fs.FS, name string, sizes map[string]int64) (Snapshot, error) {
	if size := sizes[strings.ToLower(name)]; size != ManifestBytes {
		return Snapshot{}, fmt.Errorf("%w: %d bytes, one has %d", ErrNoManifest, size, ManifestBytes)
	}
	data, err := fs.ReadFile(fsys, path.Join(Dir, name))
	if err != nil {
		return Snapshot{}, err
	}
	s, err := DecodeManifest(data)
	if err != nil {
		return Snapshot{}, err
	}
	if !strings.EqualFold(name, s.Name()) {
		return Snapshot{}, fmt.Errorf("%w: its name should be %s", ErrInvalid, s.Name())
	}
	return s, errors.Join(s.Kernel.checkFile("kernel", sizes), s.Initrd.checkFile("initrd", sizes))
}

// checkFile says why the part's file cannot be the part.
func (p Part) checkFile(what string, sizes map[string]int64) error {
	if p.LengthBytes == 0 || p.Slot != noSlot {
		return nil
	}
	switch size, ok := sizes[p.FileName()]; {
	case !ok:
		return fmt.Errorf("its %s %s is missing", what, p.FileName())
	case size != p.LengthBytes:
		return fmt.Errorf("its %s %s has %d bytes, want %d", what, p.FileName(), size, p.LengthBytes)
	}
	return nil
}
