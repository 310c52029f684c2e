package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The requests and structures of include/uapi/drm/drm_mode.h.
const (
	getResources = 0xc04064a0
	setCRTC      = 0xc06864a2
	getConnector = 0xc05064a7
	addFB        = 0xc01c64ae
	pageFlip     = 0xc01864b0
	createDumb   = 0xc02064b2
	mapDumb      = 0xc01064b3

	flipEvent = 1
)

type resources struct {
	_, crtcs, connectors, _   uint64
	_, nCRTCs, nConnectors, _ uint32
	_, _, _, _                uint32
}

type mode struct {
	_                                       uint32
	hdisplay, _, _, _, _, vdisplay, _, _, _ uint16
	_                                       uint16
	_, _, _                                 uint32
	_                                       [32]byte
}

type connector struct {
	_, modes, _, _               uint64
	nModes, _, _, _, id, _, _, _ uint32
	_, _, _, _                   uint32
}

type crtc struct {
	connectors                           uint64
	nConnectors, id, fb, _, _, gamma, ok uint32
	mode                                 mode
}

type framebuffer struct{ id, width, height, pitch, bpp, depth, handle uint32 }

type dumb struct {
	height, width, bpp, _, handle, pitch uint32
	size                                 uint64
}

type mapping struct {
	handle, _ uint32
	offset    uint64
}

type flip struct {
	crtc, fb, flags, _ uint32
	_                  uint64
}

// ioctl does a request with a structure, and what that points to.
func ioctl[T any](fd int, request uint, arg *T, pointees ...any) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, p := range pointees {
		pin.Pin(p)
	}
	// SAFETY: arg is as the kernel knows it, and alive until the call returns.
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(arg))); errno != 0 {
		return fmt.Errorf("ioctl %#x: %w", request, errno)
	}
	return nil
}

// address is where a pinned pointee lies.
func address[T any](p *T) uint64 {
	// SAFETY: the kernel uses it only while ioctl has p pinned.
	return uint64(uintptr(unsafe.Pointer(p)))
}

type page struct {
	fb    uint32
	bytes []byte
}

// flips shows n pages one after the other. The kernel's driver does not wait until
// a page was seen; where pace is not nil, a byte is read from it for each page
// before its memory is used again.
func flips(n, width, height int, pace io.Reader) error {
	card, err := os.OpenFile("/dev/dri/card0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer card.Close()
	fd := int(card.Fd())
	c, err := find(fd, width, height)
	if err != nil {
		return err
	}
	var pages [2]page
	for i := range pages {
		if pages[i], err = newPage(fd, width, height); err != nil {
			return err
		}
	}
	c.fb = pages[0].fb
	id := new(uint32)
	*id = c.gamma // find left the connector here
	c.connectors, c.nConnectors, c.gamma = address(id), 1, 0
	if err := ioctl(fd, setCRTC, &c, id); err != nil {
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
		fill(p.bytes, uint32(i))
		f := flip{crtc: c.id, fb: p.fb, flags: flipEvent}
		if err := ioctl(fd, pageFlip, &f); err != nil {
			return fmt.Errorf("flip %d: %w", i, err)
		}
		var event [64]byte
		if _, err := unix.Read(fd, event[:]); err != nil {
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

// find returns the first CRTC with the mode of the size for the first connector,
// whose ID is in the field gamma.
func find(fd, width, height int) (crtc, error) {
	crtcs, connectors, modes := new([16]uint32), new([16]uint32), new([128]mode)
	r := resources{crtcs: address(crtcs), connectors: address(connectors), nCRTCs: 16, nConnectors: 16}
	if err := ioctl(fd, getResources, &r, crtcs, connectors); err != nil {
		return crtc{}, fmt.Errorf("get resources: %w", err)
	}
	c := connector{id: connectors[0]}
	if err := ioctl(fd, getConnector, &c); err != nil { // probes
		return crtc{}, fmt.Errorf("probe connector: %w", err)
	}
	c = connector{id: connectors[0], modes: address(modes), nModes: uint32(len(modes))}
	if err := ioctl(fd, getConnector, &c, modes); err != nil {
		return crtc{}, fmt.Errorf("get modes: %w", err)
	}
	for _, m := range modes[:min(int(c.nModes), len(modes))] {
		if int(m.hdisplay) == width && int(m.vdisplay) == height {
			return crtc{id: crtcs[0], ok: 1, mode: m, gamma: connectors[0]}, nil
		}
	}
	return crtc{}, fmt.Errorf("none of %d modes is %dx%d", c.nModes, width, height)
}

func newPage(fd, width, height int) (page, error) {
	d := dumb{width: uint32(width), height: uint32(height), bpp: 32}
	if err := ioctl(fd, createDumb, &d); err != nil {
		return page{}, fmt.Errorf("create buffer: %w", err)
	}
	f := framebuffer{width: d.width, height: d.height, pitch: d.pitch, bpp: 32, depth: 24, handle: d.handle}
	if err := ioctl(fd, addFB, &f); err != nil {
		return page{}, fmt.Errorf("add buffer: %w", err)
	}
	m := mapping{handle: d.handle}
	if err := ioctl(fd, mapDumb, &m); err != nil {
		return page{}, fmt.Errorf("map buffer: %w", err)
	}
	b, err := unix.Mmap(fd, int64(m.offset), int(d.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return page{f.id, b}, err
}
