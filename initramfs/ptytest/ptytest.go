// Package ptytest gives tests a terminal: the near end of a pseudo terminal,
// with which a test plays the user.
package ptytest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a test waits for output that must come.
const patience = 30 * time.Second

// Terminal is the near end of a pseudo terminal.
type Terminal struct {
	Path string // of the far end
	t    *testing.T
	near *os.File
	got  []byte // received and not yet looked for
}

// Open makes a pseudo terminal, which is closed when the test ends. The test is
// skipped on a machine that has none.
func Open(t *testing.T) *Terminal {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { near.Close() })
	conn, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var inner error
	err = conn.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			number, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(err, inner); err != nil {
		t.Fatal(err)
	}
	return &Terminal{Path: fmt.Sprintf("/dev/pts/%d", number), t: t, near: near}
}

// Far opens the far end, as a program on the terminal does.
func (p *Terminal) Far() *os.File {
	p.t.Helper()
	far, err := os.OpenFile(p.Path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { far.Close() })
	return far
}

// Type types the text.
func (p *Terminal) Type(text string) {
	p.t.Helper()
	if _, err := p.near.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// Expect reads until the text has come and returns what came before it.
func (p *Terminal) Expect(text string) (before string) {
	p.t.Helper()
	if err := p.near.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		if i := bytes.Index(p.got, []byte(text)); i >= 0 {
			before = string(p.got[:i])
			p.got = p.got[i+len(text):]
			return before
		}
		n, err := p.near.Read(buf)
		if err != nil {
			p.t.Fatalf("no %q on the terminal (%v), but %q", text, err, p.got)
		}
		p.got = append(p.got, buf[:n]...)
	}
}
