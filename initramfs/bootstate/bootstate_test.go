package bootstate_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/esptest"
)

const installID = "11111111-2222-3333-4444-555555555555"

// newESP is an image of an ESP with a record in which the attempt is open.
func newESP(t *testing.T, nonce record.Nonce) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "esp")
	esptest.Write(t, name, esptest.Attempted(installID, "rayos", nonce))
	return name
}

func TestBless(t *testing.T) {
	nonce := record.Nonce{1, 2}
	device := newESP(t, nonce)
	bless := func(l record.Loaded) (record.Record, bool) { return bootmenu.Bless(l.Record, nonce) }
	if changed, err := bootstate.Update(device, installID, bless); !changed || err != nil {
		t.Fatalf("bless: %v, %v", changed, err)
	}
	loaded, err := bootstate.Load(device, installID)
	if err != nil || loaded.Status != record.Good || loaded.Record.Open.Kind != record.NoAttempt {
		t.Errorf("afterwards %+v, %v", loaded, err)
	}
	before, err := os.ReadFile(device)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := bootstate.Update(device, installID, bless); changed || err != nil {
		t.Errorf("bless again: %v, %v", changed, err)
	}
	if after, err := os.ReadFile(device); err != nil || string(after) != string(before) {
		t.Errorf("the second blessing writes: %v", err)
	}
}

// raise changes something in the record.
func raise(l record.Loaded) (record.Record, bool) {
	l.Record.Disablings++
	return l.Record, true
}

func TestUpdatesWaitForEachOther(t *testing.T) {
	device := newESP(t, record.Nonce{1})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := bootstate.Update(device, installID, raise)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if loaded, err := bootstate.Load(device, installID); err != nil || loaded.Record.Disablings != 20 {
		t.Errorf("%d of 20 changes are there, %v", loaded.Record.Disablings, err)
	}
}

func TestErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	if _, err := bootstate.Load(missing, installID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load: %v", err)
	}
	if _, err := bootstate.Update(missing, installID, raise); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("update: %v", err)
	}
	noise := filepath.Join(t.TempDir(), "noise")
	if err := os.WriteFile(noise, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if loaded, err := bootstate.Load(noise, installID); err != nil || loaded.Status != record.Lost {
		t.Errorf("no file system: %+v, %v", loaded, err)
	}
	if _, err := bootstate.Update(noise, installID, raise); err == nil {
		t.Error("no file system: saved")
	}
}
