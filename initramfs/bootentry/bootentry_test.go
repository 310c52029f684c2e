package bootentry_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootentry"
	"github.com/rayos/rayboot/initramfs/efivar"
)

// A directory stands in for efivarfs here; TestStickInstalls of ovmf-tests has the real one.
func machine(t *testing.T, variables map[string]string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, bootentry.Dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, value := range variables {
		if err := os.WriteFile(filepath.Join(dir, name+"-"+efivar.Global), []byte("\x07\x00\x00\x00"+value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var esp = gpt.Partition{Number: 1, StartBytes: gpt.MiB, SizeBytes: 400 * gpt.MiB, ID: gpt.GUID{1}}

func TestRegister(t *testing.T) {
	root := machine(t, map[string]string{"Boot0000": "garbage", "Boot0003": "", "BootOrder": "\x03\x00\x00\x00", "BootCurrent": "\x03\x00", "Boot001": "x"})
	dir := filepath.Join(root, bootentry.Dir)
	for range 2 { // the second time nothing changes
		name, err := bootentry.Register(root, esp, 4096, nil)
		if err != nil || name != "Boot0001" {
			t.Fatalf("%s, %v", name, err)
		}
		value, err := efivar.Read(dir, "Boot0001", efivar.Global)
		if err != nil {
			t.Fatal(err)
		}
		o, err := bootoption.Decode(value)
		want := bootoption.Partition{Number: 1, StartLBA: 256, SizeLBA: 102400, ID: esp.ID}
		if err != nil || o.Path != `\EFI\rayos\rayboot.efi` || o.Partition != want || !o.Active || o.Title != "RayOS" {
			t.Errorf("%+v, %v", o, err)
		}
		if order, err := efivar.Read(dir, "BootOrder", efivar.Global); err != nil || string(order) != "\x01\x00\x03\x00\x00\x00" {
			t.Errorf("%q, %v", order, err)
		}
		if other, err := efivar.Read(dir, "Boot0000", efivar.Global); err != nil || string(other) != "garbage" {
			t.Errorf("%q, %v", other, err)
		}
	}
	anew := esp
	anew.ID = gpt.GUID{2}
	if name, err := bootentry.Register(root, anew, 4096, []gpt.GUID{esp.ID}); err != nil || name != "Boot0001" {
		t.Errorf("installed anew: %s, %v", name, err)
	}
}

func TestNoVariables(t *testing.T) {
	if _, err := bootentry.Register(t.TempDir(), esp, 512, nil); !errors.Is(err, bootentry.ErrNoVariables) {
		t.Error(err)
	}
	if _, err := bootentry.Register(machine(t, nil), esp, 512, nil); !errors.Is(err, bootentry.ErrNoVariables) {
		t.Errorf("an empty directory: %v", err)
	}
}
