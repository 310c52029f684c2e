package fakefw

import (
	"image"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Display is a screen with pixels.
type Display struct {
	Width, Height int
	Pixels        []uefi.Pixel // line by line
}

// AddDisplay attaches a screen with two modes: the size given, and half of that.
func (fw *Firmware) AddDisplay(width, height int) *Display {
	d := &Display{}
	sizes := []image.Point{{X: width, Y: height}, {X: width / 2, Y: height / 2}}
	infoAddr, info := place(fw, raw.GraphicsOutputModeInformation{})
	modeAddr, mode := place(fw, raw.GraphicsOutputProtocolMode{
		MaxMode: uint32(len(sizes)), Info: infoAddr, SizeOfInfo: raw.SizeOf[raw.GraphicsOutputModeInformation](),
	})
	set := func(n uintptr) {
		d.Width, d.Height = sizes[n].X, sizes[n].Y
		d.Pixels = make([]uefi.Pixel, d.Width*d.Height)
		*info, mode.Mode = modeInformation(sizes[n]), uint32(n)
	}
	set(0)
	addr, _ := place(fw, raw.GraphicsOutputProtocol{
		Mode: modeAddr,
		QueryMode: fw.register("GOP.QueryMode", func(args []uintptr) uefi.Status {
			if args[1] >= uintptr(len(sizes)) {
				return uefi.ErrInvalidParameter
			}
			r := modeInformation(sizes[args[1]])
			b := raw.Encode(&r)
			*raw.At[uintptr](args[2]), *raw.At[uintptr](args[3]) = uintptr(len(b)), fw.newPool(b)
			return uefi.Success
		}),
		SetMode: fw.register("GOP.SetMode", func(args []uintptr) uefi.Status {
			if args[1] >= uintptr(len(sizes)) {
				return uefi.ErrUnsupported
			}
			set(args[1])
			return uefi.Success
		}),
		Blt: fw.register("GOP.Blt", func(args []uintptr) uefi.Status { return fw.blt(d, args) }),
	})
	fw.newHandle().install(uefi.GraphicsOutputProtocol, addr)
	return d
}

func modeInformation(size image.Point) raw.GraphicsOutputModeInformation {
	return raw.GraphicsOutputModeInformation{
		HorizontalResolution: uint32(size.X), VerticalResolution: uint32(size.Y),
		PixelFormat: uint32(uefi.PixelBGR), PixelsPerScanLine: uint32(size.X),
	}
}

// blt has args: this, buffer, operation, source x and y, destination x and y,
// width, height, bytes per line of the buffer (0: no gaps).
func (fw *Firmware) blt(d *Display, args []uintptr) uefi.Status {
	op, width, height := args[2], int(args[7]), int(args[8])
	from, to := image.Pt(int(args[3]), int(args[4])), image.Pt(int(args[5]), int(args[6]))
	onScreen := to
	if op == raw.BltVideoToBltBuffer {
		onScreen = from
	}
	area := image.Rectangle{Min: onScreen, Max: onScreen.Add(image.Pt(width, height))}
	if width <= 0 || height <= 0 || !area.In(image.Rect(0, 0, d.Width, d.Height)) || args[9] != 0 {
		return uefi.ErrInvalidParameter
	}
	count := width * height
	if op == raw.BltVideoFill {
		count = 1
	}
	fw.deviceMemory("GOP.Blt", args[1], uintptr(4*count))
	buffer := raw.Slice[uefi.Pixel](args[1], count)
	for y := range height {
		line := d.Pixels[(area.Min.Y+y)*d.Width+area.Min.X:][:width]
		switch op {
		case raw.BltVideoFill:
			for x := range line {
				line[x] = buffer[0]
			}
		case raw.BltBufferToVideo:
			copy(line, buffer[y*width:])
		case raw.BltVideoToBltBuffer:
			copy(buffer[y*width:], line)
		default:
			return uefi.ErrUnsupported
		}
	}
	return uefi.Success
}
