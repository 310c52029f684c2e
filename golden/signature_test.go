package golden

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"path"
	"slices"
	"testing"
	"testing/fstest"
)

// testKey is made from a seed that everybody knows.
func testKey(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), private
}

func TestSignature(t *testing.T) {
	public, private := testKey(1)
	s := snapshotOf("a", 1, Candidate)
	if err := s.CheckSignature(public); !errors.Is(err, ErrUnsigned) || s.Signed() {
		t.Errorf("not signed: %v", err)
	}
	s.Sign(private)
	s.State, s.Sequence = Stable, 9 // promotion keeps it valid
	if err := s.CheckSignature(public); err != nil || !s.Signed() {
		t.Error(err)
	}
	for name, change := range map[string]func(s *Snapshot){
		"kernel":       func(s *Snapshot) { s.Kernel.SHA256[0]++ },
		"initrd":       func(s *Snapshot) { s.Initrd.SHA256[31]++ },
		"length":       func(s *Snapshot) { s.Initrd.LengthBytes++ },
		"command line": func(s *Snapshot) { s.Options += " init=/bin/sh" },
		"signature":    func(s *Snapshot) { s.Signature[0]++ },
		"its end":      func(s *Snapshot) { s.Signature[63] ^= 0x80 },
		"another key":  func(s *Snapshot) { _, other := testKey(2); s.Sign(other) },
	} {
		other := s
		change(&other)
		if err := other.CheckSignature(public); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range []ed25519.PublicKey{nil, {}, public[:31], append(bytes.Clone(public), 0)} {
		if err := s.CheckSignature(key); !errors.Is(err, ErrSignature) {
			t.Errorf("a key of %d bytes: %v", len(key), err)
		}
	}
}

// TestSignatureIsTheDocumentedOne holds the bytes that are signed: with others,
// the signatures on all disks would be void.
func TestSignatureIsTheDocumentedOne(t *testing.T) {
	_, private := testKey(1)
	s := snapshotOf("a", 1, Stable)
	s.Sign(private)
	// It is what openssl pkeyutl -sign -rawin makes of the bytes that docs/golden-key.md describes.
	const want = "68d4fcc0d1309ec12f1dec30516002d8e402896364a3af31abab963a1c04460f" +
		"dfe477308347b754433c1a573e9dcb1b63e6b6637b0df655dde85e7a6ee49c0d"
	if got := hex.EncodeToString(s.Signature[:]); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestParseKey(t *testing.T) {
	public, _ := testKey(1)
	section := bytes.Clone(public)
	key, err := ParseKey(section)
	section[0]++
	if err != nil || !key.Equal(public) {
		t.Errorf("%x, %v", key, err)
	}
	for _, bad := range [][]byte{nil, public[:31], append(bytes.Clone(public), 0), make([]byte, 32)} {
		if key, err := ParseKey(bad); err == nil {
			t.Errorf("%x is read as %x", bad, key)
		}
	}
}

// TestTheSignedOneStays: below a boot manager with a key, the only snapshot that
// it would start is not given up for any number of others.
func TestTheSignedOneStays(t *testing.T) {
	public, private := testKey(1)
	for _, key := range []ed25519.PublicKey{public, nil} {
		v := newVolume()
		signed := take(t, v, "signed")
		name := path.Join(Dir, signed.Name())
		signed.Sign(private)
		manifest, err := EncodeManifest(signed)
		if err != nil {
			t.Fatal(err)
		}
		v.MapFS[name] = &fstest.MapFile{Data: manifest[:]}
		for _, name := range []string{"2", "3", "4", "5", "6", "7"} {
			src, _ := system(name)
			src.Key = key
			if _, _, err := Take(v, src, unused); err != nil {
				t.Fatal(err)
			}
		}
		all, _ := List(v)
		kept := slices.ContainsFunc(all, func(s Snapshot) bool { return s.ID() == signed.ID() })
		if kept != (key != nil) || len(all) != MaxSnapshots {
			t.Errorf("key %v: kept %v among %d", key != nil, kept, len(all))
		}
	}
}
