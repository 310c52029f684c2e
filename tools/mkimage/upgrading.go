package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/upgrade"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/bundle"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// upgrading is an upgrade that is being prepared and done.
type upgrading struct {
	machine  *disks.Machine
	disk     plan.Disk
	consent  plan.Consent
	table    gpt.Table
	guests   string // what becomes of them, for people
	manager  []byte
	system   upgrade.System
	key      *image.GoldenKey // nil: none was named
	modified time.Time

	plan upgrade.Plan
	try  *write.Rehearsal
}

// gather finds the new parts.
func (f *upgradeFlags) gather(ctx context.Context, ui *ui, u *upgrading) (err error) {
	if u.modified, err = timestamp(false, os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return err
	}
	if f.goldenKey != "" {
		if u.key, err = readGoldenKey(f.goldenKey); err != nil {
			return err
		}
	}
	if u.manager, err = readPart("boot manager", f.bootManager, bundle.BootManager); err != nil {
		return err
	}
	system, err := f.parts.system(ctx, ui)
	if err != nil {
		return err
	}
	u.system = upgrade.System{Release: system.Release, Kernel: system.Kernel, Initrd: system.Initrd}
	if f.newOptions {
		u.system.Options = system.Options
	}
	for what, b := range map[string][]byte{"boot manager": u.manager, "kernel": u.system.Kernel} {
		if err := pecoff.CheckApplication(bytes.NewReader(b)); err != nil {
			return fmt.Errorf("check %s: %w", what, err)
		}
	}
	return nil
}

// rehearse does the upgrade without writing anything. All that can go wrong but for a disk
// that fails goes wrong here.
func (u *upgrading) rehearse(disk io.ReaderAt, size int64) error {
	u.try = write.NewRehearsal(disk, size)
	part, ok := partitionOf(u.table, gpt.TypeESP)
	if !ok {
		return fmt.Errorf("it has no EFI System Partition: %w", upgrade.ErrForeign)
	}
	volumeDevice := u.try.Section(part.StartBytes, part.SizeBytes)
	editor, err := fat32.Edit(volumeDevice, part.SizeBytes, u.modified)
	if err != nil {
		return fmt.Errorf("EFI System Partition: %w", err)
	}
	store, loaded, err := bootState(volumeDevice, editor)
	if err != nil {
		return err
	}
	req, err := u.request(disk)
	if err != nil {
		return err
	}
	req.State = loaded.Record
	if u.plan, err = upgrade.New(editor, req); err != nil {
		return err
	}
	if err := u.slot(editor); err != nil {
		return err
	}
	if err := errors.Join(u.plan.Run(editor, u.try.Begin), editor.Mend(), editor.Close()); err != nil {
		return err
	}
	return u.forget(store, loaded)
}

// request says what is wanted of this disk. Its key for golden snapshots goes into the new
// boot manager.
func (u *upgrading) request(disk io.ReaderAt) (req upgrade.Request, err error) {
	req = upgrade.Request{Manager: u.manager, System: u.system}
	view, err := diskstate.View(disk, u.table)
	if err != nil {
		return req, err
	}
	if req.Key, err = view.GoldenKey(); err != nil {
		return req, fmt.Errorf("whether its golden snapshots must be signed is not known: %w; install it again", err)
	}
	switch {
	case u.key != nil && req.Key == nil:
		return req, errors.New("its boot manager has no key for golden snapshots; leave out --golden-key, or install it again with that")
	case u.key != nil && !u.key.Public.Equal(req.Key):
		return req, errors.New("its boot manager has another key for golden snapshots than --golden-key")
	case u.key != nil:
		req.Private = u.key.Private
	}
	if req.Key != nil {
		if req.Manager, err = image.SignedOnly(u.manager, req.Key); err != nil {
			return req, fmt.Errorf("put the key for golden snapshots into the boot manager: %w", err)
		}
	}
	return req, nil
}

// slot has the kernel slot hold the version that is kept.
func (u *upgrading) slot(files fs.FS) error {
	part, ok := partitionOf(u.table, gpt.TypeRayOSKernel)
	if !ok {
		return nil
	}
	note, err := u.plan.RunSlot(files, u.try.Section(part.StartBytes, part.SizeBytes), part.SizeBytes, u.try.Begin)
	if note != "" {
		u.plan.Notes = append(u.plan.Notes, note)
	}
	return err
}

// forget has the new version begin with a clean record.
func (u *upgrading) forget(store *record.Store, loaded record.Loaded) error {
	fresh, changed := u.plan.Forget(loaded.Record)
	switch {
	case !u.plan.System:
		return nil
	case loaded.Status != record.Good && loaded.Status != record.Degraded:
		u.plan.Notes = append(u.plan.Notes, fmt.Sprintf("the boot state stays as it is: %v", loaded.Problem))
		return nil
	case !changed:
		return nil
	}
	u.try.Begin("forget earlier failures")
	return store.Save(fresh)
}

func partitionOf(t gpt.Table, kind gpt.GUID) (gpt.Partition, bool) {
	i := slices.IndexFunc(t.Partitions, func(p gpt.Partition) bool { return p.Type == kind })
	if i < 0 {
		return gpt.Partition{}, false
	}
	return t.Partitions[i], true
}

// bootState opens the boot-state record of an ESP.
func bootState(device *write.RehearsalSection, files fs.FS) (*record.Store, record.Loaded, error) {
	id := ""
	text, err := fs.ReadFile(files, esp.InstallIDPath)
	if err == nil {
		id, err = esp.ParseInstallID(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, record.Loaded{}, fmt.Errorf("read install ID: %w", err)
	}
	store, loaded := record.Open(volume.On(device, device.Size()), id)
	return store, loaded, nil
}
