package vhostgpu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// request is the type of a message (QEMU's vhost-user.rst, "Front-end message types").
type request uint32

const (
	getFeatures         request = 1
	setFeatures         request = 2
	setOwner            request = 3
	setMemTable         request = 5
	setVringNum         request = 8
	setVringAddr        request = 9
	setVringBase        request = 10
	getVringBase        request = 11
	setVringKick        request = 12
	setVringCall        request = 13
	setVringErr         request = 14
	getProtocolFeatures request = 15
	setProtocolFeatures request = 16
	getQueueNum         request = 17
	setVringEnable      request = 18
	getConfig           request = 24
	setConfig           request = 25
	gpuSetSocket        request = 33
	resetDevice         request = 34
)

const (
	headerBytes = 12
	maxPayload  = 4096
	maxFDs      = 8 // with one message, and so regions of memory

	flagVersion   = 1
	flagReply     = 1 << 2
	flagNeedReply = 1 << 3
)

// errProtocol is in the chain of the errors about messages that are none.
var errProtocol = errors.New("vhost-user protocol")

// message is one message with its file descriptors, which whoever takes it owns.
type message struct {
	request request
	flags   uint32
	payload []byte
	fds     []int
}

func (m *message) u32(at int) uint32 {
	if at+4 > len(m.payload) {
		return 0
	}
	return binary.LittleEndian.Uint32(m.payload[at:])
}

func (m *message) u64(at int) uint64 { return uint64(m.u32(at)) | uint64(m.u32(at+4))<<32 }

// takeFD returns the only descriptor of the message, or -1 if it has none.
func (m *message) takeFD() int {
	if len(m.fds) != 1 {
		return -1
	}
	fd := m.fds[0]
	m.fds = nil
	return fd
}

func (m *message) closeFDs() {
	for _, fd := range m.fds {
		_ = unix.Close(fd) // nothing was written through it
	}
	m.fds = nil
}

// reader puts messages together without ever waiting for the rest of one.
type reader struct {
	buf  [headerBytes + maxPayload]byte
	have int
	fds  []int
}

// next reads what there is. ok is false while the message is not whole.
func (r *reader) next(socket int) (m message, ok bool, err error) {
	want, err := r.want()
	if err != nil {
		return message{}, false, err
	}
	oob := make([]byte, unix.CmsgSpace(maxFDs*4))
	n, oobn, flags, _, err := unix.Recvmsg(socket, r.buf[r.have:want], oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return message{}, false, nil
	case err != nil:
		return message{}, false, fmt.Errorf("read from QEMU: %w", err)
	}
	if err := r.take(oob[:oobn]); err != nil {
		return message{}, false, err
	}
	switch {
	case flags&unix.MSG_CTRUNC != 0 || len(r.fds) > maxFDs:
		return message{}, false, fmt.Errorf("%w: more than %d file descriptors with one message", errProtocol, maxFDs)
	case n == 0:
		return message{}, false, io.EOF
	}
	if r.have += n; r.have < headerBytes {
		return message{}, false, nil
	}
	if want, err = r.want(); err != nil || r.have < want {
		return message{}, false, err
	}
	m = message{
		request: request(binary.LittleEndian.Uint32(r.buf[0:])), flags: binary.LittleEndian.Uint32(r.buf[4:]),
		payload: append([]byte(nil), r.buf[headerBytes:want]...), fds: r.fds,
	}
	r.have, r.fds = 0, nil
	return m, true, nil
}

// want returns the bytes that the message has, as far as that is known.
func (r *reader) want() (int, error) {
	if r.have < headerBytes {
		return headerBytes, nil
	}
	size := binary.LittleEndian.Uint32(r.buf[8:])
	if size > maxPayload || binary.LittleEndian.Uint32(r.buf[4:])&3 != flagVersion {
		return 0, fmt.Errorf("%w: a message with flags %#x and %d bytes", errProtocol, binary.LittleEndian.Uint32(r.buf[4:]), size)
	}
	return headerBytes + int(size), nil
}

// take takes the file descriptors out of control messages.
func (r *reader) take(oob []byte) error {
	if len(oob) == 0 {
		return nil
	}
	all, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("%w: %w", errProtocol, err)
	}
	for i := range all {
		if fds, err := unix.ParseUnixRights(&all[i]); err == nil { // else it is about something else
			r.fds = append(r.fds, fds...)
		}
	}
	return nil
}

func (r *reader) close() {
	for _, fd := range r.fds {
		_ = unix.Close(fd) // nothing was written through it
	}
	r.fds = nil
}

// reply answers a message.
func reply(socket int, to request, payload []byte) error {
	b := binary.LittleEndian.AppendUint32(nil, uint32(to))
	b = binary.LittleEndian.AppendUint32(b, flagVersion|flagReply)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	if n, err := unix.SendmsgN(socket, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != nil || n != len(b) {
		return fmt.Errorf("answer QEMU: %d of %d bytes: %w", n, len(b), errors.Join(err))
	}
	return nil
}
