package watchdog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// SocketPath is where process 1 listens for the command watchdog: a socket of
// sequenced packets that only root may open. One packet with a [Request] in JSON is
// answered by one with an [Answer]. Package net is not used: it would make the
// runtime a tenth larger.
const SocketPath = "run/rayos/watchdog.sock"

// Limits.
const (
	packetTimeout  = 10 * time.Second
	maxPacketBytes = 16 << 10
	backlog        = 8
)

// Listener is the socket of process 1.
type Listener struct{ fd int }

// Listen makes the socket below root.
func Listen(root string) (*Listener, error) {
	path := filepath.Join(root, SocketPath)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		if err = os.Remove(path); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the command watchdog: %w", err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("listen for the command watchdog: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	if err == nil {
		err = errors.Join(os.Chmod(path, 0o600), unix.Listen(fd, backlog))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the command watchdog on %s: %w", path, err), unix.Close(fd))
	}
	return &Listener{fd}, nil
}

// Close ends [Guard.Serve].
func (l *Listener) Close() error { return unix.Shutdown(l.fd, unix.SHUT_RDWR) }

var errClosed = errors.New("the socket is closed")

func (l *Listener) accept() (*connection, error) {
	for {
		fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch {
		case err == nil:
			return newConnection(fd)
		case errors.Is(err, unix.EINVAL):
			return nil, errors.Join(errClosed, unix.Close(l.fd))
		case !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ECONNABORTED):
			return nil, fmt.Errorf("accept: %w", err)
		}
	}
}

// connection is one end of a connection; nothing on it takes longer than
// packetTimeout.
type connection struct{ *os.File }

func newConnection(fd int) (*connection, error) {
	c := &connection{os.NewFile(uintptr(fd), "command watchdog")}
	if err := c.SetDeadline(time.Now().Add(packetTimeout)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func dial(root string) (*connection, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: filepath.Join(root, SocketPath)}); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return newConnection(fd)
}

func (c *connection) send(packet []byte) error {
	_, err := c.Write(packet)
	return err
}

// receive returns the next packet.
func (c *connection) receive() ([]byte, error) {
	packet := make([]byte, maxPacketBytes)
	n, err := c.Read(packet)
	return packet[:n], err
}
