package fakefw

import (
	"fmt"
	"io"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Medium is what a disk stores its bytes in, such as [Sparse] or an *os.File.
type Medium interface {
	io.ReaderAt
	io.WriterAt
}

// sparseChunk is how many bytes Sparse allocates at a time.
const sparseChunk = 64 << 10

// Sparse is a medium of zeros that remembers what was written.
type Sparse struct{ chunks map[int64]*[sparseChunk]byte }

// ReadAt implements io.ReaderAt; the medium has no end.
func (s *Sparse) ReadAt(b []byte, offset int64) (int, error) {
	for n := 0; n < len(b); {
		at := offset + int64(n)
		size := min(len(b)-n, int(sparseChunk-at%sparseChunk))
		if c := s.chunks[at/sparseChunk]; c != nil {
			copy(b[n:n+size], c[at%sparseChunk:])
		} else {
			clear(b[n : n+size])
		}
		n += size
	}
	return len(b), nil
}

// WriteAt implements io.WriterAt.
func (s *Sparse) WriteAt(b []byte, offset int64) (int, error) {
	if s.chunks == nil {
		s.chunks = make(map[int64]*[sparseChunk]byte)
	}
	for n := 0; n < len(b); {
		at := offset + int64(n)
		c := s.chunks[at/sparseChunk]
		if c == nil {
			c = new([sparseChunk]byte)
			s.chunks[at/sparseChunk] = c
		}
		n += copy(c[at%sparseChunk:], b[n:])
	}
	return len(b), nil
}

// Disk is a disk with block I/O.
type Disk struct {
	Medium    Medium
	BlockSize int // in bytes
	Blocks    uint64
	Handle    uefi.Handle
	Path      uefi.DevicePath

	fw    *Firmware
	media *raw.BlockIOMedia
}

// AddDisk attaches a disk on a SATA port.
func (fw *Firmware) AddDisk(medium Medium, blockSize int, blocks uint64) *Disk {
	d := &Disk{Medium: medium, BlockSize: blockSize, Blocks: blocks, fw: fw}
	d.Path = mustAppend(nil,
		uefi.Node{Type: 2, SubType: 1, Data: []byte{0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0}},
		uefi.Node{Type: 1, SubType: 1, Data: []byte{2, 0x1f}},
		uefi.Node{Type: 3, SubType: 0x12, Data: []byte{byte(fw.disks), 0, 0xff, 0xff, 0, 0}})
	fw.disks++
	h := fw.newHandle()
	d.Handle = h.id
	fw.installPath(h, d.Path)
	d.media = fw.installBlockIO(h, d, 0, blocks, false)
	return d
}

// SetReadOnly makes the disk and none of its partitions read-only.
func (d *Disk) SetReadOnly() { d.media.ReadOnly = 1 }

func mustAppend(p uefi.DevicePath, nodes ...uefi.Node) uefi.DevicePath {
	p, err := p.Append(nodes...)
	if err != nil {
		panic("fakefw: " + err.Error())
	}
	return p
}

func (fw *Firmware) installPath(h *handle, p uefi.DevicePath) {
	h.install(uefi.DevicePathProtocol, fw.placeBytes(p))
}

// placeBytes puts bytes into the firmware's own memory.
func (fw *Firmware) placeBytes(b []byte) uintptr {
	addr := uintptr(0)
	for i := 0; i < len(b); i += 16 {
		at, chunk := place(fw, [16]byte{})
		copy(chunk[:], b[i:])
		if i == 0 {
			addr = at
		}
	}
	return addr
}

// installBlockIO installs block I/O on the blocks of a disk from first on.
func (fw *Firmware) installBlockIO(h *handle, d *Disk, first, blocks uint64, partition bool) *raw.BlockIOMedia {
	media, m := place(fw, raw.BlockIOMedia{
		MediaID: 7, MediaPresent: 1, LogicalPartition: toByte(partition),
		BlockSize: uint32(d.BlockSize), IoAlign: 512, LastBlock: blocks - 1,
	})
	transfer := func(name string, move func(b []byte, at int64) error) uintptr {
		return fw.register(name, func(args []uintptr) uefi.Status {
			lba, size := uint64(args[2]), args[3]
			switch {
			case m.MediaPresent == 0:
				return uefi.ErrNoMedia
			case uint32(args[1]) != m.MediaID:
				return uefi.ErrMediaChanged
			case size%uintptr(d.BlockSize) != 0:
				return uefi.ErrBadBufferSize
			case lba > m.LastBlock || uint64(size)/uint64(d.BlockSize) > m.LastBlock-lba+1 || args[4]%uintptr(m.IoAlign) != 0:
				return uefi.ErrInvalidParameter
			case name == "BlockIO.WriteBlocks" && m.ReadOnly != 0:
				return uefi.ErrWriteProtected
			}
			if err := move(fw.deviceMemory(name, args[4], size), int64(first+lba)*int64(d.BlockSize)); err != nil {
				return uefi.ErrDeviceError
			}
			return uefi.Success
		})
	}
	addr, _ := place(fw, raw.BlockIOProtocol{
		Media: media,
		ReadBlocks: transfer("BlockIO.ReadBlocks", func(b []byte, at int64) error {
			n, err := d.Medium.ReadAt(b, at)
			if n == len(b) {
				return nil
			}
			return fmt.Errorf("short read: %w", err)
		}),
		WriteBlocks: transfer("BlockIO.WriteBlocks", func(b []byte, at int64) error {
			_, err := d.Medium.WriteAt(b, at)
			return err
		}),
		FlushBlocks: fw.register("BlockIO.FlushBlocks", func([]uintptr) uefi.Status { return uefi.Success }),
	})
	h.install(uefi.BlockIOProtocol, addr)
	return m
}

func toByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// RawMedia is what the firmware says about the disk's medium, for lies.
func (d *Disk) RawMedia() *raw.BlockIOMedia { return d.media }
