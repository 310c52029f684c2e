// Package vhostgpu is the process behind QEMU's vhost-user-gpu-pci: it speaks
// the vhost-user protocol (QEMU's docs/interop/vhost-user.rst) as the back-end,
// maps the guest's memory, and runs its two queues with the device of package
// virtgpu. QEMU, which a guest may have taken over, is believed as little as the
// guest.
//
// QEMU 8 and newer do this with emulated processors; before, it takes KVM. The
// guest's memory must be a memory-backend-memfd with share=on.
package vhostgpu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/guestmem"
	"github.com/rayos/rayboot/presentation/virtgpu"
)

const (
	controlQueue = 0
	cursorQueue  = 1
	queues       = 2
	maxRequest   = virtgpu.MaxRequest

	featureIndirect = 1 << 28
	featureEventIdx = 1 << 29
	featureProtocol = 1 << 30
	featureVersion1 = 1 << 32
	allFeatures     = featureIndirect | featureEventIdx | featureProtocol | featureVersion1 | virtgpu.FeatureEDID

	protocolMQ       = 1 << 0
	protocolReplyAck = 1 << 3
	protocolConfig   = 1 << 9
	protocolReset    = 1 << 13
	allProtocol      = protocolMQ | protocolReplyAck | protocolConfig | protocolReset
)

// session is one QEMU.
type session struct {
	name       string
	socket     int
	gpuSocket  int // QEMU shows nothing itself: nothing is ever said on it
	device     *virtgpu.Device
	report     func(error)
	reader     reader
	features   uint64
	protocol   uint64
	rings      [queues]ring
	mapped     [][]byte
	memory     presentation.Memory // by guest-physical address
	userMemory presentation.Memory // by QEMU's own addresses
}

// Serve is the display of the guest with this name, shown on out, until QEMU
// closes the connection or ctx is done; then its surfaces are gone, and the error
// is nil. report is told what the guest did wrong; it must not wait.
func Serve(ctx context.Context, conn *net.UnixConn, name string, out virtgpu.Output, report func(error)) error {
	return ServeDevice(ctx, conn, name, virtgpu.New(out), report)
}

// ServeDevice is [Serve] with a device that the caller has made, and may look at again
// when it returns.
func ServeDevice(ctx context.Context, conn *net.UnixConn, name string, device *virtgpu.Device, report func(error)) error {
	file, err := conn.File() // a descriptor of our own, which no deadline closes
	if err != nil {
		return errors.Join(fmt.Errorf("take the connection of %s: %w", name, err), conn.Close())
	}
	defer file.Close()
	if err := conn.Close(); err != nil {
		return fmt.Errorf("take the connection of %s: %w", name, err)
	}
	s := &session{name: name, socket: int(file.Fd()), gpuSocket: -1, device: device, report: report}
	for i := range s.rings {
		s.rings[i] = ring{index: i, kick: -1, call: -1, enabled: true}
	}
	defer context.AfterFunc(ctx, func() { _ = unix.Shutdown(s.socket, unix.SHUT_RDWR) })()
	err = errors.Join(s.run(), s.close())
	if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
		return nil
	}
	return err
}

// run serves until the connection ends. A fault while guest memory is read, as
// when the host has none left to put behind it, ends this guest only.
func (s *session) run() (err error) {
	debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(false)
		if p := recover(); p != nil {
			if fault, ok := p.(interface{ Addr() uintptr }); ok {
				err = fmt.Errorf("read the memory of %s: fault at %#x", s.name, fault.Addr())
				return
			}
			panic(p)
		}
	}()
	for {
		if err := s.step(); err != nil {
			return err
		}
	}
}

// step waits for something to do, and does it.
func (s *session) step() error {
	poll := [1 + queues]unix.PollFd{{Fd: int32(s.socket), Events: unix.POLLIN}}
	timeout := -1
	for i := range s.rings {
		r := &s.rings[i]
		poll[1+i] = unix.PollFd{Fd: -1, Events: unix.POLLIN}
		if r.ready() && r.kick >= 0 {
			poll[1+i].Fd = int32(r.kick)
		}
		if r.ready() && r.more {
			timeout = 0
		}
	}
	if _, err := unix.Poll(poll[:], timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for %s: %w", s.name, err)
	}
	since := time.Now()
	for i := range s.rings {
		r := &s.rings[i]
		if poll[1+i].Revents != 0 {
			r.kicked(s)
		}
		if r.ready() && r.more {
			r.work(s, since)
		}
	}
	if poll[0].Revents == 0 {
		return nil
	}
	m, ok, err := s.reader.next(s.socket)
	if err != nil || !ok {
		return err
	}
	defer m.closeFDs()
	return s.handle(&m)
}

// unmap lets go of the guest's memory.
func (s *session) unmap() error {
	for i := range s.rings {
		s.rings[i].stop()
	}
	s.device.Forget()
	var errs []error
	for _, b := range s.mapped {
		errs = append(errs, guestmem.Unmap(b))
	}
	s.mapped, s.memory, s.userMemory = nil, presentation.Memory{}, presentation.Memory{}
	return errors.Join(errs...)
}

// close ends everything; the guest's screens are gone.
func (s *session) close() error {
	s.device.Reset()
	err := s.unmap()
	for i := range s.rings {
		s.rings[i].close()
	}
	closeFD(&s.gpuSocket)
	s.reader.close()
	return err
}
