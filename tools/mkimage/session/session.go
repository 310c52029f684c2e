// Package session runs a virtual machine with its serial console on the user's terminal, until the guest powers off,
// the user leaves, or a marker arrives.
//
// It owns the terminal's mode, the keys that do not go to the guest, and the reasons for which a session ends. The
// machine itself is package qemu's.
package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// ErrNotReached tells that the machine ended, or the time was up, before what the session waited for.
var ErrNotReached = errors.New("waited in vain")

// Options say how a session goes.
type Options struct {
	Machine qemu.Machine

	// Until is the marker that the session waits for, by its name (SHELL_READY) or ID (RAYOS_BOOT_MARKER:SHELL_READY).
	// The session ends when it has arrived, unless it is Interactive. "" waits for nothing.
	Until string

	// Timeout ends the session with ErrNotReached if the marker, or without Until the guest's end, takes longer. 0 is
	// no limit.
	Timeout time.Duration

	// Interactive gives all keys to the guest but the escape key, and goes on after the marker.
	Interactive bool

	// Quiet leaves the terminal alone: no keys, no serial console, which is still searched for the marker.
	Quiet bool

	In  io.Reader // keys; read only if it is a terminal or the session is Interactive
	Out io.Writer // the serial console, as plain text unless it is a terminal
	Err io.Writer // what the session itself has to say
}

// errLeft ends a session in which the user pressed the keys for leaving.
var errLeft = errors.New("left by the user")

// Run starts the machine and blocks until the session ends. It returns nil if the guest powered off, the user left, or
// the marker arrived; ErrNotReached or context.Canceled if any of these was before the marker. QEMU has ended and the
// terminal is as it was when Run returns.
//
// A read of In that is under way then goes on in the background: In is not to be used after Run.
func Run(ctx context.Context, o Options) (err error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	restore, err := o.takeTerminal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	p, err := o.Machine.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	watcher := newWatcher(o.Until)
	var output sync.WaitGroup
	var outputErr error
	output.Go(func() { outputErr = o.copyOutput(p, watcher) })
	if o.takesKeys() {
		go o.copyInput(p, end)
	}
	err = o.wait(ctx, p, watcher)
	p.Kill()
	output.Wait() // what the guest sent before its end is shown to the last byte
	return errors.Join(o.verdict(err, watcher), outputErr)
}

// wait blocks until something ends the session and says what.
func (o Options) wait(ctx context.Context, p *qemu.Process, w *watcher) error {
	var timeout <-chan time.Time
	if o.Timeout > 0 {
		timer := time.NewTimer(o.Timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	reached := w.reached
	for {
		select {
		case <-reached:
			if !o.Interactive {
				return p.Quit(ctx)
			}
			reached, timeout = nil, nil
		case <-timeout:
			return fmt.Errorf("%w: no %s within %v", ErrNotReached, o.awaited(), o.Timeout)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx) // the end of ctx is what ended the machine
			}
			return p.Wait()
		}
	}
}

func (o Options) awaited() string {
	if o.Until == "" {
		return "end of the machine"
	}
	return o.Until
}

// verdict turns the reason for the end into Run's result. The marker counts even if it came with the guest's last
// breath.
func (o Options) verdict(err error, w *watcher) error {
	seen := w.seen()
	switch {
	case errors.Is(err, errLeft) && seen:
		return nil
	case errors.Is(err, errLeft):
		return fmt.Errorf("%w: waiting for %s", context.Canceled, o.Until)
	case err == nil && !seen:
		return fmt.Errorf("%w: the machine ended before %s", ErrNotReached, o.Until)
	}
	return err
}

func (o Options) copyOutput(p *qemu.Process, w *watcher) error {
	var plain qemu.PlainText
	var text []byte
	var outErr error
	buf := make([]byte, 4096)
	for {
		n, err := p.Serial.Read(buf)
		text = plain.Append(text[:0], buf[:n])
		w.feed(text)
		if outErr == nil && !o.Quiet {
			_, outErr = o.Out.Write(o.shown(buf[:n], text))
		}
		if err != nil {
			return outErr // a serial port that ends is the machine's end, which wait reports
		}
	}
}

// shown chooses what Out gets: everything on a terminal, text elsewhere.
func (o Options) shown(raw, text []byte) []byte {
	if isTerminal(o.Out) {
		return raw
	}
	return text
}

func (o Options) copyInput(p *qemu.Process, end context.CancelCauseFunc) {
	keys := keyFilter{interactive: o.Interactive}
	buf := make([]byte, 256)
	for {
		n, err := o.In.Read(buf)
		for in := buf[:n]; len(in) > 0; {
			forward, action, rest := keys.filter(in)
			if _, err := p.Serial.Write(forward); err != nil {
				return // the machine has ended
			}
			switch action {
			case actionLeave:
				end(errLeft)
			case actionInterrupt:
				end(context.Canceled)
			case actionHelp:
				fmt.Fprintf(o.Err, "\r\n%s\r\n", Help)
			}
			in = rest
		}
		if err != nil {
			return // no more keys; the machine goes on
		}
	}
}

func (o Options) takesKeys() bool {
	return !o.Quiet && (o.Interactive || isTerminal(o.In))
}

// takeTerminal makes every key arrive at once and unchanged, if the keys come from a terminal, and returns how to give
// the terminal back.
func (o Options) takeTerminal() (restore func() error, err error) {
	in, ok := o.In.(*os.File)
	if !ok || !o.takesKeys() || !isTerminal(in) {
		return func() error { return nil }, nil
	}
	fmt.Fprintln(o.Err, Help)
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("prepare the terminal: %w", err)
	}
	return func() error {
		if isTerminal(o.Out) {
			// The guest may have left colours on, or the cursor hidden.
			fmt.Fprint(o.Out, "\x1b[0m\x1b[?25h\r\n")
		}
		return term.Restore(int(in.Fd()), before)
	}, nil
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
