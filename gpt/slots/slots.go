// Package slots owns the slot table of the RayOS kernel partition: which
// kernel images lie at which bytes of the partition, with which initial RAM
// disk and command line, and what their digests must be.
//
// The table is stored twice, at [CopyAOffset] and [CopyBOffset], each copy
// complete with a sequence number and a checksum; [Read] takes the newest
// copy that is intact. The package is pure and only decodes and encodes;
// whoever writes a table replaces the older copy first. The format is described
// in docs/on-disk.md. Byte positions are relative to the partition.
package slots

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Places in the partition, and limits. All in bytes, except MaxSlots.
const (
	CopyAOffset = 0
	CopyBOffset = 64 << 10
	CopyBytes   = 64 << 10 // length of one copy of the table

	LogOffset = 1 << 20   // persistent log area
	LogBytes  = 128 << 20 // its length

	MaxSlots    = 16
	ImageOffset = 256 << 20 // image area of slot 0
	ImageBytes  = 128 << 20 // length of a slot's image area
	ImageAlign  = 4096      // images start at multiples of this

	MaxID      = 64
	MaxTitle   = 128
	MaxOptions = 1024
)

// Errors of this package.
var (
	ErrNoTable  = errors.New("no slot table")
	ErrVersion  = errors.New("slot table of a newer version")
	ErrChecksum = errors.New("checksum does not match")
	ErrInvalid  = errors.New("invalid slot table")
)

// Digest is a SHA-256 digest; its text form is hexadecimal.
type Digest [sha256.Size]byte

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// Image is a byte range of the partition with its digest.
type Image struct {
	OffsetBytes int64  `json:"offsetBytes"`
	LengthBytes int64  `json:"lengthBytes"` // 0: there is no such image
	SHA256      Digest `json:"sha256"`
}

func (m Image) end() int64 { return m.OffsetBytes + m.LengthBytes }

// Slot is one bootable kernel. A slot always has a kernel; the initrd may be
// absent.
type Slot struct {
	Index   int    `json:"index"` // 0 to MaxSlots-1
	ID      string `json:"id"`    // entry ID: a-z 0-9 . _ -, at most MaxID bytes
	Title   string `json:"title"` // printable UTF-8, at most MaxTitle bytes
	Options string `json:"options"`
	Kernel  Image  `json:"kernel"`
	Initrd  Image  `json:"initrd"`
}

// Table is the content of one copy.
type Table struct {
	Sequence uint64 `json:"sequence"` // the higher one is newer
	Slots    []Slot `json:"slots"`    // the used ones, by ascending index
}

// AreaOffset is the byte at which the image area of a slot begins.
func AreaOffset(index int) int64 { return ImageOffset + int64(index)*ImageBytes }

// Check says whether the table may be stored.
func (t Table) Check() error {
	if t.Sequence == 0 {
		return fmt.Errorf("%w: sequence number 0 is reserved for an empty place", ErrInvalid)
	}
	if len(t.Slots) > MaxSlots {
		return fmt.Errorf("%w: %d slots, at most %d are possible", ErrInvalid, len(t.Slots), MaxSlots)
	}
	ids := map[string]bool{}
	for i, s := range t.Slots {
		if err := s.check(); err != nil {
			return fmt.Errorf("%w: slot %d: %w", ErrInvalid, s.Index, err)
		}
		if i > 0 && s.Index <= t.Slots[i-1].Index {
			return fmt.Errorf("%w: slot %d comes after slot %d", ErrInvalid, s.Index, t.Slots[i-1].Index)
		}
		if ids[s.ID] {
			return fmt.Errorf("%w: two slots have the ID %q", ErrInvalid, s.ID)
		}
		ids[s.ID] = true
	}
	return nil
}

func (s Slot) check() error {
	if s.Index < 0 || s.Index >= MaxSlots {
		return fmt.Errorf("index is not in 0..%d", MaxSlots-1)
	}
	if !validID(s.ID) {
		return fmt.Errorf("ID %q is not 1 to %d characters of a-z 0-9 . _ -", s.ID, MaxID)
	}
	if err := checkText("title", s.Title, MaxTitle); err != nil {
		return err
	}
	if err := checkText("options", s.Options, MaxOptions); err != nil {
		return err
	}
	if s.Kernel.LengthBytes == 0 {
		return errors.New("it has no kernel")
	}
	if err := errors.Join(s.checkImage("kernel", s.Kernel), s.checkImage("initrd", s.Initrd)); err != nil {
		return err
	}
	if s.Initrd.LengthBytes > 0 && s.Kernel.OffsetBytes < s.Initrd.end() && s.Initrd.OffsetBytes < s.Kernel.end() {
		return errors.New("kernel and initrd overlap")
	}
	return nil
}

// checkImage holds an image to the area of its own slot.
func (s Slot) checkImage(what string, m Image) error {
	if m.LengthBytes == 0 {
		if m != (Image{}) {
			return fmt.Errorf("%s has no length but an offset or a digest", what)
		}
		return nil
	}
	area := AreaOffset(s.Index)
	if m.OffsetBytes < area || m.OffsetBytes%ImageAlign != 0 || m.LengthBytes < 0 ||
		m.OffsetBytes > area+ImageBytes || m.LengthBytes > area+ImageBytes-m.OffsetBytes {
		return fmt.Errorf("%s at byte %d with %d bytes is not in the slot's area, bytes %d to %d",
			what, m.OffsetBytes, m.LengthBytes, area, area+ImageBytes)
	}
	return nil
}

func validID(id string) bool {
	return id != "" && len(id) <= MaxID && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func checkText(what, s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%s has %d bytes, at most %d are possible", what, len(s), limit)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("%s is not UTF-8 text on one line", what)
	}
	return nil
}
