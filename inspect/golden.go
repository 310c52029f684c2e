package inspect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/sketch"
)

// Golden describes the golden snapshots of the ESP.
type Golden struct {
	Key       string     `json:"key,omitempty"` // that snapshots must be signed with, hexadecimal; empty if none
	Snapshots []Snapshot `json:"snapshots"`     // in the order in which recovery tries them
	Problems  []string   `json:"problems"`      // what cannot be used, and why

	problems []error
	keyErr   error // why it is not known whether they must be signed: none is used then
}

// Snapshot is a golden snapshot. Problem says why recovery passes it over.
type Snapshot struct {
	ID string `json:"id"`
	golden.Snapshot
	Signed  bool       `json:"signed"`
	Made    *time.Time `json:"made,omitempty"` // time of its manifest, as the ESP has it; nil if it has none
	Bytes   int64      `json:"bytes"`          // of kernel and initrd
	Problem string     `json:"problem,omitempty"`

	damage  error // of its parts
	refused error // for its signature
}

// readGolden reads the snapshots and compares them with their digests. It is nil
// on a disk that has no store.
func readGolden(disk *diskstate.Disk) *Golden {
	files, err := disk.ESP()
	if err != nil {
		return nil // told with the rest of the ESP
	}
	all, problems := golden.List(files)
	if len(all)+len(problems) == 0 {
		return nil
	}
	g := &Golden{Snapshots: []Snapshot{}, Problems: []string{}, problems: problems}
	key, err := disk.GoldenKey()
	if g.Key = hex.EncodeToString(key); err != nil {
		g.keyErr = fmt.Errorf("whether golden snapshots must be signed is not known, and the boot manager uses none: %w", err)
		g.Problems = append(g.Problems, sketch.OneLine(g.keyErr.Error()))
	}
	_, kernels, _ := disk.Slots() // what is wrong with the slots is told with them
	for _, s := range all {
		item := Snapshot{
			ID: s.ID().String(), Snapshot: s, Signed: s.Signed(), Made: made(files, s), Bytes: s.Kernel.LengthBytes + s.Initrd.LengthBytes,
			damage: golden.Verify(files, kernels, s),
		}
		if key != nil {
			item.refused = s.CheckSignature(key)
		}
		if err := errors.Join(item.refused, item.damage); err != nil {
			item.Problem = sketch.OneLine(err.Error())
		}
		g.Snapshots = append(g.Snapshots, item)
	}
	for _, err := range problems {
		g.Problems = append(g.Problems, sketch.OneLine(err.Error()))
	}
	return g
}

// fatEpoch is the time that a FAT directory has where no clock was known.
var fatEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// made is when the snapshot was made, nil if that is not known.
func made(files fs.FS, s golden.Snapshot) *time.Time {
	info, err := fs.Stat(files, path.Join(golden.Dir, s.Name()))
	if err != nil || !info.ModTime().After(fatEpoch) {
		return nil
	}
	at := info.ModTime()
	return &at
}

// usable reports whether recovery finds a snapshot.
func (g *Golden) usable() bool {
	return g.keyErr == nil && slices.ContainsFunc(g.Snapshots, func(s Snapshot) bool { return s.Problem == "" })
}

// place says in which kernel slots parts of the snapshot lie, empty if they are
// files.
func (s Snapshot) place() string {
	var words []string
	for _, part := range []struct {
		what string
		golden.Part
	}{{"kernel", s.Kernel}, {"initrd", s.Initrd}} {
		if part.LengthBytes > 0 && part.Slot >= 0 {
			words = append(words, fmt.Sprintf("%s in kernel slot %d", part.what, part.Slot))
		}
	}
	return strings.Join(words, ", ")
}
