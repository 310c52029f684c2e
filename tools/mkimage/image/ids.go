package image

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/rayos/rayboot/gpt"
)

// identity gives out the identifiers of one disk: from a seed always the same
// ones, without a seed random ones.
type identity struct{ seed string }

// bytes returns 16 bytes for one purpose.
func (i identity) bytes(purpose string) (b [16]byte) {
	if i.seed == "" {
		_, _ = rand.Read(b[:]) // documented never to fail
		return b
	}
	sum := sha256.Sum256([]byte("rayimg identity 1\x00" + purpose + "\x00" + i.seed))
	return [16]byte(sum[:])
}

// guid returns a GUID of RFC 9562 version 4 (random), or 8 (made of a digest).
func (i identity) guid(purpose string) gpt.GUID {
	version := byte(0x40)
	if i.seed != "" {
		version = 0x80
	}
	b := i.bytes(purpose)
	b[6] = b[6]&0x0f | version
	b[8] = b[8]&0x3f | 0x80
	return gpt.GUIDFromBytes(b)
}

// serial returns a FAT volume serial number.
func (i identity) serial(purpose string) uint32 {
	b := i.bytes(purpose)
	return binary.LittleEndian.Uint32(b[:])
}

// NewID returns an identifier for one purpose: from a seed always the same one, without a
// seed a random one.
func NewID(seed, purpose string) gpt.GUID { return identity{seed}.guid(purpose) }
