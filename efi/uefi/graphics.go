package uefi

import (
	"fmt"
	"image"
	"io/fs"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// PixelFormat is EFI_GRAPHICS_PIXEL_FORMAT (UEFI 2.10 §12.9.2): how pixels lie in
// the frame buffer.
type PixelFormat uint32

// The pixel formats.
const (
	PixelRGB     PixelFormat = 0 // red, green, blue, reserved
	PixelBGR     PixelFormat = 1 // blue, green, red, reserved
	PixelBitMask PixelFormat = 2
	PixelBltOnly PixelFormat = 3 // no frame buffer
)

// GraphicsMode is one mode of a screen. Number is what SetMode takes.
type GraphicsMode struct {
	Number        int
	Width, Height int // in pixels
	Stride        int // pixels per line of the frame buffer
	Format        PixelFormat
}

// Pixel is EFI_GRAPHICS_OUTPUT_BLT_PIXEL.
type Pixel struct{ Blue, Green, Red, Reserved uint8 }

const pixelBytes = 4

// GraphicsOutput is a screen (EFI_GRAPHICS_OUTPUT_PROTOCOL, UEFI 2.10 §12.9).
type GraphicsOutput struct {
	Handle Handle

	sys   *System
	iface uintptr
}

// GraphicsOutputs are all screens; none is not an error.
func (s *System) GraphicsOutputs() ([]*GraphicsOutput, error) {
	handles, err := s.Handles(GraphicsOutputProtocol)
	if err != nil {
		return nil, fmt.Errorf("list screens: %w", err)
	}
	var screens []*GraphicsOutput
	for _, h := range handles {
		iface, err := s.protocol(h, GraphicsOutputProtocol)
		if err != nil {
			return nil, fmt.Errorf("open screen of handle %#x: %w", uintptr(h), err)
		}
		screens = append(screens, &GraphicsOutput{h, s, iface})
	}
	return screens, nil
}

func (g *GraphicsOutput) protocol() *raw.GraphicsOutputProtocol {
	return raw.At[raw.GraphicsOutputProtocol](g.iface)
}

func (g *GraphicsOutput) state() (*raw.GraphicsOutputProtocolMode, error) {
	if g.protocol().Mode == 0 {
		return nil, ErrUnsupported
	}
	return raw.At[raw.GraphicsOutputProtocolMode](g.protocol().Mode), nil
}

// Mode is the current mode.
func (g *GraphicsOutput) Mode() (GraphicsMode, error) {
	state, err := g.state()
	if err != nil {
		return GraphicsMode{}, fmt.Errorf("get screen mode: %w", err)
	}
	m, err := decodeGraphicsMode(int(state.Mode), state.Info, state.SizeOfInfo)
	if err != nil {
		return GraphicsMode{}, fmt.Errorf("get screen mode: %w", err)
	}
	return m, nil
}

// Modes are the modes that the screen can have.
func (g *GraphicsOutput) Modes() ([]GraphicsMode, error) {
	state, err := g.state()
	if err != nil {
		return nil, fmt.Errorf("list screen modes: %w", err)
	}
	var modes []GraphicsMode
	for n := range min(int(state.MaxMode), maxModes) {
		m, err := g.query(n)
		if err != nil {
			return nil, fmt.Errorf("query screen mode %d: %w", n, err)
		}
		modes = append(modes, m)
	}
	return modes, nil
}

// query asks for a mode; the answer is a buffer that the caller frees
// (UEFI 2.10 §12.9.2.1).
func (g *GraphicsOutput) query(number int) (GraphicsMode, error) {
	var size, info uintptr
	status := g.sys.call(g.protocol().QueryMode, gate.Word(g.iface), gate.Word(number), gate.Pointer(&size), gate.Pointer(&info))
	if err := status.Err(); err != nil {
		return GraphicsMode{}, err
	}
	m, err := decodeGraphicsMode(number, info, size)
	return m, join(err, g.sys.freePool(info))
}

func decodeGraphicsMode(number int, addr, size uintptr) (GraphicsMode, error) {
	if addr == 0 || size < raw.SizeOf[raw.GraphicsOutputModeInformation]() {
		return GraphicsMode{}, fmt.Errorf("mode information has %d bytes", size)
	}
	r := raw.At[raw.GraphicsOutputModeInformation](addr)
	const most = 1 << 16
	if r.HorizontalResolution > most || r.VerticalResolution > most || r.PixelsPerScanLine > most {
		return GraphicsMode{}, fmt.Errorf("the firmware claims %d by %d pixels", r.HorizontalResolution, r.VerticalResolution)
	}
	return GraphicsMode{
		Number: number, Width: int(r.HorizontalResolution), Height: int(r.VerticalResolution),
		Stride: int(r.PixelsPerScanLine), Format: PixelFormat(r.PixelFormat),
	}, nil
}

// SetMode changes the mode, which clears the screen (UEFI 2.10 §12.9.2.2).
func (g *GraphicsOutput) SetMode(number int) error {
	if status := g.sys.call(g.protocol().SetMode, gate.Word(g.iface), gate.Word(number)); status.IsError() {
		return fmt.Errorf("set screen mode %d: %w", number, status)
	}
	return nil
}

// FrameBuffer is where the pixels of the current mode lie and their size in
// bytes; 0 in formats without one. Firmware moves it with the mode.
func (g *GraphicsOutput) FrameBuffer() (addr, size uint64, err error) {
	state, err := g.state()
	if err != nil {
		return 0, 0, fmt.Errorf("get frame buffer: %w", err)
	}
	return state.FrameBufferBase, uint64(state.FrameBufferSize), nil
}

// Fill fills a rectangle of the screen with one colour.
func (g *GraphicsOutput) Fill(r image.Rectangle, p Pixel) error {
	if err := g.blt([]Pixel{p}, raw.BltVideoFill, image.Point{}, r.Min, r.Size()); err != nil {
		return fmt.Errorf("fill %v of screen: %w", r, err)
	}
	return nil
}

// Draw copies pixels, line by line without gaps, to a rectangle of the screen.
func (g *GraphicsOutput) Draw(r image.Rectangle, pixels []Pixel) error {
	if r.Dx() <= 0 || r.Dy() <= 0 || len(pixels) != r.Dx()*r.Dy() {
		return fmt.Errorf("draw %v on screen: %d pixels: %w", r, len(pixels), fs.ErrInvalid)
	}
	if err := g.blt(pixels, raw.BltBufferToVideo, image.Point{}, r.Min, r.Size()); err != nil {
		return fmt.Errorf("draw %v on screen: %w", r, err)
	}
	return nil
}

// Capture copies a rectangle of the screen, line by line without gaps.
func (g *GraphicsOutput) Capture(r image.Rectangle) ([]Pixel, error) {
	if r.Empty() || r.Dx() > 1<<16 || r.Dy() > 1<<16 {
		return nil, fmt.Errorf("capture %v of screen: %w", r, fs.ErrInvalid)
	}
	pixels := make([]Pixel, r.Dx()*r.Dy())
	if err := g.blt(pixels, raw.BltVideoToBltBuffer, r.Min, image.Point{}, r.Size()); err != nil {
		return nil, fmt.Errorf("capture %v of screen: %w", r, err)
	}
	return pixels, nil
}

// blt is EFI_GRAPHICS_OUTPUT_PROTOCOL.Blt with the pixels in pages, as a virtual
// graphics card may copy by itself (UEFI 2.10 §12.9.2.3).
func (g *GraphicsOutput) blt(pixels []Pixel, op uintptr, from, to, size image.Point) (err error) {
	p, err := g.sys.AllocatePages(len(pixels) * pixelBytes)
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.Free()) }()
	buffer := raw.Slice[Pixel](p.Address(), len(pixels))
	copy(buffer, pixels)
	status := g.sys.call(g.protocol().Blt, gate.Word(g.iface), gate.Slice(buffer), gate.Word(op),
		gate.Word(from.X), gate.Word(from.Y), gate.Word(to.X), gate.Word(to.Y),
		gate.Word(size.X), gate.Word(size.Y), gate.Word(uintptr(0)))
	copy(pixels, buffer)
	return status.Err()
}
