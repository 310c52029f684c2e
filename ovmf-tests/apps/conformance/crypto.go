package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func cryptoChecks(r *report.Report) {
	r.Check("SHA-256", func() error {
		h := sha256.Sum256([]byte("abc"))
		return want(hex.EncodeToString(h[:]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	})
	r.Check("SHA-256 of a million", func() error {
		h := sha256.New()
		for range 1000 {
			h.Write(repeated)
		}
		return want(hex.EncodeToString(h.Sum(nil)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
	})
	r.Check("Ed25519", func() error {
		// The key comes from a fixed seed: crypto/rand would need 32 MiB, see goefi.
		key := ed25519.NewKeyFromSeed(repeated[:ed25519.SeedSize])
		public := key.Public().(ed25519.PublicKey)
		signature := ed25519.Sign(key, []byte("message"))
		switch {
		case !ed25519.Verify(public, []byte("message"), signature):
			return errors.New("a good signature does not verify")
		case ed25519.Verify(public, []byte("Message"), signature):
			return errors.New("a signature verifies for another message")
		}
		return nil
	})
}

// repeated is part of the test vector of FIPS 180-4: a million times the letter a.
var repeated = func() []byte {
	b := make([]byte, 1000)
	for i := range b {
		b[i] = 'a'
	}
	return b
}()
