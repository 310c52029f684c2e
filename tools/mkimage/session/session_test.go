package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/tools/mkimage/qemu/qemutest"
)

// patience bounds what must not hang; nothing here takes long.
const patience = 20 * time.Second

const shellReady = "[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos"

// markerOption makes the guest send the marker at once.
const markerOption = "-marker"

// TestMain plays a guest that greets and then obeys keys: m sends a marker, p powers off, anything else is echoed.
func TestMain(m *testing.M) {
	qemutest.Main(m, func(serial io.ReadWriter) {
		fmt.Fprint(serial, "\x1b[2J\x1b[01;01Hready\r\n")
		if slices.Contains(os.Args, markerOption) {
			fmt.Fprint(serial, shellReady+"\r\n")
		}
		key := make([]byte, 1)
		for {
			if _, err := serial.Read(key); err != nil {
				return
			}
			switch key[0] {
			case 'm':
				fmt.Fprint(serial, shellReady+"\r\n")
			case 'p':
				fmt.Fprint(serial, "bye\r\n")
				return
			default:
				fmt.Fprintf(serial, "%q\r\n", key)
			}
		}
	})
}

func TestRun(t *testing.T) {
	const ready, marker, bye = "ready\n", shellReady + "\n", "bye\n"
	for _, c := range []struct {
		name    string
		keys    string // with any, the session is interactive
		extra   string // argument of the emulator
		until   string
		timeout time.Duration
		want    error
		out     string // not compared if empty
	}{
		{name: "power off", keys: "p", out: ready + bye},
		{name: "marker", extra: markerOption, until: "SHELL_READY", out: ready + marker},
		{name: "marker by its ID", extra: markerOption, until: "RAYOS_BOOT_MARKER:SHELL_READY", out: ready + marker},
		{name: "on after the marker", keys: "mp", until: "SHELL_READY", out: ready + marker + bye},
		{name: "end before the marker", keys: "p", until: "SHELL_READY", want: ErrNotReached, out: ready + bye},
		{name: "another marker", keys: "mp", until: "GOLDEN", want: ErrNotReached, out: ready + marker + bye},
		{name: "time-out", until: "SHELL_READY", timeout: 50 * time.Millisecond, want: ErrNotReached},
		{name: "time-out without a marker", timeout: 50 * time.Millisecond, want: ErrNotReached},
		{name: "leave", keys: "\x01x"},
		{name: "leave before the marker", keys: "\x01x", until: "SHELL_READY", want: context.Canceled},
		{name: "Ctrl-C is the guest's", keys: "\x03p", out: ready + "\"\\x03\"\n" + bye},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			machine := qemutest.Machine(t)
			machine.Extra = []string{c.extra}
			err := Run(ctx, Options{
				Machine: machine, Until: c.until, Timeout: c.timeout, Interactive: c.keys != "",
				In: strings.NewReader(c.keys), Out: &out, Err: io.Discard,
			})
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if c.out != "" && out.String() != c.out {
				t.Errorf("console shows %q, want %q", out.String(), c.out)
			}
		})
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }) // as soon as the guest is up
	err := Run(ctx, Options{Machine: qemutest.Machine(t), Interactive: true, In: strings.NewReader(""), Out: out})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestBrokenOutput(t *testing.T) {
	broken := errors.New("disk full")
	out := writerFunc(func([]byte) (int, error) { return 0, broken })
	err := Run(t.Context(), Options{Machine: qemutest.Machine(t), Interactive: true, In: strings.NewReader("p"), Out: out})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

func TestKeyFilter(t *testing.T) {
	for _, c := range []struct {
		name        string
		interactive bool
		in          string
		forward     string
		actions     []action
	}{
		{"plain keys", false, "j\x1b[B\r", "j\x1b[B\r", nil},
		{"leave", true, "ab\x01x", "ab", []action{actionLeave}},
		{"help, then leave", true, "\x01hab\x01X", "ab", []action{actionHelp, actionLeave}},
		{"Ctrl-A itself", true, "\x01\x01b", "\x01b", nil},
		{"unknown after Ctrl-A", true, "\x01qb", "b", nil},
		{"Ctrl-C interrupts", false, "a\x03", "a", []action{actionInterrupt}},
		{"Ctrl-C goes through", true, "a\x03b", "a\x03b", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := range len(c.in) { // in one read and in two
				k := keyFilter{interactive: c.interactive}
				var forward []byte
				var actions []action
				for _, in := range [][]byte{[]byte(c.in[:cut]), []byte(c.in[cut:])} {
					for len(in) > 0 {
						more, a, rest := k.filter(in)
						forward, in = append(forward, more...), rest
						if a != actionNone {
							actions = append(actions, a)
						}
					}
				}
				if string(forward) != c.forward || !slices.Equal(actions, c.actions) {
					t.Errorf("cut at %d: forwards %q, actions %v; want %q, %v", cut, forward, actions, c.forward, c.actions)
				}
			}
		})
	}
}

func TestWatcher(t *testing.T) {
	w := newWatcher("SHELL_READY")
	for _, text := range []string{strings.Repeat("x", 3*maxLineBytes), "\nmenu " + shellReady[:20], shellReady[20:]} {
		w.feed([]byte(text))
		if w.seen() {
			t.Fatalf("seen after %q", text)
		}
	}
	w.feed([]byte("\n"))
	if !w.seen() {
		t.Error("not seen")
	}
	w.feed([]byte(shellReady + "\n")) // a second one does no harm
}
