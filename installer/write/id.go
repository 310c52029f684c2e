package write

import (
	"crypto/rand"

	"github.com/rayos/rayboot/gpt"
)

// NewID makes a random GUID (RFC 9562 §5.4, version 4).
func NewID() gpt.GUID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return gpt.GUIDFromBytes(b)
}
