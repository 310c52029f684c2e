package kms

import (
	"encoding/binary"
	"fmt"
)

// parseEvents counts the flips among the events that a card has sent (struct drm_event). Kinds that are not known are
// passed over.
func parseEvents(b []byte) (flips int, err error) {
	for len(b) > 0 {
		if len(b) < eventHeader {
			return flips, fmt.Errorf("event of the card: %d bytes are left over", len(b))
		}
		kind, length := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if length < eventHeader || uint64(length) > uint64(len(b)) || kind == eventFlipComplete && length < eventFlipBytes {
			return flips, fmt.Errorf("event of the card: kind %d with %d bytes", kind, length)
		}
		if kind == eventFlipComplete {
			flips++
		}
		b = b[length:]
	}
	return flips, nil
}
