package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/golden"
)

// testKey is a private key that everybody knows.
func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func publicOf(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// keyed is an image of the boot manager with this key section.
func keyed(t *testing.T, section []byte) string {
	t.Helper()
	image, err := pecoff.AddSection([]byte(kernel("boot manager")), golden.KeySection, section)
	if err != nil {
		t.Fatal(err)
	}
	return string(image)
}

// The ways in which a snapshot may be signed.
func unsigned(*golden.Snapshot)    {}
func rightly(s *golden.Snapshot)   { s.Sign(testKey(1)) }
func byAnother(s *golden.Snapshot) { s.Sign(testKey(2)) }
func withAFlip(s *golden.Snapshot) { rightly(s); s.Signature[17] ^= 1 }
func forAnother(s *golden.Snapshot) { // the signature was made before the command line became another
	options := s.Options
	s.Options += " quiet"
	rightly(s)
	s.Options = options
}

// TestSignaturesOfSnapshots has a manager with a key, and one without, on a
// machine whose newest snapshot is signed in each way, with an older one that is
// as it should be. No entry can be started.
func TestSignaturesOfSnapshots(t *testing.T) {
	withKey := keyed(t, publicOf(testKey(1)))
	for _, c := range []struct {
		name  string
		image string
		sign  func(*golden.Snapshot)
		says  string // why it is refused; empty if it is started
	}{
		{"right", withKey, rightly, ""},
		{"missing", withKey, unsigned, "the snapshot is not signed, and the boot manager accepts only signed ones"},
		{"of another key", withKey, byAnother, "the snapshot's signature is not one of the boot manager's key"},
		{"with a flipped bit", withKey, withAFlip, "the snapshot's signature is not one of the boot manager's key"},
		{"of another content", withKey, forAnother, "the snapshot's signature is not one of the boot manager's key"},
		{"missing, no key", kernel("boot manager"), unsigned, ""},
		{"of another key, no key", kernel("boot manager"), byAnother, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := rayosFiles(t)
			delete(files, "linux-a")
			delete(files, "linux-b")
			addSigned(t, files, 1, "older", rightly)
			newest := addSigned(t, files, 2, "newest", c.sign)
			fw := fakefw.New()
			defer fw.Close()
			fw.AddVolume(files)
			end := bootImage(fw, c.image)
			refusal := fmt.Sprintf("[RAYOS_BOOTMGR:GOLDEN_REFUSED] snapshot=%.16s, reason=%q", newest.ID(), c.says)
			want := "newest"
			if c.says != "" {
				want = "older"
			}
			if end.How != fakefw.Booted || string(end.Image.Source) != kernel(want) || strings.Contains(fw.Transcript(), refusal) != (c.says != "") {
				t.Errorf("%v, want %s and %s\n%s", end, want, refusal, fw.Transcript())
			}
		})
	}
}

// TestNoSignedSnapshot stops at the menu.
func TestNoSignedSnapshot(t *testing.T) {
	files := rayosFiles(t)
	delete(files, "linux-a")
	delete(files, "linux-b")
	addSigned(t, files, 1, "one", withAFlip)
	addSigned(t, files, 2, "other", unsigned)
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(files)
	end := bootImage(fw, keyed(t, publicOf(testKey(1))))
	if text := fw.Transcript(); end.How != fakefw.Waiting || strings.Count(text, "GOLDEN_REFUSED]") != 2 || !strings.Contains(text, "[RAYOS_BOOTMGR:STOPPED]") {
		t.Errorf("%v\n%s", end, text)
	}
}

// TestKeyThatCannotBeRead has a manager that may have a key or not: no snapshot is
// good enough, and an entry is started as ever.
func TestKeyThatCannotBeRead(t *testing.T) {
	const sizeOfHeaders = 0x40 + 4 + 20 + 60 // its offset in an image of these tests
	headless := []byte(keyed(t, publicOf(testKey(1))))
	clear(headless[sizeOfHeaders : sizeOfHeaders+4]) // they are not loaded then
	for name, c := range map[string]struct {
		load func(fw *fakefw.Firmware)
		says string
	}{
		"nowhere":    {func(*fakefw.Firmware) {}, "it has 0 bytes at 0x0, says the firmware"},
		"short key":  {func(fw *fakefw.Firmware) { fw.SetProgram([]byte(keyed(t, []byte("not a key")))) }, "9 bytes, want 32"},
		"zero key":   {func(fw *fakefw.Firmware) { fw.SetProgram([]byte(keyed(t, make([]byte, 32)))) }, "all its bytes are zero"},
		"no headers": {func(fw *fakefw.Firmware) { fw.SetProgram(headless) }, "no DOS header"},
	} {
		t.Run(name, func(t *testing.T) {
			files := rayosFiles(t)
			kept := addSigned(t, files, 1, "kept", rightly)
			fw := fakefw.New()
			defer fw.Close()
			fw.AddVolume(files)
			c.load(fw)
			end := fw.Run(func() { run(fw.System(), nil) })
			if end.How != fakefw.Booted || string(end.Image.Source) != kernel("a") {
				t.Errorf("with an entry: %v\n%s", end, fw.Transcript())
			}
			delete(files, "linux-a")
			delete(files, "linux-b")
			again := fakefw.New()
			defer again.Close()
			again.AddVolume(files)
			c.load(again)
			end = again.Run(func() { run(again.System(), nil) })
			refusal := fmt.Sprintf("[RAYOS_BOOTMGR:GOLDEN_REFUSED] snapshot=%.16s, reason=\"whether golden snapshots must be signed is not known", kept.ID())
			if text := again.Transcript(); end.How != fakefw.Waiting || !strings.Contains(text, c.says) || !strings.Contains(text, refusal) {
				t.Errorf("without: %v, want %q\n%s", end, c.says, text)
			}
		})
	}
}

func TestKeyIsHandedOver(t *testing.T) {
	for image, want := range map[string]string{keyed(t, publicOf(testKey(1))): hex.EncodeToString(publicOf(testKey(1))), kernel("boot manager"): ""} {
		fw := fakefw.New()
		defer fw.Close()
		fw.AddVolume(rayosFiles(t))
		if end := bootImage(fw, image); end.How != fakefw.Booted {
			t.Fatalf("%v\n%s", end, fw.Transcript())
		}
		data, attr, ok := fw.Variable("RayosGoldenKey", rayosVendor)
		if got := uefi.DecodeUTF16(data); got != want || ok != (want != "") || ok && attr != volatile {
			t.Errorf("RayosGoldenKey is %q with attributes %x, want %q", got, attr, want)
		}
	}
}
