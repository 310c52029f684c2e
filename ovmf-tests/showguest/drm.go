package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"structs"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation/ioctl"
)

// The structures of include/uapi/drm/drm_mode.h; addresses in them are 64 bits wide.

type resources struct {
	_                                        structs.HostLayout
	fbs, crtcs, connectors, encoders         uint64 // addresses
	nFBs, nCRTCs, nConnectors, nEncoders     uint32
	minWidth, maxWidth, minHeight, maxHeight uint32
}

type mode struct {
	_                                             structs.HostLayout
	clock                                         uint32
	hdisplay, hsyncStart, hsyncEnd, htotal, hskew uint16
	vdisplay, vsyncStart, vsyncEnd, vtotal, vscan uint16
	vrefresh, flags, kind                         uint32
	name                                          [32]byte
}

type connector struct {
	_                                  structs.HostLayout
	encoders, modes, props, propValues uint64 // addresses
	nModes, nProps, nEncoders          uint32
	encoder, id, kind, kindID          uint32
	connection, mmWidth, mmHeight      uint32
	subpixel, pad                      uint32
}

type crtc struct {
	_                      structs.HostLayout
	connectors             uint64 // address
	nConnectors, id        uint32
	fb, x, y               uint32
	gammaSize, modeIsValid uint32
	mode                   mode
}

type framebuffer struct {
	_                                            structs.HostLayout
	id, width, height, pitch, bpp, depth, handle uint32
}

type dumb struct {
	_                         structs.HostLayout
	height, width, bpp, flags uint32
	handle, pitch             uint32
	size                      uint64
}

type mapping struct {
	_           structs.HostLayout
	handle, pad uint32
	offset      uint64
}

type flip struct {
	_                    structs.HostLayout
	crtc, fb, flags, pad uint32
	user                 uint64
}

const flipEvent = 1 // of flip.flags

// Requests, all of type 'd'.
var (
	getResources = ioctl.RW[resources]('d', 0xa0)
	setCRTC      = ioctl.RW[crtc]('d', 0xa2)
	getConnector = ioctl.RW[connector]('d', 0xa7)
	addFB        = ioctl.RW[framebuffer]('d', 0xae)
	pageFlip     = ioctl.RW[flip]('d', 0xb0)
	createDumb   = ioctl.RW[dumb]('d', 0xb2)
	mapDumb      = ioctl.RW[mapping]('d', 0xb3)
)

type page struct {
	fb    uint32
	bytes []byte
}

// flips shows n pages one after the other, with numbers from first on. The kernel's
// driver does not wait until a page was seen; where pace is not nil, a byte is read
// from it for each page before its memory is used again.
func flips(n, width, height, first int, pace io.Reader) error {
	card, err := os.OpenFile("/dev/dri/card0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer card.Close()
	fd := card.Fd()
	c, connector, err := find(fd, width, height)
	if err != nil {
		return err
	}
	var pages [2]page
	for i := range pages {
		if pages[i], err = newPage(fd, width, height); err != nil {
			return err
		}
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	c.fb, c.connectors, c.nConnectors = pages[0].fb, ioctl.Address(&pin, []uint32{connector}), 1
	if err := ioctl.Do(fd, setCRTC, &c); err != nil {
		return fmt.Errorf("set mode: %w", err)
	}
	say("flips begin")
	begin := time.Now()
	for i := 1; i <= n; i++ {
		if pace != nil && i > len(pages) {
			if _, err := pace.Read(make([]byte, 1)); err != nil {
				return fmt.Errorf("wait until page %d was seen: %w", i-len(pages), err)
			}
		}
		p := &pages[i%2]
		fill(p.bytes, uint32(first+i-1))
		f := flip{crtc: c.id, fb: p.fb, flags: flipEvent}
		if err := ioctl.Do(fd, pageFlip, &f); err != nil {
			return fmt.Errorf("flip %d: %w", i, err)
		}
		var event [64]byte
		if _, err := unix.Read(int(fd), event[:]); err != nil {
			return fmt.Errorf("wait for flip %d: %w", i, err)
		}
	}
	say("flips %d in %d us", n, time.Since(begin).Microseconds())
	return nil
}

// fill makes every pixel the number.
func fill(b []byte, number uint32) {
	b[0], b[1], b[2], b[3] = byte(number), byte(number>>8), byte(number>>16), 0xff
	for n := 4; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// find returns the first CRTC with the mode of the size for the first connector, and
// that connector.
func find(fd uintptr, width, height int) (crtc, uint32, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	crtcs, connectors, modes := make([]uint32, 16), make([]uint32, 16), make([]mode, 128)
	r := resources{crtcs: ioctl.Address(&pin, crtcs), connectors: ioctl.Address(&pin, connectors), nCRTCs: 16, nConnectors: 16}
	if err := ioctl.Do(fd, getResources, &r); err != nil {
		return crtc{}, 0, fmt.Errorf("get resources: %w", err)
	}
	c := connector{id: connectors[0]}
	if err := ioctl.Do(fd, getConnector, &c); err != nil { // probes
		return crtc{}, 0, fmt.Errorf("probe connector: %w", err)
	}
	c = connector{id: connectors[0], modes: ioctl.Address(&pin, modes), nModes: uint32(len(modes))}
	if err := ioctl.Do(fd, getConnector, &c); err != nil {
		return crtc{}, 0, fmt.Errorf("get modes: %w", err)
	}
	for _, m := range modes[:min(int(c.nModes), len(modes))] {
		if int(m.hdisplay) == width && int(m.vdisplay) == height {
			return crtc{id: crtcs[0], modeIsValid: 1, mode: m}, connectors[0], nil
		}
	}
	return crtc{}, 0, fmt.Errorf("none of %d modes is %dx%d", c.nModes, width, height)
}

func newPage(fd uintptr, width, height int) (page, error) {
	d := dumb{width: uint32(width), height: uint32(height), bpp: 32}
	if err := ioctl.Do(fd, createDumb, &d); err != nil {
		return page{}, fmt.Errorf("create buffer: %w", err)
	}
	f := framebuffer{width: d.width, height: d.height, pitch: d.pitch, bpp: 32, depth: 24, handle: d.handle}
	if err := ioctl.Do(fd, addFB, &f); err != nil {
		return page{}, fmt.Errorf("add buffer: %w", err)
	}
	m := mapping{handle: d.handle}
	if err := ioctl.Do(fd, mapDumb, &m); err != nil {
		return page{}, fmt.Errorf("map buffer: %w", err)
	}
	b, err := unix.Mmap(int(fd), int64(m.offset), int(d.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return page{f.id, b}, err
}
