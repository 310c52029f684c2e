package kms

import (
	"errors"
	"fmt"
	"image"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
)

// create makes a buffer of black pixels, 4 bytes each. One with depth 24 can be shown, one with 32 be a cursor.
func (c *card) create(size image.Point) (*buffer, error) {
	b, err := c.plain(size, presentation.BGRX)
	if err != nil {
		return nil, err
	}
	fb := addFB{width: uint32(size.X), height: uint32(size.Y), pitch: uint32(b.Stride), bpp: 32, depth: 24, handle: b.handle}
	if err := call(c, ioAddFB, &fb); err != nil {
		return nil, errors.Join(fmt.Errorf("make a frame buffer of %v: %w", size, err), c.destroy(b))
	}
	b.fb = fb.fb
	return b, nil
}

// plain makes a buffer that is none of the screen's yet.
func (c *card) plain(size image.Point, f presentation.Format) (*buffer, error) {
	if size.X < 1 || size.Y < 1 || size.X > presentation.MaxSide || size.Y > presentation.MaxSide {
		return nil, fmt.Errorf("make a buffer of %v: no size for one", size)
	}
	dumb := createDumb{width: uint32(size.X), height: uint32(size.Y), bpp: 32}
	if err := call(c, ioCreateDumb, &dumb); err != nil {
		return nil, fmt.Errorf("make a buffer of %v: %w", size, err)
	}
	b := &buffer{handle: dumb.handle, Target: presentation.Target{Format: f, Width: size.X, Height: size.Y, Stride: int(dumb.pitch)}}
	if err := c.mapMemory(b, dumb.size); err != nil {
		return nil, errors.Join(fmt.Errorf("map a buffer of %v: %w", size, err), c.destroy(b))
	}
	clear(b.Bytes)
	return b, nil
}

func (c *card) mapMemory(b *buffer, size uint64) error {
	if need := uint64(b.Stride) * uint64(b.Height); b.Stride < b.Width*4 || size < need || size > 2*presentation.MaxFrameBytes {
		return fmt.Errorf("the driver gave %d bytes in rows of %d", size, b.Stride)
	}
	m := mapDumb{handle: b.handle}
	if err := call(c, ioMapDumb, &m); err != nil {
		return err
	}
	bytes, err := unix.Mmap(c.fd, int64(m.offset), int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	b.Bytes = bytes
	return err
}

// destroy frees a buffer. One that is on the screen leaves it dark.
func (c *card) destroy(b *buffer) error {
	var err error
	if b.fb != 0 {
		err = call(c, ioRmFB, &b.fb)
	}
	if b.Bytes != nil {
		err = errors.Join(err, unix.Munmap(b.Bytes))
		b.Bytes = nil
	}
	return errors.Join(err, call(c, ioDestroyDumb, &destroyDumb{handle: b.handle}))
}

// cursorSize is how large the image of a pointer must be.
func (c *card) cursorSize() image.Point {
	w, h := getCap{capability: capCursorWidth}, getCap{capability: capCursorHeight}
	if call(c, ioGetCap, &w) != nil || call(c, ioGetCap, &h) != nil {
		return image.Pt(presentation.MaxCursorSide, presentation.MaxCursorSide) // what cards have that do not say it
	}
	return image.Pt(int(min(w.value, 512)), int(min(h.value, 512)))
}

// pointer shows a buffer, or nil for nothing, as the pointer of a head with its corner at a pixel of the screen.
func (c *card) pointer(h head, b *buffer, at, hot image.Point) error {
	arg := cursor2{flags: cursorBO | cursorMove, crtc: h.crtc, x: int32(at.X), y: int32(at.Y), hotX: int32(hot.X), hotY: int32(hot.Y)}
	if b != nil {
		arg.handle, arg.width, arg.height = b.handle, uint32(b.Width), uint32(b.Height)
	}
	return call(c, ioCursor2, &arg)
}

// movePointer moves it.
func (c *card) movePointer(h head, at image.Point) error {
	return call(c, ioCursor2, &cursor2{flags: cursorMove, crtc: h.crtc, x: int32(at.X), y: int32(at.Y)})
}
