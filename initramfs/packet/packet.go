// Package packet lets the commands of the shell ask process 1: over a socket of
// sequenced packets that only root may open, one packet for the question and one
// for the answer. Package net is not used: it would make the runtime a tenth
// larger.
package packet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// MaxBytes is the longest packet.
const MaxBytes = 16 << 10

const (
	timeout = 10 * time.Second // for one connection
	backlog = 8
)

// Listener is the socket of process 1.
type Listener struct{ fd int }

// Listen makes the socket. One that an earlier process left is replaced.
func Listen(path string) (*Listener, error) {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		if err = os.Remove(path); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	if err == nil {
		err = errors.Join(os.Chmod(path, 0o600), unix.Listen(fd, backlog))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), unix.Close(fd))
	}
	return &Listener{fd}, nil
}

// Close ends Serve.
func (l *Listener) Close() error { return unix.Shutdown(l.fd, unix.SHUT_RDWR) }

// Serve answers questions, several at once, until the listener is closed; then it
// returns nil.
func (l *Listener) Serve(answer func(question []byte) []byte) error {
	for {
		fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch {
		case errors.Is(err, unix.EINVAL): // closed
			return unix.Close(l.fd)
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED):
			continue
		case err != nil:
			return fmt.Errorf("accept: %w", err)
		}
		c, err := newConnection(fd)
		if err != nil {
			return err
		}
		go c.serve(answer)
	}
}

// connection is one end of a connection; nothing on it takes longer than the
// timeout.
type connection struct{ *os.File }

func newConnection(fd int) (connection, error) {
	c := connection{os.NewFile(uintptr(fd), "socket")}
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return c, errors.Join(err, c.Close())
	}
	return c, nil
}

// serve answers one question. Who does not listen gets no answer.
func (c connection) serve(answer func([]byte) []byte) {
	defer c.Close()
	if question, err := c.receive(); err == nil {
		_, _ = c.Write(answer(question))
	}
}

// receive returns the next packet.
func (c connection) receive() ([]byte, error) {
	packet := make([]byte, MaxBytes)
	n, err := c.Read(packet)
	return packet[:n], err
}

// Ask asks a question and returns the answer.
func Ask(path string, question []byte) (answer []byte, err error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("ask process 1: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return nil, errors.Join(fmt.Errorf("ask process 1: %w", err), unix.Close(fd))
	}
	c, err := newConnection(fd)
	if err != nil {
		return nil, fmt.Errorf("ask process 1: %w", err)
	}
	defer c.Close()
	if _, err = c.Write(question); err == nil {
		answer, err = c.receive()
	}
	if err != nil {
		return nil, fmt.Errorf("ask process 1: %w", err)
	}
	return answer, nil
}
