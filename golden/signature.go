package golden

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySection is the section of the boot manager's PE image that holds the public
// key with which golden snapshots must be signed: the 32 bytes of RFC 8032
// §5.1.5. A boot manager without this section asks for no signature.
const KeySection = ".goldkey"

// Errors of CheckSignature.
var (
	ErrUnsigned  = errors.New("the snapshot is not signed, and the boot manager accepts only signed ones")
	ErrSignature = errors.New("the snapshot's signature is not one of the boot manager's key")
)

// ParseKey reads the content of KeySection. The result shares no memory with it.
func ParseKey(section []byte) (ed25519.PublicKey, error) {
	switch {
	case len(section) != ed25519.PublicKeySize:
		return nil, fmt.Errorf("key of golden snapshots: %d bytes, want %d", len(section), ed25519.PublicKeySize)
	case bytes.Equal(section, make([]byte, len(section))):
		return nil, errors.New("key of golden snapshots: all its bytes are zero")
	}
	return bytes.Clone(section), nil
}

// SignedBytes is what a signature is made over: all that is started. How far the
// snapshot is trusted and which is the newest is not signed: promotion keeps a
// signature valid.
func (s Snapshot) SignedBytes() []byte {
	id := s.ID()
	b := append([]byte("RayOS golden signature\x00"), id[:]...)
	for _, p := range []Part{s.Kernel, s.Initrd} {
		b = binary.LittleEndian.AppendUint64(b, uint64(p.LengthBytes))
	}
	return b
}

// Signed reports whether the snapshot has a signature, of whatever key.
func (s Snapshot) Signed() bool { return s.Signature != [ed25519.SignatureSize]byte{} }

// CheckSignature says why the snapshot may not be used by a boot manager with
// this key, nil if it may. The error is ErrUnsigned or ErrSignature.
func (s Snapshot) CheckSignature(key ed25519.PublicKey) error {
	switch {
	case !s.Signed():
		return ErrUnsigned
	case len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, s.SignedBytes(), s.Signature[:]):
		return ErrSignature
	}
	return nil
}

// Sign signs the snapshot. The same content and key give the same signature (RFC
// 8032).
func (s *Snapshot) Sign(key ed25519.PrivateKey) {
	copy(s.Signature[:], ed25519.Sign(key, s.SignedBytes()))
}
