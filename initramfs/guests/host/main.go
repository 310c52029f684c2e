package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/presentation/screen"
	"github.com/rayos/rayboot/presentation/vhostgpu"
)

// Main is the program. It works until it is told to end by SIGTERM.
func Main(_ []string, _ io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	syscall.CloseOnExec(guests.TellFD) // its end tells process 1 of ours
	tell := os.NewFile(guests.TellFD, "tell")
	if _, err := tell.Stat(); err != nil {
		fmt.Fprintf(stderr, "%s: process 1 starts this program; see the commands guest and show\n", guests.Service)
		return 2
	}
	if err := run(ctx, newMachine("/"), tell, stdout); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", guests.Service, err)
		return 1
	}
	return 0
}

// run runs the guests of a machine until ctx ends.
func run(ctx context.Context, m *machine, tell, log io.Writer) error {
	settings, wrong := m.settings()
	c := config{
		machine: m, tell: tell, log: log, open: openDevices, hasKVM: hasKVM, suits: suits, launcher: service.Direct,
		find: func() (screen.Screen, error) { return screen.Find("") },
	}
	for _, name := range guest.Names() {
		c.guests = append(c.guests, settings[name])
	}
	h, err := newHost(c)
	if err != nil {
		return err
	}
	if wrong != nil {
		h.tell.say("guests: %v; the guests have the default settings", wrong)
	}
	listener, err := packet.Listen(m.path(guests.SocketPath))
	if err != nil {
		return err
	}
	work, end := context.WithCancel(context.Background()) // until the guests have ended
	defer end()
	if err := h.serveDisplays(work); err != nil {
		return err
	}
	go h.keys.run(work)
	asked := make(chan error, 1)
	go func() { asked <- listener.Serve(h.Answer) }()
	h.autostart()
	select {
	case <-ctx.Done():
		err = errors.Join(listener.Close(), <-asked)
	case err = <-asked:
	}
	h.stopAll()
	h.hide()
	return errors.Join(err, h.screen.Close())
}

// serveDisplays waits for the QEMUs of guests whose screens are ours, one after the other of each guest.
func (h *Host) serveDisplays(ctx context.Context) error {
	for _, g := range h.guests {
		if g.config.Name != guest.Linux {
			continue
		}
		folder := h.machine.folder(g.config.Name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		path := filepath.Join(folder, displaySocket)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a program before this one
			return err
		}
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return err
		}
		go h.serveDisplay(ctx, g, listener)
	}
	return nil
}

func (h *Host) serveDisplay(ctx context.Context, g *hosted, listener *net.UnixListener) {
	for {
		conn, err := listener.AcceptUnix()
		if err == nil {
			err = vhostgpu.Serve(ctx, conn, g.name(), h.display.Source(g.name()), func(err error) { h.complain.say("guest %s: %v", g.name(), err) })
		}
		if err != nil {
			h.complain.say("the screen of guest %s: %v", g.name(), err)
			time.Sleep(time.Second) // what is wrong may be over then
		}
	}
}
