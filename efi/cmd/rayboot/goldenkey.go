package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/golden"
)

// goldenKey is what this boot manager asks of the signatures of golden snapshots.
// It stands in the manager's own image, so that whoever has verified the image,
// such as Secure Boot, has verified the key as well.
type goldenKey struct {
	public ed25519.PublicKey // nil: no signature is asked for
	err    error             // why that is not known: no snapshot is good enough then
}

// readGoldenKey looks for the key in the loaded image of the manager.
func readGoldenKey(self *uefi.LoadedImage) goldenKey {
	public, err := findGoldenKey(self)
	if err != nil {
		err = fmt.Errorf("whether golden snapshots must be signed is not known, and none is used: %w", err)
	}
	return goldenKey{public, err}
}

func findGoldenKey(self *uefi.LoadedImage) (ed25519.PublicKey, error) {
	memory, err := self.Memory()
	if err != nil {
		return nil, err
	}
	section, found, err := pecoff.LoadedSection(memory, golden.KeySection)
	if err != nil || !found {
		return nil, err
	}
	return golden.ParseKey(section)
}

// check says why a snapshot may not be started, nil if it may. The bytes that it
// promises are not looked at.
func (k goldenKey) check(s golden.Snapshot) error {
	if k.err != nil || k.public == nil {
		return k.err
	}
	return s.CheckSignature(k.public)
}

// String is the key as the started system is told; empty if there is none.
func (k goldenKey) String() string { return hex.EncodeToString(k.public) }
