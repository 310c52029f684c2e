package presentation

import (
	"errors"
	"fmt"
	"image"
	"sort"
)

// Limits of a frame.
const (
	MaxSide       = 16384     // pixels of width or height
	MaxFrameBytes = 512 << 20 // bytes from the first to the last pixel
	MaxRanges     = 131072    // pieces of guest memory: as many pages as MaxFrameBytes has
)

// ErrFrame is in the chain of the errors about frames that are none.
var ErrFrame = errors.New("no frame")

// Frame describes a picture in a guest's memory, as the guest tells it.
type Frame struct {
	Format        Format
	Width, Height int     // pixels
	Stride        int     // bytes from one row to the next
	Offset        uint64  // of the first pixel, in bytes from the start of Memory
	Memory        []Range // one after the other they are the frame's bytes
}

// check returns the bytes that the frame takes of its memory, with Offset.
func (f *Frame) check() (uint64, error) {
	switch {
	case !f.Format.Known():
		return 0, fmt.Errorf("%w: pixel format %d is not known", ErrFrame, f.Format)
	case f.Width < 1 || f.Width > MaxSide || f.Height < 1 || f.Height > MaxSide:
		return 0, fmt.Errorf("%w: %d by %d pixels, 1 to %d are taken", ErrFrame, f.Width, f.Height, MaxSide)
	case f.Stride < f.Width*f.Format.Bytes() || f.Stride > MaxFrameBytes:
		return 0, fmt.Errorf("%w: stride %d with %d pixels of %s", ErrFrame, f.Stride, f.Width, f.Format)
	case len(f.Memory) > MaxRanges:
		return 0, fmt.Errorf("%w: %d pieces of memory, at most %d are taken", ErrFrame, len(f.Memory), MaxRanges)
	}
	// The product stays below 2^43.
	size := uint64(f.Stride)*uint64(f.Height-1) + uint64(f.Width*f.Format.Bytes())
	if size > MaxFrameBytes || f.Offset > MaxFrameBytes {
		return 0, fmt.Errorf("%w: %d bytes at offset %d, at most %d are taken", ErrFrame, size, f.Offset, MaxFrameBytes)
	}
	return f.Offset + size, nil
}

// Picture is a frame whose pixels can be read: every byte of it was found in
// the guest's memory. It is valid as long as that memory stays mapped. The zero
// value has no pixels.
type Picture struct {
	format        Format
	width, height int
	stride        int
	offset        int // of the first pixel, in bytes from the start of the pieces
	pieces        [][]byte
	starts        []int // of each piece, in bytes from the start of the first
}

// NewPicture checks a frame against the memory of its guest.
func NewPicture(f Frame, m Memory) (Picture, error) {
	need, err := f.check()
	if err != nil {
		return Picture{}, err
	}
	p := Picture{format: f.Format, width: f.Width, height: f.Height, stride: f.Stride, offset: int(f.Offset)}
	p.pieces = make([][]byte, 0, len(f.Memory))
	for i, r := range f.Memory {
		if p.pieces, err = m.Append(p.pieces, r); err != nil {
			return Picture{}, fmt.Errorf("%w: piece %d: %w", ErrFrame, i+1, err)
		}
		if len(p.pieces) > MaxRanges+MaxRegions {
			return Picture{}, fmt.Errorf("%w: its memory lies in more than %d pieces", ErrFrame, MaxRanges+MaxRegions)
		}
	}
	var have uint64 // cannot overflow: few pieces, each smaller than the address space of this process
	p.starts = make([]int, 0, len(p.pieces))
	for i, b := range p.pieces {
		if have >= need {
			p.pieces = p.pieces[:i]
			break
		}
		p.starts = append(p.starts, int(have))
		have += uint64(len(b))
	}
	if have < need {
		return Picture{}, fmt.Errorf("%w: it takes %d bytes and has %d", ErrFrame, need, have)
	}
	return p, nil
}

// Part returns the picture of the pixels in r, without looking at the memory
// again. It fails if r is empty or not within p.
func (p Picture) Part(r image.Rectangle) (Picture, error) {
	if r.Empty() || !r.In(p.Bounds()) {
		return Picture{}, fmt.Errorf("%w: %v is no part of %v", ErrFrame, r, p.Bounds())
	}
	p.offset += r.Min.Y*p.stride + r.Min.X*p.format.Bytes()
	p.width, p.height = r.Dx(), r.Dy()
	return p, nil
}

// Empty reports whether p has no pixels.
func (p Picture) Empty() bool { return len(p.pieces) == 0 }

// Format returns the format of the pixels.
func (p Picture) Format() Format { return p.format }

// Bounds returns the picture's size as a rectangle at 0, 0.
func (p Picture) Bounds() image.Rectangle { return image.Rect(0, 0, p.width, p.height) }

// Pieces returns the number of pieces of memory that the pixels lie in.
func (p Picture) Pieces() int { return len(p.pieces) }

// piece returns the index of the piece with the byte at offset.
func (p *Picture) piece(offset int) int {
	return sort.Search(len(p.starts), func(i int) bool { return p.starts[i] > offset }) - 1
}
