package kms

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/console"
	"github.com/rayos/rayboot/presentation/ioctl"
)

// maxObjects bounds each list that a driver gives: connectors, modes and so on.
const maxObjects = 1024

// flipTimeout bounds the wait for a picture to be on the screen: several periods of the slowest one.
const flipTimeout = time.Second

// errLate is the error of a driver that does not say that a flip has happened.
var errLate = errors.New("wait for the picture to be shown: the driver does not say that it is")

// head is a connector with a screen on it, and the part of the card that drives it.
type head struct {
	connector, crtc uint32
	modes           []modeInfo
}

// buffer is a picture's memory on the card.
type buffer struct {
	presentation.Target
	fb, handle uint32
}

// card is an open graphics card of which this process is the master. Its methods are one request each, or few.
type card struct {
	fd   int
	name string             // of its driver
	was  map[uint32]setCRTC // what each part showed before we did
}

// openCard opens a card and becomes its master.
func openCard(path string) (device, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	c := &card{fd: fd, was: map[uint32]setCRTC{}}
	if err := c.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), c.close())
	}
	return c, nil
}

func (c *card) begin() error {
	if err := unix.IoctlSetInt(c.fd, uint(ioSetMaster), 0); err != nil {
		return fmt.Errorf("become its master: %w; another program shows its pictures on it", err)
	}
	if err := c.identify(); err != nil {
		return err
	}
	dumb := getCap{capability: capDumbBuffer}
	if err := call(c, ioGetCap, &dumb); err != nil || dumb.value == 0 {
		return errors.New("its driver has no plain buffers")
	}
	return nil
}

// identify asks for the name of the driver.
func (c *card) identify() error {
	name := make([]byte, 64)
	var pin runtime.Pinner
	defer pin.Unpin()
	v := version{name: ioctl.Address(&pin, name), nameLen: uint64(len(name))}
	if err := call(c, ioVersion, &v); err != nil {
		return fmt.Errorf("ask for its driver: %w", err)
	}
	c.name = string(name[:min(v.nameLen, uint64(len(name)))])
	return nil
}

func (c *card) driver() string { return c.name }

// heads returns the connectors that have a screen. With probe the driver looks at the wires again, which may take a
// moment; otherwise it tells what it knows.
func (c *card) heads(probe bool) ([]head, error) {
	var res cardRes
	var connectors, crtcs []uint32
	for {
		res.countConnectors, res.countCRTCs = uint32(len(connectors)), uint32(len(crtcs))
		res.countFBs, res.countEncoders = 0, 0
		var pin runtime.Pinner
		res.connectors, res.crtcs = ioctl.Address(&pin, connectors), ioctl.Address(&pin, crtcs)
		err := call(c, ioGetResources, &res)
		pin.Unpin()
		if err != nil {
			return nil, fmt.Errorf("read the card's resources: %w", err)
		}
		if max(res.countConnectors, res.countCRTCs) > maxObjects {
			return nil, fmt.Errorf("read the card's resources: %d connectors", res.countConnectors)
		}
		if int(res.countConnectors) <= len(connectors) && int(res.countCRTCs) <= len(crtcs) {
			break
		}
		connectors, crtcs = make([]uint32, res.countConnectors), make([]uint32, res.countCRTCs)
	}
	var heads []head
	for _, id := range connectors[:res.countConnectors] {
		h, ok, err := c.head(id, crtcs[:res.countCRTCs], probe)
		if err != nil {
			return nil, err
		}
		if ok {
			heads = append(heads, h)
		}
	}
	return heads, nil
}

// head reads one connector. ok is false if there is nothing on it, or nothing to drive it.
func (c *card) head(id uint32, crtcs []uint32, probe bool) (h head, ok bool, err error) {
	modes, encoders := make([]modeInfo, 1), make([]uint32, 8)
	if probe {
		modes = nil // the kernel takes this for the wish
	}
	var conn getConnector
	for {
		conn = getConnector{connector: id, countModes: uint32(len(modes)), countEncs: uint32(len(encoders))}
		var pin runtime.Pinner
		conn.modes, conn.encoders = ioctl.Address(&pin, modes), ioctl.Address(&pin, encoders)
		err := call(c, ioGetConnector, &conn)
		pin.Unpin()
		if err != nil {
			return head{}, false, fmt.Errorf("read connector %d: %w", id, err)
		}
		if max(conn.countModes, conn.countEncs) > maxObjects {
			return head{}, false, fmt.Errorf("read connector %d: %d modes", id, conn.countModes)
		}
		if int(conn.countModes) <= len(modes) && int(conn.countEncs) <= len(encoders) {
			break
		}
		modes, encoders = make([]modeInfo, max(1, conn.countModes)), make([]uint32, max(1, conn.countEncs))
	}
	if conn.connection != connected || conn.countModes == 0 {
		return head{}, false, nil
	}
	crtc, err := c.crtcFor(conn.encoder, encoders[:conn.countEncs], crtcs)
	return head{connector: id, crtc: crtc, modes: modes[:conn.countModes]}, crtc != 0, err
}

