//go:build ovmf

package ovmftests

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/ovmf-tests/varstore"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// loaderVendor is the vendor GUID of the Boot Loader Interface.
var loaderVendor = [16]byte(gpt.MustParseGUID("4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"))

// TestOneShot asks for an entry once, as `bootctl set-oneshot` does. The boot manager takes it once.
func TestOneShot(t *testing.T) {
	t.Parallel()
	const name = "LoaderEntryOneShot"
	firmware, err := qemu.FindFirmware(qemu.Plain)
	if err != nil {
		t.Fatal(err)
	}
	store, err := os.ReadFile(firmware.Vars)
	if err != nil {
		t.Fatal(err)
	}
	wish := varstore.Variable{Name: name, Vendor: loaderVendor, Attributes: varstore.NonVolatile, Data: varstore.UTF16("rayos-slot")}
	if err := varstore.Append(store, wish); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vars.fd")
	if err := os.WriteFile(path, store, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}, VarStore: path}}
	m := harness.Start(t, spec)
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-slot, reason=oneshot"))

	if store, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	left, err := varstore.List(store)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(left, func(v varstore.Variable) bool { return v.Name == name }) {
		t.Errorf("%s is still there after it was honoured", name)
	}
	if !slices.ContainsFunc(left, func(v varstore.Variable) bool { return v.Name == "BootOrder" }) {
		t.Error("the firmware left no BootOrder: was this its variable store?")
	}
	m = harness.Start(t, spec)
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default"))
}

// TestDefaultSurvivesPowerCut makes an entry the default, cuts the power at once, and powers on again.
func TestDefaultSurvivesPowerCut(t *testing.T) {
	t.Parallel()
	vars := filepath.Join(t.TempDir(), "vars.fd")
	spec := harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}, VarStore: vars}}
	m := harness.Start(t, spec)
	m.Expect(menuCounts)
	m.Type("jd")
	m.Finish(harness.Text("rayos-safe is the default from now on."))

	m = harness.Start(t, spec)
	m.Expect(harness.Pattern(`^ > {1,2}2  RayOS \(safe mode\).* default`), menuCounts)
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-safe, reason=default"))
}
