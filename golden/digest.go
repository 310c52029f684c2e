// Package golden owns content digests and their verification: what was read is
// compared with what was promised before it runs. It reads no medium itself;
// callers hand over the bytes they are about to use.
//
// The digest is SHA-256 (FIPS 180-4).
package golden

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest is the SHA-256 of a kernel, an initrd or another boot image.
type Digest [sha256.Size]byte

// Sum digests data.
func Sum(data []byte) Digest { return sha256.Sum256(data) }

// ParseDigest reads the 64 hexadecimal digits that String writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return Digest{}, fmt.Errorf("parse digest: %d characters, want %d hexadecimal digits", len(s), hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("parse digest: %w", err)
	}
	return d, nil
}

// String is the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// MismatchError says that an image is not the one that was promised.
type MismatchError struct {
	Image     string // what was digested, for people
	Want, Got Digest
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("verify %s: SHA-256 is %.8s..., want %.8s...", e.Image, e.Got, e.Want)
}

// Verify compares what was promised, d, with the digest of what was read. The
// error is a *MismatchError.
func (d Digest) Verify(image string, got Digest) error {
	if got != d {
		return &MismatchError{Image: image, Want: d, Got: got}
	}
	return nil
}
