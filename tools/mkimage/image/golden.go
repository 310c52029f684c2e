package image

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// GoldenKey is the key that golden snapshots are signed with.
type GoldenKey struct {
	Public  ed25519.PublicKey
	Private ed25519.PrivateKey // nil: what is made is to be signed later
}

// planGolden puts the key into the boot manager and returns the files of a golden
// snapshot; without a key there is nothing to do.
func (b *builder) planGolden() ([]named, error) {
	key, system := b.spec.GoldenKey, b.spec.System
	if key == nil {
		return nil, nil
	}
	if err := b.spec.checkManager(); err != nil {
		return nil, err
	}
	var err error
	if b.spec.BootManager, err = SignedOnly(b.spec.BootManager, key.Public); err != nil {
		return nil, fmt.Errorf("put the key for golden snapshots into the boot manager: %w", err)
	}
	b.report.Golden = &GoldenReport{Key: hex.EncodeToString(key.Public)}
	if system == nil {
		return nil, nil
	}
	snapshot, err := system.golden(key)
	if err != nil {
		return nil, err
	}
	b.report.Golden.Snapshot, b.report.Golden.Signed = snapshot.ID().String(), snapshot.Signed()
	return system.goldenFiles(snapshot)
}

// SignedOnly puts the key into a boot manager, which then accepts only snapshots
// that are signed with it. One that has this key stays as it is, so that it may
// be signed for Secure Boot.
func SignedOnly(manager []byte, key ed25519.PublicKey) ([]byte, error) {
	img, err := pecoff.Parse(manager)
	if err != nil {
		return nil, err
	}
	if s, ok := img.Section(golden.KeySection); ok {
		if !bytes.Equal(img.Data(s), key) {
			return nil, errors.New("it has another key for golden snapshots already")
		}
		return manager, nil
	}
	return pecoff.AddSection(manager, golden.KeySection, key)
}

// checkManager refuses a payload with boot managers of its own, which would have
// no key.
func (s Spec) checkManager() error {
	for _, name := range []string{esp.RemovablePathX64, esp.ManagerPath} {
		if s.inPayload(name) {
			return fmt.Errorf("the payload has %s, which the key for golden snapshots does not get into: name that file as the boot manager instead", name)
		}
	}
	return nil
}

// golden is the snapshot of what the default entry starts.
func (s *System) golden(key *GoldenKey) (golden.Snapshot, error) {
	snapshot := golden.Snapshot{
		Sequence: 1, State: golden.Stable, Entry: entryID, Title: strings.TrimSpace(title + " " + s.Release),
		Kernel: golden.NewPart(s.Kernel), Initrd: golden.NewPart(s.Initrd), Options: s.Options,
	}
	if err := snapshot.Check(); err != nil {
		return golden.Snapshot{}, fmt.Errorf("make a golden snapshot: %w", err)
	}
	if key.Private != nil {
		snapshot.Sign(key.Private)
	}
	return snapshot, nil
}

// goldenFiles are the files of a snapshot of the system.
func (s *System) goldenFiles(snapshot golden.Snapshot) ([]named, error) {
	manifest, err := golden.EncodeManifest(snapshot)
	if err != nil {
		return nil, err
	}
	files := []named{{path.Join(golden.Dir, snapshot.Kernel.FileName()), s.Kernel}}
	if len(s.Initrd) > 0 && snapshot.Initrd.SHA256 != snapshot.Kernel.SHA256 {
		files = append(files, named{path.Join(golden.Dir, snapshot.Initrd.FileName()), s.Initrd})
	}
	return append(files, named{path.Join(golden.Dir, snapshot.Name()), manifest[:]}), nil
}
