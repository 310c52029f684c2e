package console

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long a console may hold up a line: a terminal that was stopped by Ctrl-S
// must not stop the machine.
const (
	lineTimeout  = 2 * time.Second
	drainTimeout = 250 * time.Millisecond
	drainPoll    = 2 * time.Millisecond
)

// tty is a terminal device. Its line discipline adds the carriage returns,
// except while a shell edits a line on it.
type tty struct {
	path string
	file *os.File
}

// open opens the device: non-blocking, so that writes obey a deadline, and
// without making it the controlling terminal.
func (t *tty) open() (err error) {
	t.file, err = os.OpenFile(t.path, os.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	return err
}

// Write writes and waits until the device has sent it. The end of the shell
// hangs up the terminal, which makes all open descriptors useless: then the
// device is opened anew.
func (t *tty) Write(p []byte) (int, error) {
	err := t.write(p)
	if errors.Is(err, syscall.EIO) {
		if err := t.reopen(); err != nil {
			return 0, err
		}
		err = t.write(p)
	}
	if err != nil {
		return 0, err
	}
	t.drain()
	return len(p), nil
}

func (t *tty) reopen() error {
	old := t.file
	if err := t.open(); err != nil {
		t.file = old // the next line tries again
		return err
	}
	return old.Close()
}

func (t *tty) write(p []byte) error {
	if err := t.file.SetWriteDeadline(time.Now().Add(lineTimeout)); err != nil {
		return err
	}
	raw := false
	err := t.control(func(fd int) error {
		settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		raw = err == nil && settings.Oflag&unix.OPOST == 0
		return err
	})
	if err != nil {
		return err
	}
	if raw {
		p = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	_, err = t.file.Write(p)
	return err
}

// drain waits until the device has sent what was written, but not for long: a
// stopped terminal never does.
func (t *tty) drain() {
	for deadline := time.Now().Add(drainTimeout); time.Now().Before(deadline); time.Sleep(drainPoll) {
		pending := 0
		err := t.control(func(fd int) (err error) {
			pending, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
			return err
		})
		if err != nil || pending == 0 {
			return
		}
	}
}

// control runs f with the descriptor.
func (t *tty) control(f func(fd int) error) error {
	conn, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}
