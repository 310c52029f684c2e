package livedisk_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/efivar"
	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/livedisk"
)

const (
	installID  = "11111111-2222-3333-4444-555555555555"
	kernelText = "a kernel"
	efivars    = "sys/firmware/efi/efivars/"
)

// mount is a mount that can always be remounted.
type mount struct{ readOnly bool }

func (m *mount) ReadOnly() (bool, error)     { return m.readOnly, nil }
func (m *mount) Remount(readOnly bool) error { m.readOnly = readOnly; return nil }

// newMachine is a machine that has booted well from vda.
func newMachine(t *testing.T, facts bootfacts.Facts) (root string) {
	t.Helper()
	root = t.TempDir()
	facts.InstallID = installID
	if err := facts.Write(root); err != nil {
		t.Fatal(err)
	}
	booted := golden.Booted{Title: "RayOS", Kernel: golden.BootedPart{
		Paths: []string{"vmlinuz"}, Slot: -1, LengthBytes: int64(len(kernelText)), SHA256: golden.Sum([]byte(kernelText)),
	}, Initrd: golden.BootedPart{Slot: -1}}
	for name, content := range map[string]string{
		"esp/EFI/rayos/x": "", "esp/vmlinuz": kernelText, "dev/vda2": strings.Repeat("\x00", slots.CopyBytes*2),
		efivars + "RayosBooted-" + efivar.RayOS: efiText(booted.Encode()),
	} {
		write(t, filepath.Join(root, name), content)
	}
	esptest.Write(t, filepath.Join(root, "dev/vda1"), esptest.Attempted(installID, "rayos", record.Nonce{1}))
	return root
}

func efiText(text string) string {
	b := []byte{6, 0, 0, 0}
	for _, unit := range append(utf16.Encode([]rune(text)), 0) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, root string) (*livedisk.Disk, *mount) {
	t.Helper()
	m := &mount{readOnly: true}
	d, err := livedisk.Open(t.Context(), root, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil || !m.readOnly {
			t.Errorf("close: %v; the ESP is read-only: %v", err, m.readOnly)
		}
	})
	return d, m
}

var vda = bootfacts.Facts{Entry: "rayos", Disk: "vda", ESP: "vda1", Kernel: "vda2"}

func TestRecord(t *testing.T) {
	d, _ := open(t, newMachine(t, vda))
	changed, err := d.Update(func(r record.Record) (record.Record, bool) { return bootmenu.RequestRecovery(r) })
	if !changed || err != nil {
		t.Errorf("update: %v, %v", changed, err)
	}
	if loaded, err := d.Load(); err != nil || loaded.Status != record.Good || loaded.Record.Recovery == "" {
		t.Errorf("load: %+v, %v", loaded, err)
	}
}

func TestSlots(t *testing.T) {
	root := newMachine(t, vda)
	d, _ := open(t, root)
	if table, r, err := d.Slots(); len(table.Slots) > 0 || r == nil || err != nil {
		t.Errorf("no table: %+v, %v, %v", table, r, err)
	}
	none := vda
	none.Kernel = ""
	d, _ = open(t, newMachine(t, none))
	if table, r, err := d.Slots(); len(table.Slots) > 0 || r != nil || err != nil {
		t.Errorf("no partition: %+v, %v, %v", table, r, err)
	}
}

func TestDefaultVariable(t *testing.T) {
	root := newMachine(t, vda)
	d, _ := open(t, root)
	if got, err := d.Default(); got != "" || err != nil {
		t.Errorf("none: %q, %v", got, err)
	}
	if err := d.ForgetDefault(); err != nil {
		t.Errorf("forget none: %v", err)
	}
	name := filepath.Join(root, efivars, "LoaderEntryDefault-"+efivar.Loader)
	write(t, name, efiText("other.conf"))
	if got, err := d.Default(); got != "other.conf" || err != nil {
		t.Errorf("default %q, %v", got, err)
	}
	if err := d.ForgetDefault(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the variable is still there: %v", err)
	}
}

// TestSnapshot takes one before the boot is good, where it stays a candidate, and
// one after it.
func TestSnapshot(t *testing.T) {
	for good, state := range map[string]golden.State{"": golden.Candidate, "yes": golden.Stable} {
		facts := vda
		facts.Good = good
		d, _ := open(t, newMachine(t, facts))
		s, made, err := d.Snapshot()
		if !made || err != nil || s.State != state || s.Entry != "rayos" || s.Title != "RayOS" {
			t.Errorf("good %q: %+v, %v, %v", good, s, made, err)
		}
		if again, made, err := d.Snapshot(); made || err != nil || again.ID() != s.ID() {
			t.Errorf("once more: %+v, %v, %v", again, made, err)
		}
		files, err := d.ESP()
		if err != nil {
			t.Fatal(err)
		}
		if all, problems := golden.List(files); len(all) != 1 || problems != nil || all[0].State != state {
			t.Errorf("snapshots %+v, %v", all, problems)
		}
	}
}

func TestNoSnapshot(t *testing.T) {
	facts := vda
	facts.NoSnapshot = "it is not counted"
	d, _ := open(t, newMachine(t, facts))
	if _, _, err := d.Snapshot(); err == nil || !strings.Contains(err.Error(), "it is not counted") {
		t.Errorf("error %v", err)
	}
	root := newMachine(t, vda)
	name := filepath.Join(root, efivars, "RayosBooted-"+efivar.RayOS)
	write(t, name, efiText("nonsense"))
	d, _ = open(t, root)
	if _, _, err := d.Snapshot(); err == nil || !strings.Contains(err.Error(), "TITLE is missing") {
		t.Errorf("error %v", err)
	}
}

func TestGoldenKey(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "none",
		strings.Repeat("a5", 32):   strings.Repeat("a5", 32),
		strings.Repeat("a5", 31):   "error",
		strings.Repeat("00", 32):   "error",
		"nonsense":                 "error",
		strings.Repeat("a5\n", 32): "error",
	} {
		root := newMachine(t, vda)
		if text != "" {
			write(t, filepath.Join(root, efivars, "RayosGoldenKey-"+efivar.RayOS), efiText(text))
		}
		d, _ := open(t, root)
		key, err := d.GoldenKey()
		got := hex.EncodeToString(key)
		switch {
		case err != nil:
			got = "error"
		case key == nil:
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
		if _, made, err := d.Snapshot(); made != (want != "error") || (err != nil) == made {
			t.Errorf("%q: snapshot made %v, %v", text, made, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	open := func(root string) error {
		_, err := livedisk.Open(context.Background(), root, nil)
		return err
	}
	if err := open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no facts: %v", err)
	}
	if err := open(newMachine(t, bootfacts.Facts{})); err == nil || !strings.Contains(err.Error(), "the boot disk was not found when the machine was started") {
		t.Errorf("no boot disk: %v", err)
	}
	gone := vda
	gone.Kernel = "vda9"
	if err := open(newMachine(t, gone)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no partition: %v", err)
	}
}
