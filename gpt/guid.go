package gpt

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// GUID is a globally unique identifier in its on-disk byte order: the first
// three fields little-endian, the rest as written (UEFI 2.10 §A).
type GUID [16]byte

// guidTextLen is the length of xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.
const guidTextLen = 36

// ParseGUID reads the usual text form, in either case, without braces.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	bad := fmt.Errorf("parse GUID %q: want xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", s)
	if len(s) != guidTextLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return g, bad
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != len(g) {
		return g, bad
	}
	return GUIDFromBytes([16]byte(b)), nil
}

// MustParseGUID is ParseGUID for constants; it panics on a malformed text.
func MustParseGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(err)
	}
	return g
}

// GUIDFromBytes makes a GUID of 16 bytes in the order of the text form
// (RFC 9562, network order).
func GUIDFromBytes(b [16]byte) GUID {
	var g GUID
	binary.LittleEndian.PutUint32(g[0:], binary.BigEndian.Uint32(b[0:]))
	binary.LittleEndian.PutUint16(g[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(g[6:], binary.BigEndian.Uint16(b[6:]))
	copy(g[8:], b[8:])
	return g
}

// String returns the text form in lower case.
func (g GUID) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(g[0:]), binary.LittleEndian.Uint16(g[4:]),
		binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// MarshalText implements [encoding.TextMarshaler].
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (g *GUID) UnmarshalText(b []byte) (err error) {
	*g, err = ParseGUID(string(b))
	return err
}

// IsZero reports whether g is the nil GUID, which marks an unused entry.
func (g GUID) IsZero() bool { return g == GUID{} }
