// Package esptest makes EFI system partitions for tests.
package esptest

import (
	"os"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
)

// SizeBytes is the size of the partitions.
const SizeBytes = 34 << 20

// Write writes the image of an ESP into a file. Both copies of its boot-state
// record are r.
func Write(t *testing.T, name string, r record.Record) {
	t.Helper()
	b, err := record.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := []fat32.File{fat32.Bytes(esp.BootStatePath, append(b[:], b[:]...))}
	options := fat32.Options{SizeBytes: SizeBytes, SectorSize: 512, Label: "ESP", Modified: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	if _, err := fat32.Create(f, options, files); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(SizeBytes); err != nil {
		t.Fatal(err)
	}
}

// Attempted is the record of an installation that has just started an entry.
func Attempted(installID, entry string, n record.Nonce) record.Record {
	r := record.New(installID)
	r.Sequence = 1
	r.Open = record.Attempt{Kind: record.EntryAttempt, Entry: entry, Nonce: n, Stage: record.StageStart}
	return r
}
