package diskstate

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
)

// maxManagerBytes bounds how much of a boot manager is read.
const maxManagerBytes = 64 << 20

// GoldenKey implements [control.Machine]: it stands in the boot manager that
// firmware starts from this disk. A disk without one has no key.
func (d *Disk) GoldenKey() (ed25519.PublicKey, error) {
	files, err := d.ESP()
	if err != nil {
		return nil, err
	}
	key, err := readKey(files, esp.RemovablePathX64)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", esp.RemovablePathX64, err)
	}
	return key, nil
}

func readKey(files fs.FS, name string) (ed25519.PublicKey, error) {
	info, err := fs.Stat(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxManagerBytes {
		return nil, fmt.Errorf("%d bytes, at most %d are read", info.Size(), maxManagerBytes)
	}
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	image, err := pecoff.Parse(data)
	if err != nil {
		return nil, err
	}
	section, ok := image.Section(golden.KeySection)
	if !ok {
		return nil, nil
	}
	return golden.ParseKey(image.Data(section))
}

// atomicBytes is what every disk writes as a whole or not at all.
const atomicBytes = 512

// WriteSignature writes the snapshot's manifest over the one that is there, which
// must not differ but in signature and checksum. Both lie in its first sector: a
// cut of the power leaves the old manifest or the new one.
func (d *Disk) WriteSignature(s golden.Snapshot) error {
	name := path.Join(golden.Dir, s.Name())
	if err := d.writeSignature(name, s); err != nil {
		return fmt.Errorf("sign %s: %w", name, err)
	}
	return nil
}

func (d *Disk) writeSignature(name string, s golden.Snapshot) error {
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		return err
	}
	files, err := fat32.Open(d.esp, d.esp.Size())
	if err != nil {
		return err
	}
	old, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	there, err := golden.DecodeManifest(old)
	if err != nil {
		return err
	}
	if there.Signature = s.Signature; there != s || !bytes.Equal(old[atomicBytes:], manifest[atomicBytes:]) {
		return errors.New("more than its signature would change")
	}
	if err := files.WriteAt(d.esp, name, manifest[:atomicBytes], 0); err != nil {
		return err
	}
	if err := d.esp.Sync(); err != nil {
		return err
	}
	if got, err := fs.ReadFile(files, name); err != nil || !bytes.Equal(got, manifest[:]) {
		return errors.Join(errors.New("the medium holds something else than was written"), err)
	}
	return nil
}