// crtcFor returns the part of the card that drives the connector already, or the first that can.
func (c *card) crtcFor(current uint32, encoders, crtcs []uint32) (uint32, error) {
	first := uint32(0)
	for _, id := range encoders {
		enc := getEncoder{encoder: id}
		if err := call(c, ioGetEncoder, &enc); err != nil {
			return 0, fmt.Errorf("read encoder %d: %w", id, err)
		}
		if id == current && enc.crtc != 0 {
			return enc.crtc, nil
		}
		for i, crtc := range crtcs {
			if first == 0 && i < 32 && enc.possibleCRTCs&(1<<i) != 0 {
				first = crtc
			}
		}
	}
	return first, nil
}

// set shows a buffer on a head in that mode, at once.
func (c *card) set(h head, m modeInfo, b *buffer) error {
	if _, known := c.was[h.crtc]; !known {
		was := setCRTC{crtc: h.crtc}
		if err := call(c, ioGetCRTC, &was); err != nil {
			return fmt.Errorf("read what is on the screen: %w", err)
		}
		c.was[h.crtc] = was
	}
	return c.light(h.connector, setCRTC{crtc: h.crtc, fb: b.fb, modeValid: 1, mode: m})
}

func (c *card) light(connector uint32, s setCRTC) error {
	list := []uint32{connector}
	var pin runtime.Pinner
	defer pin.Unpin()
	s.connectors, s.countConnectors = ioctl.Address(&pin, list), 1
	if err := call(c, ioSetCRTC, &s); err != nil {
		return fmt.Errorf("set mode %s: %w", s.mode.label(), err)
	}
	return nil
}

// flip has the card show another buffer of the same size from its next picture on.
func (c *card) flip(h head, b *buffer) error {
	return call(c, ioPageFlip, &pageFlip{crtc: h.crtc, fb: b.fb, flags: flipEvent})
}

// wait waits until a flip has happened.
func (c *card) wait() error {
	events := make([]byte, 1024)
	for deadline := time.Now().Add(flipTimeout); ; {
		left := time.Until(deadline)
		if left <= 0 {
			return errLate
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err == nil && n == 0 || errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil {
			n, err = unix.Read(c.fd, events)
		}
		if err != nil {
			return fmt.Errorf("wait for the picture to be shown: %w", err)
		}
		if flips, err := parseEvents(events[:n]); err != nil || flips > 0 {
			return err
		}
	}
}

// dirty tells the card which pixels of a buffer it is to bring to the screen. ENOSYS is the answer of a card that reads
// the buffer itself, all the time.
func (c *card) dirty(b *buffer, clips []clipRect) error {
	if len(clips) > maxClips {
		return fmt.Errorf("tell what was drawn: %d pieces", len(clips))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	return call(c, ioDirtyFB, &dirtyFB{fb: b.fb, clips: ioctl.Address(&pin, clips), countClips: uint32(len(clips))})
}

// giveBack shows again what was on the screen before, as far as it still exists. Where this was the last program, the
// kernel's own console takes over when the card is closed.
func (c *card) giveBack() {
	for _, was := range c.was {
		if was.fb != 0 && was.modeValid != 0 {
			c.restore(was)
		}
	}
}

// close gives the card up. Where it had another mode, the console's text may be gone.
func (c *card) close() error {
	err := unix.Close(c.fd)
	if len(c.was) > 0 {
		err = errors.Join(err, console.Redraw())
	}
	return err
}

// restore shows what was there. Where that has gone, closing the card brings the console back.
func (c *card) restore(was setCRTC) {
	heads, err := c.heads(false)
	if err != nil {
		return
	}
	for _, h := range heads {
		if h.crtc == was.crtc {
			_ = c.light(h.connector, was)
		}
	}
}

// call makes a request of the card.
func call[T any](c *card, r ioctl.Request, arg *T) error { return ioctl.Do(uintptr(c.fd), r, arg) }
