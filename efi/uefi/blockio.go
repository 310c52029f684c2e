package uefi

import (
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Media describes the medium in a block device (EFI_BLOCK_IO_MEDIA, UEFI 2.10
// §13.9.1).
type Media struct {
	ID        uint32
	Removable bool
	Partition bool // a partition of a disk, not the disk
	ReadOnly  bool
	BlockSize int // in bytes
	Blocks    uint64
}

// BlockIO is a disk or a partition (EFI_BLOCK_IO_PROTOCOL, UEFI 2.10 §13.9). It is
// bound to the medium that was there when it was opened: after a change all
// methods say ErrMediaChanged.
type BlockIO struct {
	sys   *System
	iface uintptr
	media Media
}

var (
	_ io.ReaderAt = (*BlockIO)(nil)
	_ io.WriterAt = (*BlockIO)(nil)
)

// BlockIO is the block device of a handle. Without a medium it says ErrNoMedia.
func (s *System) BlockIO(dev Handle) (*BlockIO, error) {
	iface, err := s.protocol(dev, BlockIOProtocol)
	if err != nil {
		return nil, fmt.Errorf("open block device of handle %#x: %w", uintptr(dev), err)
	}
	addr := raw.At[raw.BlockIOProtocol](iface).Media
	if addr == 0 {
		return nil, fmt.Errorf("open block device of handle %#x: %w", uintptr(dev), ErrNoMedia)
	}
	media, err := checkMedia(*raw.At[raw.BlockIOMedia](addr))
	if err != nil {
		return nil, fmt.Errorf("open block device of handle %#x: %w", uintptr(dev), err)
	}
	return &BlockIO{s, iface, media}, nil
}

// checkMedia checks what the firmware says about a medium.
func checkMedia(m raw.BlockIOMedia) (Media, error) {
	switch {
	case m.MediaPresent == 0:
		return Media{}, ErrNoMedia
	case m.BlockSize < 512 || m.BlockSize > 64<<10 || m.BlockSize&(m.BlockSize-1) != 0:
		return Media{}, fmt.Errorf("block size %d is no power of two within 512 to 65536", m.BlockSize)
	case m.IoAlign > raw.PageSize:
		return Media{}, fmt.Errorf("buffers aligned to %d bytes: %w", m.IoAlign, ErrUnsupported)
	case m.LastBlock >= math.MaxInt64/uint64(m.BlockSize):
		return Media{}, fmt.Errorf("last block %d is beyond what a byte offset can reach", m.LastBlock)
	}
	return Media{
		ID: m.MediaID, Removable: m.RemovableMedia != 0, Partition: m.LogicalPartition != 0,
		ReadOnly: m.ReadOnly != 0, BlockSize: int(m.BlockSize), Blocks: m.LastBlock + 1,
	}, nil
}

// Media describes the medium.
func (b *BlockIO) Media() Media { return b.media }

// BlockSize is the size of a block in bytes, a power of two.
func (b *BlockIO) BlockSize() int { return b.media.BlockSize }

// Size is the size of the medium in bytes.
func (b *BlockIO) Size() int64 { return int64(b.media.Blocks) * int64(b.media.BlockSize) }

// ReadAt implements io.ReaderAt for any offset and length.
func (b *BlockIO) ReadAt(data []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, b.failed("read", len(data), offset, fs.ErrInvalid)
	}
	wanted := data[:max(0, min(int64(len(data)), b.Size()-offset))]
	p, err := b.sys.AllocatePages(min(b.wholeBlocks(len(wanted)+b.media.BlockSize), chunkBytes))
	if err != nil {
		return 0, b.failed("read", len(data), offset, err)
	}
	defer func() { err = join(err, p.Free()) }()
	for n < len(wanted) {
		skip := int((offset + int64(n)) % int64(b.media.BlockSize))
		size := min(b.wholeBlocks(skip+len(wanted)-n), len(p.Bytes()))
		if err := b.readBlocks(p.Bytes()[:size], offset+int64(n-skip)); err != nil {
			return n, b.failed("read", len(data), offset, err)
		}
		n += copy(wanted[n:], p.Bytes()[skip:size])
	}
	if n < len(data) {
		return n, io.EOF
	}
	return n, nil
}

// wholeBlocks rounds a number of bytes up to whole blocks.
func (b *BlockIO) wholeBlocks(bytes int) int {
	return (bytes + b.media.BlockSize - 1) / b.media.BlockSize * b.media.BlockSize
}

// ReadPages reads size bytes at a block-aligned offset into new pages, which the
// caller frees.
func (b *BlockIO) ReadPages(offset int64, size int) (*Pages, error) {
	if err := b.checkRange(offset, size); err != nil {
		return nil, b.failed("read", size, offset, err)
	}
	p, err := b.sys.AllocatePages(b.wholeBlocks(size))
	if err != nil {
		return nil, b.failed("read", size, offset, err)
	}
	for rest, at := p.Bytes(), offset; len(rest) > 0; {
		n := min(len(rest), chunkBytes)
		if err := b.readBlocks(rest[:n], at); err != nil {
			return nil, join(b.failed("read", size, offset, err), p.Free())
		}
		rest, at = rest[n:], at+int64(n)
	}
	p.data = p.data[:size]
	return p, nil
}

// WriteAt implements io.WriterAt for whole blocks: the offset and the length are
// multiples of the block size. Flush makes the data durable.
func (b *BlockIO) WriteAt(data []byte, offset int64) (n int, err error) {
	if err := b.checkRange(offset, len(data)); err != nil {
		return 0, b.failed("write", len(data), offset, err)
	}
	if len(data)%b.media.BlockSize != 0 {
		return 0, b.failed("write", len(data), offset, fmt.Errorf("length is no multiple of %d: %w", b.media.BlockSize, fs.ErrInvalid))
	}
	p, err := b.sys.AllocatePages(min(len(data), chunkBytes))
	if err != nil {
		return 0, b.failed("write", len(data), offset, err)
	}
	defer func() { err = join(err, p.Free()) }()
	for n < len(data) {
		size := copy(p.Bytes(), data[n:])
		if err := b.writeBlocks(p.Bytes()[:size], offset+int64(n)); err != nil {
			return n, b.failed("write", len(data), offset, err)
		}
		n += size
	}
	return n, nil
}

// Flush makes the device write its cache (UEFI 2.10 §13.9.5).
func (b *BlockIO) Flush() error {
	if status := b.sys.call(b.protocol().FlushBlocks, gate.Word(b.iface)); status.IsError() {
		return fmt.Errorf("flush block device: %w", status)
	}
	return nil
}

// checkRange checks that the range lies on the medium and begins with a block.
func (b *BlockIO) checkRange(offset int64, size int) error {
	if offset < 0 || offset%int64(b.media.BlockSize) != 0 {
		return fmt.Errorf("offset is no multiple of %d: %w", b.media.BlockSize, fs.ErrInvalid)
	}
	if size < 0 || offset > b.Size() || int64(size) > b.Size()-offset {
		return fmt.Errorf("medium has %d bytes: %w", b.Size(), fs.ErrInvalid)
	}
	return nil
}

func (b *BlockIO) protocol() *raw.BlockIOProtocol { return raw.At[raw.BlockIOProtocol](b.iface) }

func (b *BlockIO) failed(op string, size int, offset int64, err error) error {
	return fmt.Errorf("%s %d bytes at %d of block device: %w", op, size, offset, err)
}

// readBlocks is EFI_BLOCK_IO_PROTOCOL.ReadBlocks into pages (UEFI 2.10 §13.9.3).
func (b *BlockIO) readBlocks(buffer []byte, offset int64) error {
	return b.transfer(b.protocol().ReadBlocks, buffer, offset)
}

// writeBlocks is EFI_BLOCK_IO_PROTOCOL.WriteBlocks from pages (UEFI 2.10 §13.9.4).
func (b *BlockIO) writeBlocks(buffer []byte, offset int64) error {
	return b.transfer(b.protocol().WriteBlocks, buffer, offset)
}

func (b *BlockIO) transfer(fn uintptr, buffer []byte, offset int64) error {
	return b.sys.call(fn, gate.Word(b.iface), gate.Word(b.media.ID), gate.Word(uint64(offset)/uint64(b.media.BlockSize)),
		gate.Word(len(buffer)), gate.Slice(buffer)).Err()
}
