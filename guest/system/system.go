// Package system is the format of the RayOS System partition: a squashfs with the
// tree that package guest describes, and right behind it one block that says how
// long the file system is, what its digest is, and which QEMU it has.
// docs/on-disk.md has it byte by byte.
package system

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode"
	"unicode/utf8"
)

// BlockBytes is the size of the description, and what the length of the file
// system is a multiple of.
const BlockBytes = 4096

// The description; numbers are little-endian.
const (
	magic    = "RAYOSSYS"
	major    = 1
	minor    = 0
	versionN = 128 // bytes of the version of QEMU

	offMajor, offMinor, offCRC, offLength, offDigest, offVersion, offZero = 8, 10, 12, 16, 24, 56, 56 + versionN
)

// squashfs 4.0, of which two fields of the superblock are read.
const (
	squashMagic     = "hsqs"
	offSquashMajor  = 28
	offSquashUsed   = 40
	squashSuperSize = 96
	squashMajor     = 4
)

// Errors of Read.
var (
	// ErrNone says that the partition holds no squashfs.
	ErrNone = errors.New("there is no squashfs")
	// ErrDamaged says that the squashfs has no description, or not the right one.
	ErrDamaged = errors.New("it is damaged")
)

// Area is what a RayOS System partition holds.
type Area struct {
	LengthBytes int64             // of the file system, a multiple of BlockBytes
	SHA256      [sha256.Size]byte // of the file system
	QEMU        string            // Debian's version, at most 128 bytes
}

// Bytes is how much of the partition is used: file system and description.
func (a Area) Bytes() int64 { return a.LengthBytes + BlockBytes }

// Encode returns the block that comes behind the file system.
func Encode(a Area) ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode the description of the RayOS System partition: %w", err)
	}
	b := make([]byte, BlockBytes)
	copy(b, magic)
	le := binary.LittleEndian
	le.PutUint16(b[offMajor:], major)
	le.PutUint16(b[offMinor:], minor)
	le.PutUint64(b[offLength:], uint64(a.LengthBytes))
	copy(b[offDigest:], a.SHA256[:])
	copy(b[offVersion:offZero], a.QEMU)
	le.PutUint32(b[offCRC:], crc32.ChecksumIEEE(b))
	return b, nil
}

func (a Area) check() error {
	switch {
	case a.LengthBytes <= 0 || a.LengthBytes%BlockBytes != 0:
		return fmt.Errorf("the length %d is not a multiple of %d", a.LengthBytes, BlockBytes)
	case len(a.QEMU) > versionN || !printable(a.QEMU):
		return fmt.Errorf("the version %.200q is not text of at most %d bytes", a.QEMU, versionN)
	}
	return nil
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Decode reads a block that Encode has made.
func Decode(b []byte) (a Area, err error) {
	if len(b) != BlockBytes || !bytes.HasPrefix(b, []byte(magic)) {
		return a, errors.New("it is not one of the RayOS System partition")
	}
	le := binary.LittleEndian
	if got := le.Uint16(b[offMajor:]); got != major {
		return a, fmt.Errorf("it has version %d, this program knows %d", got, major)
	}
	clean := bytes.Clone(b)
	copy(clean[offCRC:offLength], []byte{0, 0, 0, 0})
	if crc32.ChecksumIEEE(clean) != le.Uint32(b[offCRC:]) {
		return a, errors.New("its checksum is wrong")
	}
	version, _, _ := bytes.Cut(b[offVersion:offZero], []byte{0})
	a = Area{LengthBytes: int64(le.Uint64(b[offLength:])), SHA256: [sha256.Size]byte(b[offDigest:offVersion]), QEMU: string(version)}
	return a, a.check()
}

// Read finds out what a partition of sizeBytes bytes holds. It fails with [ErrNone]
// where there is no squashfs, with [ErrDamaged] where there is one that does
// not end in its description; other errors are those of reading. The digest is not
// compared: that is [Area.Verify].
func Read(r io.ReaderAt, sizeBytes int64) (Area, error) {
	used, err := SquashfsBytes(r)
	if err != nil {
		return Area{}, err
	}
	if used > sizeBytes-BlockBytes {
		return Area{}, fmt.Errorf("%w: its squashfs has %d bytes, the partition %d", ErrDamaged, used, sizeBytes)
	}
	b := make([]byte, BlockBytes)
	if _, err := r.ReadAt(b, used); err != nil {
		return Area{}, fmt.Errorf("read the description of its squashfs: %w", err)
	}
	a, err := Decode(b)
	switch {
	case err != nil:
		return Area{}, fmt.Errorf("%w: the description of its squashfs: %w", ErrDamaged, err)
	case a.LengthBytes != used:
		return Area{}, fmt.Errorf("%w: its squashfs has %d bytes, the description says %d", ErrDamaged, used, a.LengthBytes)
	}
	return a, nil
}

// SquashfsBytes is how long the squashfs at the start of r is, as a multiple of
// BlockBytes. It fails with [ErrNone] where there is none.
func SquashfsBytes(r io.ReaderAt) (int64, error) {
	b := make([]byte, squashSuperSize)
	if _, err := r.ReadAt(b, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, ErrNone
		}
		return 0, fmt.Errorf("read superblock: %w", err)
	}
	le := binary.LittleEndian
	if string(b[:len(squashMagic)]) != squashMagic || le.Uint16(b[offSquashMajor:]) != squashMajor {
		return 0, ErrNone
	}
	const most = 1 << 60
	used := le.Uint64(b[offSquashUsed:])
	if used < squashSuperSize || used > most {
		return 0, fmt.Errorf("%w: its squashfs says that it has %d bytes", ErrDamaged, used)
	}
	return (int64(used) + BlockBytes - 1) / BlockBytes * BlockBytes, nil
}

// Describe reads the file system at the start of r and returns what is to be said
// about it.
func Describe(r io.ReaderAt, qemu string) (Area, error) {
	length, err := SquashfsBytes(r)
	if err != nil {
		return Area{}, err
	}
	a := Area{LengthBytes: length, QEMU: qemu}
	a.SHA256, err = sum(r, length)
	return a, err
}

// Verify compares the file system with its digest. It fails with [ErrDamaged] where
// it differs.
func (a Area) Verify(r io.ReaderAt) error {
	got, err := sum(r, a.LengthBytes)
	if err == nil && got != a.SHA256 {
		err = fmt.Errorf("%w: its squashfs has SHA-256 %x, its description says %x", ErrDamaged, got, a.SHA256)
	}
	return err
}

func sum(r io.ReaderAt, length int64) (digest [sha256.Size]byte, err error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(r, 0, length))
	if err == nil && n != length {
		err = fmt.Errorf("%d of %d bytes: %w", n, length, io.ErrUnexpectedEOF)
	}
	return [sha256.Size]byte(h.Sum(nil)), err
}
