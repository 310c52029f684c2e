// Package ext4 reads as much of an ext4 file system as guests' partitions need:
// what it is, which of its bytes are in use, and the files that a guest is
// started from. It never writes, and what it reads may be anything: a guest has
// written it. See Linux Documentation/filesystems/ext4.
package ext4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Errors of this package.
var (
	// ErrNone says that there is no ext4.
	ErrNone = errors.New("there is no ext4")
	// ErrCorrupt says that what the file system says of itself cannot be.
	ErrCorrupt = errors.New("the ext4 is damaged")
	// ErrUnsupported says that it has a feature that this package does not know.
	ErrUnsupported = errors.New("the ext4 has a feature that is not supported")
)

// Features of the superblock.
const (
	incompatFileType   = 0x2
	incompatRecover    = 0x4
	incompatMetaBG     = 0x10
	incompatExtents    = 0x40
	incompat64         = 0x80
	incompatFlex       = 0x200
	incompatCsumSeed   = 0x2000
	incompatLargeDir   = 0x4000
	incompatInlineData = 0x8000
	roSparseSuper      = 0x1
	roGroupCsum        = 0x10
	roBigalloc         = 0x200
	roMetadataCsum     = 0x400
	compatSparse2      = 0x200

	incompatKnown = incompatFileType | incompatRecover | incompatExtents | incompat64 | incompatFlex | incompatCsumSeed | incompatLargeDir | incompatInlineData
)

const (
	superOffset = 1024
	superBytes  = 1024
	stateClean  = 1
	stateErrors = 2
	minPerGroup = 256 // blocks in a group, as mke2fs has it
)

// FS is an ext4 file system.
type FS struct {
	Label     string
	UUID      [16]byte
	SizeBytes int64 // of the file system; the partition may be larger
	FreeBytes int64 // as the superblock says it
	// Clean says that it was unmounted, or never mounted: nothing is left in its journal.
	Clean bool

	r                io.ReaderAt
	block            int64 // bytes
	blocks           int64
	first            int64 // block that group 0 begins with
	perGroup         int64 // blocks
	inodes, inodesPG int64
	inodeBytes       int64
	descBytes        int64
	reserved         int64 // blocks for a larger table of groups
	backups          [2]uint32
	compat, incompat uint32
	ro               uint32
}

// Open reads the superblock of the file system in r, a partition of sizeBytes
// bytes.
func Open(r io.ReaderAt, sizeBytes int64) (*FS, error) {
	b := make([]byte, superBytes)
	if _, err := r.ReadAt(b, superOffset); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, ErrNone
		}
		return nil, fmt.Errorf("read superblock: %w", err)
	}
	le := binary.LittleEndian
	f := &FS{
		r: r, compat: le.Uint32(b[0x5c:]), incompat: le.Uint32(b[0x60:]), ro: le.Uint32(b[0x64:]),
		first: int64(le.Uint32(b[0x14:])), perGroup: int64(le.Uint32(b[0x20:])),
		inodes: int64(le.Uint32(b)), inodesPG: int64(le.Uint32(b[0x28:])), inodeBytes: int64(le.Uint16(b[0x58:])),
		blocks: int64(le.Uint32(b[4:])), descBytes: 32, reserved: int64(le.Uint16(b[0xce:])),
		backups: [2]uint32{le.Uint32(b[0x24c:]), le.Uint32(b[0x250:])},
	}
	if le.Uint16(b[0x38:]) != 0xef53 || f.incompat&incompatExtents == 0 {
		return nil, ErrNone
	}
	free := int64(le.Uint32(b[0xc:]))
	if f.incompat&incompat64 != 0 {
		f.blocks |= int64(le.Uint32(b[0x150:])) << 32
		free |= int64(le.Uint32(b[0x158:])) << 32
		f.descBytes = int64(le.Uint16(b[0xfe:]))
	}
	shift := le.Uint32(b[0x18:])
	if shift > 6 {
		return nil, fmt.Errorf("%w: its blocks have 2^%d bytes", ErrCorrupt, int64(shift)+10)
	}
	f.block = 1024 << shift
	if err := f.check(sizeBytes); err != nil {
		return nil, err
	}
	f.SizeBytes, f.FreeBytes = f.blocks*f.block, max(0, min(free, f.blocks))*f.block
	f.Clean = le.Uint16(b[0x3a:])&(stateClean|stateErrors) == stateClean && f.incompat&incompatRecover == 0
	copy(f.UUID[:], b[0x68:])
	label, _, _ := bytes.Cut(b[0x78:0x88], []byte{0})
	f.Label = strings.ToValidUTF8(string(label), string(utf8.RuneError))
	return f, nil
}

