package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// state checks what the boot manager remembers and recovers with, and the log. Entries
// have been checked before.
func (v *verifier) state() error {
	disk, err := diskstate.View(untilDone{v.ctx, v.r}, v.table)
	if err != nil {
		return nil // there is no ESP, which was told
	}
	if b := readBootState(disk); b != nil && b.Error == "" {
		v.bootState(b)
	}
	if g := readGolden(disk); g != nil {
		v.golden(g)
	}
	return v.log(disk)
}

// untilDone is a disk that cannot be read any more when its context has ended.
type untilDone struct {
	ctx context.Context
	r   io.ReaderAt
}

func (u untilDone) ReadAt(b []byte, offset int64) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.ReadAt(b, offset)
}

// whatFollows is what the boot manager does without a record.
const whatFollows = "at the next boot the boot manager says STATE_LOST, prefers a golden snapshot, and writes a new one"

func (v *verifier) bootState(b *BootState) {
	switch {
	case b.State == record.Newer:
		v.report("boot-state-newer", "%s: %s; the boot manager counts no failures: use one of that version, or delete the file", esp.BootStatePath, b.Problem)
	case b.State == record.Foreign:
		v.report("boot-state-foreign", "%s: %s; %s. If %s is wrong, put back the right one first", esp.BootStatePath, b.Problem, whatFollows, esp.InstallIDPath)
	case b.State == record.Lost && len(b.Copies) == 0:
		v.report("boot-state-lost", "%s; delete the file if it is there: %s", b.Problem, whatFollows)
	case b.State == record.Lost:
		v.report("boot-state-lost", "%s: copy A cannot be used: %v; nor can copy B: %v; %s", esp.BootStatePath, b.Copies[0].err, b.Copies[1].err, whatFollows)
	default:
		for _, c := range b.Copies {
			if c.err != nil {
				v.warn("boot-state-copy", "%s: copy %s at byte %d cannot be used: %v; the other one is, and the next save mends this one", esp.BootStatePath, c.Name, c.OffsetBytes, c.err)
			}
		}
	}
	if key := b.Record.Default; key != "" && !v.hasKey(key) {
		v.report("boot-state-default", "%s: the default is the entry %q, which there is not; choose one: rayimg bootmgr set-default DISK ENTRY", esp.BootStatePath, key)
	}
	if key := b.Record.OneShot; key != "" && !v.hasKey(key) {
		v.warn("boot-state-oneshot", "%s: the entry %q is to be started once, and there is none; the next boot forgets this", esp.BootStatePath, key)
	}
}

// hasKey reports whether an entry was found that the record names by this key.
func (v *verifier) hasKey(key string) bool {
	for id := range v.ids {
		if record.Key(id) == key {
			return true
		}
	}
	return false
}

func (v *verifier) golden(g *Golden) {
	if g.keyErr != nil {
		v.report("golden-key", "%v; put back the boot manager", g.keyErr)
	}
	for _, err := range g.problems {
		const without = "recovery does without it"
		switch {
		case errors.Is(err, golden.ErrVersion):
			v.report("golden-manifest", "%v; %s; use a boot manager of that version", err, without)
		case errors.Is(err, golden.ErrChecksum) || errors.Is(err, golden.ErrNoManifest): // as a cut leaves it
			v.warn("golden-manifest", "%v; %s, and the next snapshot that the machine takes clears it away", err, without)
		default:
			v.report("golden-manifest", "%v; %s, and the next snapshot that the machine takes clears it away", err, without)
		}
	}
	for _, s := range g.Snapshots {
		id := bootmenu.ShortID(s.Snapshot.ID())
		name := fmt.Sprintf("%v snapshot %s (%s)", s.State, id, s.Title)
		if place := s.place(); place != "" {
			name += ", " + place
		}
		if s.damage != nil {
			v.report("golden-snapshot", "%s: %v; recovery passes it over: on the machine, recovery drop %s makes room for another", name, s.damage, id)
		}
		if s.refused != nil {
			v.report("golden-signature", "%s: %v; if it is to be used, sign it: rayimg recovery sign DISK %s --key KEY.pem", name, s.refused, id)
		}
	}
	if !g.usable() {
		sign := ""
		if g.Key != "" {
			sign = ", and sign it with rayimg recovery sign"
		}
		v.report("golden-none", "%s: no snapshot can be used, and recovery has nothing to start: take one on the machine with recovery snapshot%s", golden.Dir, sign)
	}
}
