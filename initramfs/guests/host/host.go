package host

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/input"
	"github.com/rayos/rayboot/presentation/screen"
)

// onMachine is what a host needs of the machine.
type onMachine interface {
	missing(guest.Name) error                  // why a guest cannot be started, as far as a short look tells
	prepare(guest.Name) (guest.Machine, error) // makes what a start needs
	folder(guest.Name) string                  // for a guest's files
	memory() (meminfo, error)
}

// Bounds of what is told within [tellSpan]: lines for consoles, and complaints about guests for the log.
const (
	mostTold       = 200
	mostComplaints = 50
)

// Host runs the guests of a machine.
type Host struct {
	machine  onMachine
	tell     *teller // for all consoles and the log
	complain *teller // for the log alone
	hasKVM   func() bool
	suits    func(tree guest.Tree, kvm bool) error // whether QEMU is one that can do it

	services *service.Supervisor
	guests   []*hosted // in their order
	screen   *lazyScreen
	display  *display.Display
	shown    *shown
	keys     *keys
}

// config is what a host is made from.
type config struct {
	machine  onMachine
	guests   []guest.Config
	tell     io.Writer // lines for all consoles and the log
	log      io.Writer // lines for the log alone
	find     func() (screen.Screen, error)
	open     func() (devices, error)
	hasKVM   func() bool
	suits    func(tree guest.Tree, kvm bool) error
	launcher service.Launcher
}

func newHost(c config) (*Host, error) {
	h := &Host{machine: c.machine, tell: newTeller(c.tell, mostTold), complain: newTeller(c.log, mostComplaints), hasKVM: c.hasKVM, suits: c.suits}
	console := newTeller(c.log, 0) // the supervisor bounds what a guest says
	h.services = service.New(service.Config{
		Clock: clock{}, Launch: c.launcher, Log: func(name, line string) { console.line(guests.Line(name, line)) },
	})
	h.screen = newLazyScreen(c.find)
	h.shown = newShown(h.tell, func() { h.keys.changed() })
	h.display = display.New(h.screen, h.shown.emit, func(err error) { h.complain.say("%v", err) })
	h.keys = newKeys(c.open, h.listener, h.chord, func(err error) { h.complain.say("keyboard and mouse: %v", err) })
	for _, config := range c.guests {
		g := &hosted{host: h, config: config}
		if err := h.services.Add(g.spec()); err != nil {
			return nil, err
		}
		h.guests = append(h.guests, g)
	}
	return h, nil
}

// clock is the time that guests are kept by.
type clock struct{}

func (clock) Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// service is how the QEMU of a guest stands.
func (h *Host) service(name string) service.State {
	for _, s := range h.services.States() {
		if s.Name == name {
			return s
		}
	}
	return service.State{}
}

func (h *Host) find(name string) (*hosted, error) {
	var names []string
	for _, g := range h.guests {
		if g.name() == name {
			return g, nil
		}
		names = append(names, g.name())
	}
	return nil, fmt.Errorf("there is no guest %q; there are %s", name, strings.Join(names, " and "))
}

// room fails where a guest has no room in the machine's memory.
func (h *Host) room(c guest.Config) error {
	memory, err := h.machine.memory()
	if err != nil {
		return err
	}
	var running []guest.Config
	for _, g := range h.guests {
		if g.config.Name != c.Name && h.service(g.name()).Running {
			running = append(running, g.config)
		}
	}
	return memory.fits(c, running)
}

// autostart starts the guests that are to be started with the machine.
func (h *Host) autostart() {
	for _, g := range h.guests {
		if !g.config.Autostart {
			continue
		}
		if err := g.start(); err != nil {
			h.tell.say("guest %s is not started: %v", g.name(), err)
		}
	}
}

// stopAll ends all guests, within [powerdownGrace] and some more.
func (h *Host) stopAll() {
	var all sync.WaitGroup
	for _, g := range h.guests {
		if h.service(g.name()).Running {
			all.Go(func() {
				if g.powerdown() == nil {
					g.setEnding(true)
					g.finish(endGrace)
				}
			})
		}
	}
	all.Wait()
	if err := h.services.StopAll(context.Background()); err != nil {
		h.tell.say("%v", err)
	}
}

// endGrace is how long guests have to end with the machine.
const endGrace = 20 * time.Second

// listener is the guest that gets keys and movements; nil is none.
func (h *Host) listener() input.Guest {
	if g, err := h.find(h.shown.guest()); err == nil {
		return g
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// guestEnded puts the end of a guest into words.
func guestEnded(e service.Ended) string {
	return "guest " + strings.TrimPrefix(e.String(), "service ")
}
