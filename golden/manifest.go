package golden

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of DecodeManifest.
var (
	ErrNoManifest = errors.New("no manifest of a golden snapshot")
	ErrVersion    = errors.New("manifest of a newer version")
	ErrChecksum   = errors.New("manifest: checksum does not match")
	ErrInvalid    = errors.New("invalid manifest")
)

const (
	magic        = "RAYOSGLD"
	major, minor = 1, 0
)

// Where things lie in a manifest, in bytes.
const (
	offVersion   = 8
	offChecksum  = 12
	offSequence  = 16
	offState     = 24
	offKernel    = 32
	offInitrd    = 96
	offSignature = 160
	offEntry     = 224
	offTitle     = 288
	offOptions   = 416
	offEnd       = offOptions + MaxOptions
)

// Check says why the snapshot cannot be stored or used, nil if it can.
func (s Snapshot) Check() error {
	var err error
	switch {
	case s.State > Stable:
		err = fmt.Errorf("state %d", s.State)
	case s.Kernel.LengthBytes == 0:
		err = errors.New("it has no kernel")
	case s.Initrd.LengthBytes == 0 && s.Initrd != Part{Slot: noSlot}:
		err = errors.New("an initrd without length")
	default:
		err = errors.Join(s.Kernel.check("kernel"), s.Initrd.check("initrd"), checkText("entry", s.Entry, maxName),
			checkText("title", s.Title, maxTitle), checkText("command line", s.Options, MaxOptions))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (p Part) check(what string) error {
	switch {
	case p.LengthBytes < 0 || p.LengthBytes > MaxPartBytes:
		return fmt.Errorf("%s of %d bytes", what, p.LengthBytes)
	case p.Slot < noSlot || p.Slot > maxSlot:
		return fmt.Errorf("%s in kernel slot %d", what, p.Slot)
	case p.OffsetBytes < 0 || p.Slot == noSlot && p.OffsetBytes != 0:
		return fmt.Errorf("%s at byte %d", what, p.OffsetBytes)
	}
	return nil
}

func checkText(what, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%s is not printable text of at most %d bytes", what, limit)
	}
	return nil
}

// EncodeManifest returns the snapshot's manifest.
func EncodeManifest(s Snapshot) ([ManifestBytes]byte, error) {
	var b [ManifestBytes]byte
	if err := s.Check(); err != nil {
		return b, err
	}
	le := binary.LittleEndian
	copy(b[:], magic)
	le.PutUint16(b[offVersion:], major)
	le.PutUint16(b[offVersion+2:], minor)
	le.PutUint64(b[offSequence:], s.Sequence)
	b[offState] = byte(s.State)
	s.Kernel.encode(b[offKernel:])
	s.Initrd.encode(b[offInitrd:])
	copy(b[offSignature:], s.Signature[:])
	copy(b[offEntry:], s.Entry)
	copy(b[offTitle:], s.Title)
	copy(b[offOptions:], s.Options)
	le.PutUint32(b[offChecksum:], checksum(b[:]))
	return b, nil
}

func (p Part) encode(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(p.LengthBytes))
	binary.LittleEndian.PutUint64(b[8:], uint64(p.OffsetBytes))
	binary.LittleEndian.PutUint32(b[16:], uint32(int32(p.Slot)))
	copy(b[24:], p.SHA256[:])
}

func decodePart(b []byte) (p Part) {
	p.LengthBytes = int64(binary.LittleEndian.Uint64(b))
	p.OffsetBytes = int64(binary.LittleEndian.Uint64(b[8:]))
	p.Slot = int(int32(binary.LittleEndian.Uint32(b[16:])))
	copy(p.SHA256[:], b[24:])
	return p
}

// checksum is the CRC-32 (IEEE 802.3) of a manifest with its own field zero.
func checksum(b []byte) uint32 {
	sum := crc32.ChecksumIEEE(b[:offChecksum])
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, 4))
	return crc32.Update(sum, crc32.IEEETable, b[offChecksum+4:])
}

// DecodeManifest reads a manifest. Its error is, or has in its chain,
// ErrNoManifest, ErrVersion, ErrChecksum or ErrInvalid.
func DecodeManifest(data []byte) (Snapshot, error) {
	if len(data) != ManifestBytes || string(data[:len(magic)]) != magic {
		return Snapshot{}, ErrNoManifest
	}
	le := binary.LittleEndian
	if checksum(data) != le.Uint32(data[offChecksum:]) {
		return Snapshot{}, ErrChecksum
	}
	if gotMajor, gotMinor := le.Uint16(data[offVersion:]), le.Uint16(data[offVersion+2:]); gotMajor != major || gotMinor > minor {
		return Snapshot{}, fmt.Errorf("%w: %d.%d, known is %d.%d", ErrVersion, gotMajor, gotMinor, major, minor)
	}
	s := Snapshot{
		Sequence: le.Uint64(data[offSequence:]), State: State(data[offState]),
		Kernel: decodePart(data[offKernel:]), Initrd: decodePart(data[offInitrd:]),
		Entry: text(data[offEntry:offTitle]), Title: text(data[offTitle:offOptions]), Options: text(data[offOptions:offEnd]),
	}
	copy(s.Signature[:], data[offSignature:])
	if err := s.Check(); err != nil {
		return Snapshot{}, err
	}
	if b, err := EncodeManifest(s); err != nil || !bytes.Equal(b[:], data) {
		return Snapshot{}, fmt.Errorf("%w: reserved bytes are not zero", ErrInvalid)
	}
	return s, nil
}

// text is a string padded with zeros.
func text(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }
