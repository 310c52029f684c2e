// Package console sends the kernel's text console off the screen, and brings it back, whatever becomes of the program that
// sent it away.
//
// A terminal stays in graphics mode after the program that set it has been killed. So a small program of its own, the
// guard, waits for that program's end. Linux console_codes(4), ioctl_console(2).
package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Modes of a terminal, and requests (Linux include/uapi/linux/kd.h).
const (
	setMode  = 0x4b3a
	getMode  = 0x4b3b
	text     = 0
	graphics = 1
)

// foreground is the terminal that is on the screen.
const foreground = "/dev/tty0"

// GuardName is the name, as its first argument, under which a program is the guard: its main calls [RunGuard] then.
const GuardName = "console-guard"

// Guard is the file of the program that has the guard in it. "" is the running program itself.
type Guard string

// Console is the screen's terminal while it shows no text.
type Console struct {
	tty   *os.File
	guard *exec.Cmd
	alive io.Closer // its end tells the guard of ours
}

// Take sends the text off the screen. The guard is waiting before that happens.
func Take(guard Guard) (*Console, error) {
	tty, err := os.OpenFile(foreground, os.O_RDWR|syscall.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return &Console{}, nil // a kernel without terminals on the screen
	}
	if err != nil {
		return nil, fmt.Errorf("take the console off the screen: %w", err)
	}
	c := &Console{tty: tty}
	if err := c.startGuard(guard); err != nil {
		return nil, errors.Join(fmt.Errorf("take the console off the screen: %w", err), tty.Close())
	}
	if err := unix.IoctlSetInt(int(tty.Fd()), setMode, graphics); err != nil {
		return nil, errors.Join(fmt.Errorf("take the console off the screen: %w", err), c.Release())
	}
	return c, nil
}

func (c *Console) startGuard(guard Guard) error {
	if guard == "" {
		guard = "/proc/self/exe"
	}
	c.guard = &exec.Cmd{
		Path: string(guard), Args: []string{GuardName}, Env: []string{}, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // a Ctrl-C is for us, not for the guard
	}
	alive, err := c.guard.StdinPipe()
	if err != nil {
		return err
	}
	ready, err := c.guard.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.guard.Start(); err != nil {
		return fmt.Errorf("start its guard: %w", err)
	}
	c.alive = alive
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return errors.Join(fmt.Errorf("start its guard: %w", err), alive.Close(), c.guard.Wait())
	}
	return nil
}

// Release brings the text back.
func (c *Console) Release() error {
	if c.tty == nil {
		return nil
	}
	err := unix.IoctlSetInt(int(c.tty.Fd()), setMode, text)
	err = errors.Join(err, c.alive.Close(), c.guard.Wait(), c.tty.Close())
	c.tty = nil
	return err
}

// Redraw has the terminal on the screen draw all of its text again, for a card that may
// have lost it: QEMU's standard VGA clears its memory whenever it gets another mode. It
// does nothing where there is no terminal, where it shows no text, or where that is not
// for this user to say.
func Redraw() error {
	tty, err := os.OpenFile(foreground, os.O_RDWR|syscall.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) || errors.Is(err, unix.ENXIO) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("draw the console again: %w", err)
	}
	defer tty.Close()
	mode, err := unix.IoctlGetInt(int(tty.Fd()), getMode)
	if err != nil || mode != text {
		return nil // a serial line in the place of a terminal, or graphics
	}
	for _, mode := range []int{graphics, text} { // leaving graphics draws all
		if err := unix.IoctlSetInt(int(tty.Fd()), setMode, mode); err != nil {
			return fmt.Errorf("draw the console again: %w", err)
		}
	}
	return nil
}

// RunGuard is the guard: it says on out that it is there, waits until in ends, and has the screen show text. It returns
// the program's exit status.
func RunGuard(in io.Reader, out io.Writer) int {
	if err := guardUntil(in, out); err != nil {
		return 1
	}
	return 0
}

func guardUntil(in io.Reader, out io.Writer) error {
	tty, err := os.OpenFile(foreground, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	if _, err := out.Write([]byte{'\n'}); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	return showText(tty)
}

// Restore has the screen show text, whoever has sent it away and died. A machine without terminals on the screen has none.
func Restore() error {
	tty, err := os.OpenFile(foreground, os.O_RDWR|syscall.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bring the console back on the screen: %w", err)
	}
	return errors.Join(showText(tty), tty.Close())
}

func showText(tty *os.File) error {
	mode, err := unix.IoctlGetInt(int(tty.Fd()), getMode)
	if err != nil || mode == text {
		return err
	}
	return unix.IoctlSetInt(int(tty.Fd()), setMode, text)
}
