package uefi

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// encodeUCS2 encodes s with a terminating null. UCS-2, which the console and
// the names of files speak (UEFI 2.10 §1.9.1), has neither characters beyond
// U+FFFF nor a null within; both become U+FFFD.
func encodeUCS2(s string) []uint16 {
	out := make([]uint16, 0, len(s)+1)
	for _, r := range s {
		if r == 0 || r > 0xffff {
			r = utf8.RuneError
		}
		out = append(out, uint16(r))
	}
	return append(out, 0)
}

// decodeUCS2 decodes up to the first null or the end. Surrogate pairs, which
// firmware passes through, count as UTF-16; lone ones become U+FFFD.
func decodeUCS2(units []uint16) string {
	for i, u := range units {
		if u == 0 {
			units = units[:i]
			break
		}
	}
	return string(utf16.Decode(units))
}

// EncodeUTF16 encodes s as UTF-16LE with a terminating null, the form of the
// text in variables of the Boot Loader Interface and in load options for Linux.
func EncodeUTF16(s string) []byte {
	return putUnits(nil, append(utf16.Encode([]rune(s)), 0))
}

// DecodeUTF16 decodes UTF-16LE up to the first null or the end. A lone
// surrogate becomes U+FFFD, an odd byte at the end is ignored.
func DecodeUTF16(b []byte) string { return decodeUCS2(getUnits(b)) }

func putUnits(b []byte, units []uint16) []byte {
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func getUnits(b []byte) []uint16 {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return units
}

// stringAt decodes the CHAR16 string at addr in firmware memory, of which at
// most limit characters are looked at.
func stringAt(addr uintptr, limit int) string {
	if addr == 0 {
		return ""
	}
	var units []uint16
	for len(units) < limit {
		u := *raw.At[uint16](addr + uintptr(2*len(units)))
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return decodeUCS2(units)
}
