package esp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The private keys of an entry that the boot policy looks at.
const (
	BlessKey     = PrivatePrefix + "bless"         // who blesses its good boots; see BlessedByRuntime
	LinuxPinKey  = PrivatePrefix + "linux-sha256"  // digest of the image, see Pins
	InitrdPinKey = PrivatePrefix + "initrd-sha256" // digest of all its initrds, see Pins
	RoleKey      = PrivatePrefix + "role"          // what the entry is there for, one of the Role constants

	blessRuntime = "runtime"
)

// What an entry is there for, if it is not there for every day.
const (
	RoleRecovery  = "recovery"  // the menu's r key starts it
	RoleInstaller = "installer" // it installs from the disk that it lies on, and is not installed itself
)

// Role is what the entry is there for; empty for an ordinary one.
func (e Entry) Role() string {
	role, _ := e.PrivateValue(RoleKey)
	return role
}

// BlessedByRuntime reports whether the RayOS runtime tells when a boot of the
// entry was good, so that a boot of which it does not is a failure.
func (e Entry) BlessedByRuntime() bool {
	by, _ := e.PrivateValue(BlessKey)
	return by == blessRuntime
}

// BlessByRuntime is the private line of an entry that the runtime blesses.
func BlessByRuntime() Private { return Private{BlessKey, blessRuntime} }

// Pins are the digests (SHA-256) that an entry's files must have. A zero digest
// pins nothing.
type Pins struct {
	Linux  [sha256.Size]byte // of the image
	Initrd [sha256.Size]byte // of the initrds, each padded with zeros to a multiple of 4 bytes if there are several
}

// Pins returns what the entry pins. A pin that cannot be read is an error: the
// entry must not be started without it.
func (e Entry) Pins() (p Pins, err error) {
	for _, pin := range []struct {
		key    string
		digest *[sha256.Size]byte
	}{{LinuxPinKey, &p.Linux}, {InitrdPinKey, &p.Initrd}} {
		value, ok := e.PrivateValue(pin.key)
		if !ok {
			continue
		}
		if len(value) != hex.EncodedLen(sha256.Size) {
			return Pins{}, fmt.Errorf("%s has %d characters, want %d hexadecimal digits", pin.key, len(value), hex.EncodedLen(sha256.Size))
		}
		if _, err := hex.Decode(pin.digest[:], []byte(value)); err != nil {
			return Pins{}, fmt.Errorf("%s: %w", pin.key, err)
		}
	}
	return p, nil
}

// Private returns the private lines of an entry that pins p.
func (p Pins) Private() []Private {
	var lines []Private
	if p.Linux != ([sha256.Size]byte{}) {
		lines = append(lines, Private{LinuxPinKey, hex.EncodeToString(p.Linux[:])})
	}
	if p.Initrd != ([sha256.Size]byte{}) {
		lines = append(lines, Private{InitrdPinKey, hex.EncodeToString(p.Initrd[:])})
	}
	return lines
}
