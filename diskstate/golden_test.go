package diskstate

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// newDisk is an image with a snapshot that is not signed, of a boot manager that
// wants this key.
func newDisk(t *testing.T, private ed25519.PrivateKey) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	_, err := image.Build(t.Context(), image.Spec{
		SizeBytes: 64 << 20, SectorSize: 512, Seed: "test", Modified: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), ESPOnly: true,
		BootManager: fakeefi.Application("manager", 1<<20),
		System:      &image.System{Release: "6.1", Kernel: fakeefi.Application("kernel", 1<<20), Options: "quiet", SafeOptions: "safe"},
		GoldenKey:   &image.GoldenKey{Public: private.Public().(ed25519.PublicKey)},
	}, image.Output{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// snapshotOn opens the disk and returns its snapshot.
func snapshotOn(t *testing.T, path string) (*Disk, golden.Snapshot) {
	t.Helper()
	d, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	files, err := d.ESP()
	if err != nil {
		t.Fatal(err)
	}
	all, problems := golden.List(files)
	if len(all) != 1 || problems != nil {
		t.Fatalf("%+v, %v", all, problems)
	}
	return d, all[0]
}

func TestWriteSignature(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	path := newDisk(t, private)
	d, s := snapshotOn(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(s *golden.Snapshot){
		"its end":    func(s *golden.Snapshot) { s.Options = strings.Repeat("x", 200) },
		"its title":  func(s *golden.Snapshot) { s.Title = strings.Repeat("x", 128) },
		"its state":  func(s *golden.Snapshot) { s.State = golden.Candidate },
		"no content": func(s *golden.Snapshot) { s.Kernel = golden.NewPart(nil) },
	} {
		other := s
		change(&other)
		if err := d.WriteSignature(other); err == nil {
			t.Errorf("%s was changed", what)
		}
	}
	s.Sign(private)
	if err := d.WriteSignature(s); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if sectors := changed(before, after); sectors != 1 {
		t.Errorf("%d sectors were changed", sectors)
	}
	if err := d.Close(); err != nil { // it holds the lock
		t.Fatal(err)
	}
	d, again := snapshotOn(t, path)
	key, err := d.GoldenKey()
	if err := errors.Join(err, again.CheckSignature(key)); err != nil || again != s {
		t.Errorf("%+v, %v", again, err)
	}
}

// changed counts the sectors that differ.
func changed(a, b []byte) (n int) {
	for i := 0; i < len(a); i += atomicBytes {
		if !bytes.Equal(a[i:i+atomicBytes], b[i:i+atomicBytes]) {
			n++
		}
	}
	return n
}
