package main

import (
	"errors"
	"fmt"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/bootstate"
	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

// The vendors of the variables that the boot manager hands over.
var (
	loaderVendor = uefi.MustParseGUID("4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
	rayosVendor  = uefi.MustParseGUID("8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10")
)

// variable is the text of a variable, empty if there is none.
func variable(sys *uefi.System, name string, vendor uefi.GUID) string {
	data, _, err := sys.GetVariable(name, vendor)
	if err != nil && !errors.Is(err, uefi.ErrNotFound) {
		fmt.Printf("FAIL payload: read %s: %v\n", name, err)
	}
	return uefi.DecodeUTF16(data)
}

// change changes the record of this boot's attempt, as long as that is the open one.
func (p *payload) change(change func(record.Record, record.Nonce) (record.Record, bool)) error {
	nonce, err := record.ParseNonce(variable(p.sys, "RayosAttempt", rayosVendor))
	if err != nil {
		return err
	}
	files, _, err := report.Volume(p.sys)
	if err != nil {
		return err
	}
	store, loaded := record.Open(bootstate.File{Files: files, Path: esp.BootStatePath}, variable(p.sys, "RayosInstallID", rayosVendor))
	if loaded.Status != record.Good && loaded.Status != record.Degraded {
		return loaded.Problem
	}
	changed, ok := change(loaded.Record, nonce)
	if !ok {
		return errors.New("this attempt is not the open one")
	}
	return store.Save(changed)
}

func (p *payload) reach(s markers.BootStage) error {
	err := p.change(func(r record.Record, n record.Nonce) (record.Record, bool) {
		return bootmenu.Reach(r, n, record.BootStage(s))
	})
	p.say(markers.BootStageReached{Stage: s, Seq: int(s), Entry: p.entry})
	return err
}

// bless says BOOT_SUCCESS only if that is on disk.
func (p *payload) bless() error {
	p.say(markers.BootStageReached{Stage: markers.Golden, Seq: int(markers.Golden), Entry: p.entry})
	if err := p.change(bootmenu.Bless); err != nil {
		return err
	}
	p.say(markers.BootmgrBootSuccess{Entry: p.entry})
	return nil
}

func (p *payload) close() error { return p.change(bootmenu.Close) }

func (p *payload) say(m markers.Emitter) { fmt.Println(m.Marker()) }
