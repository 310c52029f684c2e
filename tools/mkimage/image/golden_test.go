package image

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
)

func testKey(seed byte) *GoldenKey {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return &GoldenKey{Public: private.Public().(ed25519.PublicKey), Private: private}
}

// espOf opens the ESP of an image.
func espOf(t *testing.T, path string, r Report) *fat32.FS {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	p := r.Partitions[gpt.NumberESP-1]
	volume, err := fat32.Open(io.NewSectionReader(f, p.StartBytes, p.SizeBytes), p.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	return volume
}

func TestGoldenKey(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *Spec)
		signed error
	}{
		{"private", func(*Spec) {}, nil},
		{"public", func(s *Spec) { s.GoldenKey.Private = nil }, golden.ErrUnsigned},
		{"no initrd", func(s *Spec) { s.System.Initrd = nil }, nil},
		{"one file twice", func(s *Spec) { s.System.Initrd = s.System.Kernel }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec()
			spec.GoldenKey = testKey(1)
			c.change(&spec)
			path, report := build(t, spec)
			volume := espOf(t, path, report)
			all, problems := golden.List(volume)
			if len(all) != 1 || problems != nil {
				t.Fatalf("snapshots %+v, %v", all, problems)
			}
			s := all[0]
			if err := golden.Verify(volume, nil, s); err != nil {
				t.Error(err)
			}
			if err := s.CheckSignature(spec.GoldenKey.Public); err != c.signed {
				t.Errorf("signature: %v", err)
			}
			if s.State != golden.Stable || s.Entry != "rayos" || s.Title != "RayOS 6.1.0-test" || s.Options != "quiet" || s.Kernel.SHA256 != golden.Sum(spec.System.Kernel) {
				t.Errorf("snapshot %+v", s)
			}
			if g := report.Golden; g.Snapshot != s.ID().String() || g.Signed != (c.signed == nil) || len(g.Key) != 64 {
				t.Errorf("report %+v", g)
			}
			for _, name := range []string{esp.RemovablePathX64, esp.ManagerPath} {
				checkKey(t, volume, name, spec)
			}
		})
	}
}

// checkKey looks for the key in a boot manager that is otherwise as it was.
func checkKey(t *testing.T, volume fs.FS, name string, spec Spec) {
	t.Helper()
	manager, err := fs.ReadFile(volume, name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := pecoff.Parse(manager)
	if err != nil {
		t.Fatal(err)
	}
	if section, ok := img.Section(golden.KeySection); !ok || !bytes.Equal(img.Data(section), spec.GoldenKey.Public) {
		t.Errorf("%s has the key %x", name, img.Data(section))
	}
	const headers = 0x200
	if !bytes.Equal(manager[headers:len(spec.BootManager)], spec.BootManager[headers:]) {
		t.Errorf("%s is not the boot manager", name)
	}
}

func TestNoGoldenKey(t *testing.T) {
	path, report := build(t, testSpec())
	if all, problems := golden.List(espOf(t, path, report)); len(all) > 0 || problems != nil || report.Golden != nil {
		t.Errorf("%+v, %v, report %+v", all, problems, report.Golden)
	}
}

// TestGoldenKeyOfAManager has boot managers that have a key already, as those that
// were signed for Secure Boot.
func TestGoldenKeyOfAManager(t *testing.T) {
	spec := testSpec()
	with, err := pecoff.AddSection(spec.BootManager, golden.KeySection, testKey(1).Public)
	if err != nil {
		t.Fatal(err)
	}
	spec.BootManager, spec.GoldenKey = with, testKey(1)
	path, report := build(t, spec)
	if got, err := fs.ReadFile(espOf(t, path, report), esp.ManagerPath); err != nil || !bytes.Equal(got, with) {
		t.Errorf("a boot manager with this key has changed: %v", err)
	}
}

func TestGoldenKeyRefuses(t *testing.T) {
	for _, c := range []struct {
		says   string
		change func(t *testing.T, s *Spec)
	}{
		{"another key", func(t *testing.T, s *Spec) {
			var err error
			if s.BootManager, err = pecoff.AddSection(s.BootManager, golden.KeySection, testKey(2).Public); err != nil {
				t.Fatal(err)
			}
		}},
		{"the payload has EFI/BOOT/BOOTX64.EFI", func(_ *testing.T, s *Spec) {
			s.Payload = []fat32.File{fat32.Bytes("efi/boot/bootx64.efi", []byte("x"))}
		}},
		{"the payload has " + esp.ManagerPath, func(_ *testing.T, s *Spec) { s.Payload = []fat32.File{fat32.Bytes(esp.ManagerPath, []byte("x"))} }},
		{"command line is not printable", func(_ *testing.T, s *Spec) { s.System.Options = strings.Repeat("x", golden.MaxOptions+1) }},
	} {
		t.Run(c.says, func(t *testing.T) {
			spec := testSpec()
			spec.GoldenKey = testKey(1)
			c.change(t, &spec)
			if _, err := Build(t.Context(), spec, Output{Path: t.TempDir() + "/disk.img"}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
