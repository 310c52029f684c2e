// Package fbdev shows pictures in the frame buffer that the firmware has left, where the kernel has no driver for the
// graphics card: the memory of the screen, in one size and format, to be written in place.
//
// The kernel's text console writes into the same memory. It is told to keep off while something is shown.
//
// Linux Documentation/fb/api.rst.
package fbdev

import (
	"errors"
	"fmt"
	"image"
	"os"
	"structs"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/canvas"
	"github.com/rayos/rayboot/presentation/console"
	"github.com/rayos/rayboot/presentation/ioctl"
)

// Structures of Linux include/uapi/linux/fb.h.
type (
	fixInfo struct {
		_                     structs.HostLayout
		id                    [16]byte
		smemStart             uint64
		smemLen, kind, aux    uint32
		visual                uint32
		xpan, ypan, ywrap, _  uint16
		lineLength            uint32
		mmioStart             uint64
		mmioLen, acceleration uint32
		capabilities          uint16
		_                     [2]uint16
		_                     [2]byte
	}
	bitField struct {
		_                        structs.HostLayout
		offset, length, msbRight uint32
	}
	varInfo struct {
		_                                    structs.HostLayout
		xres, yres, xresVirtual, yresVirtual uint32
		xoffset, yoffset                     uint32
		bitsPerPixel, grayscale              uint32
		red, green, blue, transparent        bitField
		_                                    [20]uint32 // timings and more
	}
)

const (
	ioGetVar = ioctl.Request(0x4600)
	ioGetFix = ioctl.Request(0x4602)

	packedPixels = 0 // of fixInfo.kind
	trueColor    = 2 // of fixInfo.visual
)

// Screen is a [presentation.Sink] on a frame buffer. It has no hotplug and one mode.
type Screen struct {
	path    string
	guard   console.Guard
	target  presentation.Target // without memory
	bytes   int                 // of memory
	offset  int                 // of the first pixel
	text    *console.Console    // nil while nothing is shown
	mapped  []byte
	canvas  *canvas.Canvas
	painter canvas.Painter
}

// Open prepares for showing pictures on the frame buffer at path, such as /dev/fb0. guard starts the program that brings
// the console back should this one be killed.
func Open(path string, guard console.Guard) (*Screen, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var fix fixInfo
	var current varInfo
	if err := errors.Join(ioctl.Do(f.Fd(), ioGetFix, &fix), ioctl.Do(f.Fd(), ioGetVar, &current)); err != nil {
		return nil, fmt.Errorf("%s: read its format: %w", path, err)
	}
	s := &Screen{path: path, guard: guard}
	if err := s.understand(&fix, &current); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// understand checks what the kernel says of the memory.
func (s *Screen) understand(fix *fixInfo, v *varInfo) error {
	format := formatOf(v)
	if fix.kind != packedPixels || fix.visual != trueColor || format == 0 {
		return fmt.Errorf("pixels of %d bits, kind %d, visual %d are not known", v.bitsPerPixel, fix.kind, fix.visual)
	}
	if v.xres < 1 || v.yres < 1 || v.xres > presentation.MaxSide || v.yres > presentation.MaxSide || v.xoffset > presentation.MaxSide || v.yoffset > presentation.MaxSide {
		return fmt.Errorf("%d by %d pixels at %d, %d is no size of a screen", v.xres, v.yres, v.xoffset, v.yoffset)
	}
	w, h, stride, size := int(v.xres), int(v.yres), int(fix.lineLength), format.Bytes()
	offset := int(v.yoffset)*stride + int(v.xoffset)*size
	need := offset + (h-1)*stride + w*size
	if stride < (w+int(v.xoffset))*size || need > int(fix.smemLen) || need > 2*presentation.MaxFrameBytes {
		return fmt.Errorf("%d by %d pixels in rows of %d bytes do not fit in %d bytes", w, h, stride, fix.smemLen)
	}
	s.target = presentation.Target{Format: format, Width: w, Height: h, Stride: stride}
	s.bytes, s.offset = need, offset
	return nil
}

// formatOf finds the format with these channels; 0 is none.
func formatOf(v *varInfo) presentation.Format {
	type channels struct{ bits, r, g, b, green uint32 }
	formats := map[channels]presentation.Format{
		{32, 16, 8, 0, 8}:  presentation.BGRX,
		{32, 0, 8, 16, 8}:  presentation.RGBX,
		{32, 8, 16, 24, 8}: presentation.XRGB,
		{32, 24, 16, 8, 8}: presentation.XBGR,
		{24, 16, 8, 0, 8}:  presentation.BGR,
		{16, 11, 5, 0, 6}:  presentation.RGB565,
	}
	return formats[channels{v.bitsPerPixel, v.red.offset, v.green.offset, v.blue.offset, v.green.length}]
}

// Size returns the size of the screen.
func (s *Screen) Size() image.Point { return image.Pt(s.target.Width, s.target.Height) }

// Draw shows a picture, scaled if its size is not the screen's.
func (s *Screen) Draw(picture presentation.Picture, damage []image.Rectangle) (bytes int, err error) {
	if picture.Empty() {
		return 0, nil
	}
	if s.canvas == nil {
		if err := s.take(); err != nil {
			return 0, err
		}
		damage = []image.Rectangle{picture.Bounds()}
	}
	var dirty presentation.Damage // nobody needs to be told
	bytes = s.painter.Read(picture, damage, s.Size(), s.target.Format)
	return bytes + s.painter.Paint(s.canvas, picture, damage, &dirty), nil
}

// take sends the text console away and maps the memory.
func (s *Screen) take() error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.text, err = console.Take(s.guard); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, s.bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		err = errors.Join(fmt.Errorf("map %s: %w", s.path, err), s.text.Release())
		s.text = nil
		return err
	}
	s.mapped = mapped
	t := s.target
	t.Bytes = mapped[s.offset:]
	s.canvas = canvas.New(t) // whose first picture blackens what is around it
	return nil
}

// SetCursor paints the guest's pointer on the picture.
func (s *Screen) SetCursor(c presentation.Cursor) error {
	s.painter.SetCursor(c)
	s.repaint()
	return nil
}

// MoveCursor puts the pointer's hot spot at a point of the picture.
func (s *Screen) MoveCursor(at image.Point) error {
	s.painter.MoveCursor(at)
	s.repaint()
	return nil
}

// repaint paints the pointer alone.
func (s *Screen) repaint() {
	if s.canvas != nil {
		var dirty presentation.Damage
		s.painter.Paint(s.canvas, presentation.Picture{}, nil, &dirty)
	}
}

// Blank gives the screen back to the text console.
func (s *Screen) Blank() error {
	if s.canvas == nil {
		return nil
	}
	err := errors.Join(unix.Munmap(s.mapped), s.text.Release())
	s.mapped, s.canvas, s.text = nil, nil, nil
	s.painter = canvas.Painter{}
	return err
}

// Close is Blank for good.
func (s *Screen) Close() error { return s.Blank() }

// Changed returns a channel that never gets a value: there is nothing to be plugged in.
func (s *Screen) Changed() <-chan struct{} { return nil }