// check refuses a superblock that cannot be.
func (f *FS) check(sizeBytes int64) error {
	bits := f.block * 8
	switch {
	case f.blocks <= f.first || f.blocks > sizeBytes/f.block:
		return fmt.Errorf("%w: it has %d blocks of %d bytes, the partition has %d bytes", ErrCorrupt, f.blocks, f.block, sizeBytes)
	case f.first < 0 || f.first > 1:
		return fmt.Errorf("%w: it begins with block %d", ErrCorrupt, f.first)
	case f.perGroup < minPerGroup || f.perGroup > bits || f.inodesPG == 0 || f.inodesPG > bits:
		return fmt.Errorf("%w: its groups have %d blocks and %d inodes", ErrCorrupt, f.perGroup, f.inodesPG)
	case f.inodeBytes < 128 || f.inodeBytes > f.block || f.inodeBytes&(f.inodeBytes-1) != 0:
		return fmt.Errorf("%w: its inodes have %d bytes", ErrCorrupt, f.inodeBytes)
	case f.descBytes < 32 || f.descBytes > f.block || f.descBytes&(f.descBytes-1) != 0 || f.incompat&incompat64 != 0 && f.descBytes < 64:
		return fmt.Errorf("%w: its group descriptors have %d bytes", ErrCorrupt, f.descBytes)
	}
	return nil
}

// groups is how many groups of blocks there are.
func (f *FS) groups() int64 { return (f.blocks - f.first + f.perGroup - 1) / f.perGroup }

// group is a descriptor.
type group struct {
	blockBitmap, inodeBitmap, inodeTable int64 // blocks
	flags                                uint16
	unusedInodes                         int64 // at the end of its table
}

// Flags of a group.
const (
	inodesUninit = 1
	blocksUninit = 2
	tableZeroed  = 4
)

// group reads a descriptor.
func (f *FS) group(n int64) (g group, err error) {
	b := make([]byte, f.descBytes)
	if _, err := f.r.ReadAt(b, (f.first+1)*f.block+n*f.descBytes); err != nil {
		return g, fmt.Errorf("read group descriptor %d: %w", n, err)
	}
	le := binary.LittleEndian
	g = group{
		blockBitmap: int64(le.Uint32(b[0:])), inodeBitmap: int64(le.Uint32(b[4:])), inodeTable: int64(le.Uint32(b[8:])),
	}
	if f.ro&(roGroupCsum|roMetadataCsum) != 0 { // else these mean nothing
		g.flags, g.unusedInodes = le.Uint16(b[0x12:]), int64(le.Uint16(b[0x1c:]))
	}
	if f.incompat&incompat64 != 0 {
		g.blockBitmap |= int64(le.Uint32(b[0x20:])) << 32
		g.inodeBitmap |= int64(le.Uint32(b[0x24:])) << 32
		g.inodeTable |= int64(le.Uint32(b[0x28:])) << 32
		if f.ro&(roGroupCsum|roMetadataCsum) != 0 {
			g.unusedInodes |= int64(le.Uint16(b[0x32:])) << 16
		}
	}
	if g.flags&inodesUninit != 0 {
		g.unusedInodes = f.inodesPG
	}
	for _, at := range []int64{g.blockBitmap, g.inodeBitmap, g.inodeTable} {
		if at < f.first || at >= f.blocks {
			return g, fmt.Errorf("%w: group %d has a table at block %d of %d", ErrCorrupt, n, at, f.blocks)
		}
	}
	if tableEnd := g.inodeTable + f.tableBlocks(); tableEnd > f.blocks || g.unusedInodes > f.inodesPG {
		return g, fmt.Errorf("%w: the inodes of group %d reach behind its end", ErrCorrupt, n)
	}
	return g, nil
}

// tableBlocks is how many blocks the inodes of a group take.
func (f *FS) tableBlocks() int64 { return (f.inodesPG*f.inodeBytes + f.block - 1) / f.block }
