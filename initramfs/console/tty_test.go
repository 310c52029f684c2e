package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openPTY returns the near end of a pseudo terminal and the path of the other.
func openPTY(t *testing.T) (near *os.File, path string) {
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
	if err := conn.Control(func(fd uintptr) {
		if inner = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); inner == nil {
			number, inner = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
	return near, fmt.Sprintf("/dev/pts/%d", number)
}

// receive reads n bytes from the near end.
func receive(t *testing.T, near *os.File, n int) string {
	t.Helper()
	if err := near.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(near, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func openSet(t *testing.T, path string) *Set {
	t.Helper()
	set, err := Open(filepath.Dir(path), []string{filepath.Base(path)})
	if err != nil {
		t.Fatal(err)
	}
	set.quieten = nil // the messages of the machine that runs the test are not ours
	return set
}

func TestLinesOnATerminal(t *testing.T) {
	near, path := openPTY(t)
	set := openSet(t, path)
	if err := set.Line("cooked"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, near, 8); got != "cooked\r\n" {
		t.Errorf("cooked mode: %q", got)
	}
	far, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if _, err := term.MakeRaw(int(far.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := set.Line("raw"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, near, 5); got != "raw\r\n" {
		t.Errorf("raw mode: %q", got)
	}
}

// TestStoppedTerminal fills a terminal that nobody reads: the line is given up,
// the caller is not.
func TestStoppedTerminal(t *testing.T) {
	_, path := openPTY(t)
	set := openSet(t, path)
	var err error
	for i := 0; i < 1000 && err == nil; i++ {
		err = set.Line(strings.Repeat("x", 1000))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want a timeout", err)
	}
}

func TestOpenLeavesOutWhatIsNotThere(t *testing.T) {
	_, path := openPTY(t)
	set, err := Open("/dev", []string{"no-such-console", strings.TrimPrefix(path, "/dev/")})
	if err == nil || !strings.Contains(err.Error(), "no-such-console") || len(set.Names()) != 1 {
		t.Errorf("names %q, error %v", set.Names(), err)
	}
}
