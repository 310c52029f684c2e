package vhostgpu

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/guestmem"
	"github.com/rayos/rayboot/presentation/virtqueue"
)

// handle carries out a message of QEMU's. An error ends the session.
func (s *session) handle(m *message) error {
	answer, err := s.dispatch(m)
	if err != nil {
		return fmt.Errorf("message %d of the QEMU of %s: %w", m.request, s.name, err)
	}
	if answer == nil && m.flags&flagNeedReply != 0 && s.protocol&protocolReplyAck != 0 {
		answer = make([]byte, 8) // it was carried out
	}
	if answer == nil {
		return nil
	}
	return reply(s.socket, m.request, answer)
}

func u64Bytes(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

func (s *session) dispatch(m *message) (answer []byte, err error) {
	switch m.request {
	case getFeatures:
		return u64Bytes(allFeatures), nil
	case setFeatures:
		// QEMU passes on what the guest wants, whether it was offered or not.
		if s.features = m.u64(0); s.features&featureProtocol == 0 {
			for i := range s.rings {
				s.rings[i].enabled = true
			}
		}
	case getProtocolFeatures:
		return u64Bytes(allProtocol), nil
	case setProtocolFeatures:
		s.protocol = m.u64(0)
	case getQueueNum:
		return u64Bytes(queues), nil
	case setOwner, setConfig:
		// There is one owner; the only field that can be written clears events,
		// of which there are none.
	case getConfig:
		return config(m)
	case resetDevice:
		for i := range s.rings {
			s.rings[i].stop()
			s.rings[i].base = 0
		}
		s.device.Reset()
	case gpuSetSocket:
		closeFD(&s.gpuSocket)
		s.gpuSocket = m.takeFD()
	case setMemTable:
		return nil, s.setMemTable(m)
	case setVringNum, setVringAddr, setVringBase, getVringBase, setVringKick, setVringCall, setVringErr, setVringEnable:
		return s.vring(m)
	default:
		return nil, fmt.Errorf("%w: it was not offered", errProtocol)
	}
	return nil, nil
}

// config answers with struct virtio_gpu_config: QEMU fills in the number of
// screens itself.
func config(m *message) ([]byte, error) {
	if len(m.payload) < 12 {
		return nil, fmt.Errorf("%w: %d bytes", errProtocol, len(m.payload))
	}
	answer := append([]byte(nil), m.payload...)
	clear(answer[12:])
	if at := 12 + 8 - int64(m.u32(0)); at >= 12 && at < int64(len(answer)) {
		answer[at] = 1 // num_scanouts
	}
	return answer, nil
}

const (
	tableHeaderBytes = 8
	regionBytes      = 32
)

// setMemTable maps the guest's memory, instead of what was mapped before. The
// queues go on where they were, as the memory behind them is the same.
func (s *session) setMemTable(m *message) error {
	running := [queues]bool{}
	for i := range s.rings {
		running[i] = s.rings[i].queue != nil
	}
	if err := s.unmap(); err != nil {
		return err
	}
	n := int(m.u32(0))
	if n < 1 || n != len(m.fds) || len(m.payload) != tableHeaderBytes+n*regionBytes {
		return fmt.Errorf("%w: %d regions with %d file descriptors in %d bytes", errProtocol, n, len(m.fds), len(m.payload))
	}
	guest, user := make([]presentation.Region, n), make([]presentation.Region, n)
	for i, fd := range m.fds {
		at := tableHeaderBytes + i*regionBytes
		b, err := guestmem.Map(fd, m.u64(at+24), m.u64(at+8))
		if err != nil {
			return err
		}
		s.mapped = append(s.mapped, b)
		guest[i], user[i] = presentation.Region{Addr: m.u64(at), Bytes: b}, presentation.Region{Addr: m.u64(at + 16), Bytes: b}
	}
	var err, err2 error
	s.memory, err = presentation.NewMemory(guest)
	s.userMemory, err2 = presentation.NewMemory(user)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	s.device.SetMemory(s.memory)
	for i := range s.rings {
		if !running[i] {
			continue
		}
		if err := s.rings[i].start(s); err != nil {
			return err
		}
	}
	return nil
}

// vring carries out the messages about one queue, whose index comes first in all
// of them.
func (s *session) vring(m *message) (answer []byte, err error) {
	index := m.u32(0)
	if m.request == setVringKick || m.request == setVringCall || m.request == setVringErr {
		index &= 0xff
	}
	if index >= queues || len(m.payload) < 8 {
		return nil, fmt.Errorf("%w: queue %d in %d bytes", errProtocol, index, len(m.payload))
	}
	r := &s.rings[index]
	switch m.request {
	case setVringNum:
		if n := m.u32(4); n <= virtqueue.MaxSize && virtqueue.Valid(int(n)) {
			r.size = int(n)
			return nil, nil
		}
		return nil, fmt.Errorf("%w: a queue of %d descriptors", errProtocol, m.u32(4))
	case setVringAddr:
		r.desc, r.used, r.avail = m.u64(8), m.u64(16), m.u64(24)
	case setVringBase:
		r.base = uint16(m.u32(4))
	case getVringBase:
		r.stop()
		closeFD(&r.kick)
		answer = binary.LittleEndian.AppendUint32(nil, index)
		return binary.LittleEndian.AppendUint32(answer, uint32(r.base)), nil
	case setVringKick:
		if err := takeEvent(m, &r.kick); err != nil {
			return nil, err
		}
		return nil, r.start(s)
	case setVringCall:
		return nil, takeEvent(m, &r.call)
	case setVringEnable:
		r.enabled = m.u32(4) != 0
	}
	return nil, nil
}

// takeEvent takes the eventfd of a message in the place of the one before.
func takeEvent(m *message, to *int) error {
	closeFD(to)
	if *to = m.takeFD(); *to < 0 {
		return nil // it comes without one where QEMU has none
	}
	return checkEvent(*to)
}
