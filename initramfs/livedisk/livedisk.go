// Package livedisk is the boot disk of the machine that is up, as package control
// wants it for the commands bootmgr and recovery. How their answers come about is
// that package's business.
//
// The record is changed through package bootstate, snapshots through package
// goldenstore: both keep the commands and process 1 from each other.
package livedisk

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/efivar"
	"github.com/rayos/rayboot/initramfs/goldenstore"
)

// efivarsDir is where the EFI variables are, below the machine's root.
const efivarsDir = "sys/firmware/efi/efivars"

// defaultVariable is the default entry as bootctl and the menu set it.
const defaultVariable = "LoaderEntryDefault"

// Disk is the boot disk of the machine; as a volume it is its ESP.
type Disk struct {
	*goldenstore.Volume

	ctx     context.Context
	root    string
	facts   bootfacts.Facts
	store   goldenstore.Store
	kernels *os.File // the RayOS Kernel partition, nil if there is none
	whole   *os.File // the disk, once it was asked for
}

var (
	_ control.Machine = (*Disk)(nil)
	_ control.Store   = (*Disk)(nil)
)

func device(root, name string) string { return filepath.Join(root, "dev", name) }

// Open opens the boot disk that process 1 found. mount is nil outside of tests.
// When ctx ends, snapshots are changed no longer. Close must be called.
func Open(ctx context.Context, root string, mount goldenstore.Mount) (*Disk, error) {
	facts, err := bootfacts.Read(root)
	if err != nil {
		return nil, err
	}
	if facts.ESP == "" {
		return nil, errors.New("the boot disk was not found when the machine was started; what was looked for stands among its first lines")
	}
	d := &Disk{ctx: ctx, root: root, facts: facts, store: goldenstore.New(root, facts.Kernel, mount)}
	if d.store.Kernel != "" {
		if d.kernels, err = d.store.OpenKernel(); err != nil {
			return nil, err
		}
	}
	d.Volume = d.store.Volume(ctx)
	return d, nil
}

// Close makes the ESP read-only again and releases the disk.
func (d *Disk) Close() error {
	err := d.Volume.Close()
	for _, f := range []*os.File{d.kernels, d.whole} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// Whole returns the disk with its partition table, for reading until Close; nil where it has
// no table.
func (d *Disk) Whole() (r io.ReaderAt, table gpt.Table, err error) {
	if d.whole == nil {
		if d.whole, err = os.Open(device(d.root, d.facts.Disk)); err != nil {
			return nil, table, err
		}
	}
	size, err := d.whole.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, table, err
	}
	table, _, err = gpt.Read(d.whole, size) // what is damaged of it, rayimg verify and install --verify say
	if errors.Is(err, gpt.ErrNoTable) {
		return nil, gpt.Table{}, nil
	}
	return d.whole, table, err
}

// Name is the kernel's name of the disk, such as vda.
func (d *Disk) Name() string { return d.facts.Disk }

// InstallID is the install ID of the system that was booted.
func (d *Disk) InstallID() string { return d.facts.InstallID }

// Kernels returns the RayOS Kernel partition, nil if there is none.
func (d *Disk) Kernels() io.ReaderAt {
	if d.kernels == nil {
		return nil
	}
	return d.kernels
}

// ESP implements [control.Machine].
func (d *Disk) ESP() (fs.FS, error) { return d.store.FS(), nil }

// Slots implements [control.Machine].
func (d *Disk) Slots() (slots.Table, io.ReaderAt, error) {
	if d.kernels == nil {
		return slots.Table{}, nil, nil
	}
	table, err := slots.Read(d.kernels)
	if errors.Is(err, slots.ErrNoTable) {
		err = nil
	}
	return table, d.kernels, err
}

// Load implements [control.Machine].
func (d *Disk) Load() (record.Loaded, error) {
	return bootstate.Load(device(d.root, d.facts.ESP), d.facts.InstallID)
}

// Update implements [control.Machine].
func (d *Disk) Update(change func(record.Record) (record.Record, bool)) (bool, error) {
	return bootstate.Update(device(d.root, d.facts.ESP), d.facts.InstallID, func(l record.Loaded) (record.Record, bool) {
		return change(l.Record)
	})
}

func (d *Disk) variables() string { return filepath.Join(d.root, efivarsDir) }

// Default implements [control.Machine].
func (d *Disk) Default() (string, error) {
	text, err := efivar.Text(os.DirFS(d.variables()), defaultVariable, efivar.Loader)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return text, err
}

// ForgetDefault implements [control.Machine].
func (d *Disk) ForgetDefault() error {
	err := efivar.Remove(d.variables(), defaultVariable, efivar.Loader)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// GoldenKey implements [control.Machine]: the boot manager said it.
func (d *Disk) GoldenKey() (ed25519.PublicKey, error) {
	text, err := efivar.Text(os.DirFS(d.variables()), "RayosGoldenKey", efivar.RayOS)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("EFI variable RayosGoldenKey: %w", err)
	}
	return golden.ParseKey(key)
}

// Snapshot implements [control.Store]. Of a boot that is known to be good the
// snapshot is stable at once.
func (d *Disk) Snapshot() (s golden.Snapshot, made bool, err error) {
	if d.facts.NoSnapshot != "" {
		return golden.Snapshot{}, false, fmt.Errorf("no golden snapshot can be taken of this boot: %s", d.facts.NoSnapshot)
	}
	text, err := efivar.Lines(os.DirFS(d.variables()), "RayosBooted", efivar.RayOS)
	if err != nil {
		return golden.Snapshot{}, false, err
	}
	booted, err := golden.ParseBooted(text)
	if err != nil {
		return golden.Snapshot{}, false, err
	}
	if d.store.Key, err = d.GoldenKey(); err != nil {
		return golden.Snapshot{}, false, err
	}
	if s, made, err = d.store.Take(d.ctx, booted, record.Key(d.facts.Entry)); err != nil || d.facts.Good == "" {
		return s, made, err
	}
	if _, err := d.store.Promote(d.ctx, s.ID()); err != nil {
		return s, made, err
	}
	s.State = golden.Stable
	return s, made, nil
}
