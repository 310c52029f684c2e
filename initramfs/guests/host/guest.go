package host

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/preflight"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/presentation/input"
	"github.com/rayos/rayboot/presentation/qmp"
)

// Times of a guest's end.
const (
	powerdownGrace = 30 * time.Second // for its system to end, once it was asked
	stopGrace      = 5 * time.Second  // for its QEMU to end, once that was asked
	lookEvery      = 100 * time.Millisecond
)

// hosted is a guest of the machine.
type hosted struct {
	host   *Host
	config guest.Config

	mu       sync.Mutex
	kvm      bool // this run is on KVM
	noKVM    bool // KVM does not work for this guest
	ending   bool // its system was asked to end
	monitor  *qmp.Client
	keyboard *input.Monitor
	asked    time.Time // when keyboard was made or refreshed
	looked   time.Time // when it was found out what is missing
	lacks    error     // what is missing
}

// lookAge is how long is believed what is missing for a guest.
const lookAge = 10 * time.Second

// missing says why the guest cannot be started. The lock is held.
func (g *hosted) missing() error {
	if g.looked.IsZero() || time.Since(g.looked) > lookAge {
		g.lacks, g.looked = g.host.machine.missing(g.config.Name), time.Now()
	}
	return g.lacks
}

func (g *hosted) name() string { return string(g.config.Name) }

// spec is the service that keeps the guest's QEMU.
func (g *hosted) spec() service.Spec {
	s := service.Spec{
		Name: g.name(), Restart: service.OnFailure, Stop: stopGrace, OnStart: g.started, OnEnd: g.ended,
		Limit:   service.Limit{Restarts: g.config.Restarts, Within: g.config.Within},
		Process: &service.Process{Command: g.command},
	}
	if g.config.Restarts == 0 {
		s.Restart = service.Never
	}
	return s
}

// command prepares a start of QEMU.
func (g *hosted) command() (argv, env []string, err error) {
	m, err := g.host.machine.prepare(g.config.Name)
	if err != nil {
		return nil, nil, err
	}
	g.mu.Lock()
	g.kvm = !g.noKVM && g.host.hasKVM()
	m.KVM = g.kvm
	g.mu.Unlock()
	if err := g.host.suits(m.Tree, m.KVM); err != nil {
		return nil, nil, err
	}
	return append(m.Tree.Command(), g.config.Args(m)...), m.Tree.Env(), nil
}

// start starts the guest, if it does not run.
func (g *hosted) start() error {
	if s := g.host.service(g.name()); s.Running || s.Condition == service.Waits {
		return nil
	}
	if err := g.host.machine.missing(g.config.Name); err != nil {
		return err
	}
	if err := g.host.room(g.config); err != nil {
		return err
	}
	g.setEnding(false)
	return g.host.services.Start(g.name())
}

func (g *hosted) setEnding(ending bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = ending
}

// started is told that QEMU runs.
func (g *hosted) started(pid int) {
	g.mu.Lock()
	how := "in software emulation"
	if g.kvm {
		how = "on KVM"
	}
	g.mu.Unlock()
	g.host.tell.say("guest %s: started %s, with %d MiB of memory and %s", g.name(), how, g.config.MemoryMiB, plural(g.config.CPUs, "processor"))
	go g.connect(pid)
}

// ended is told that QEMU has ended by itself, before it is started again.
func (g *hosted) ended(e service.Ended) {
	g.mu.Lock()
	again := e.Next == service.Waits
	if g.kvm && e.Err != nil && e.Failing && !g.ending {
		g.noKVM = true
		g.host.tell.say("guest %s: QEMU does not run on KVM here; from now on it is emulated in software", g.name())
	}
	g.mu.Unlock()
	g.host.tell.say("%s", guestEnded(e))
	if !again {
		g.host.leave(g.name())
	}
}

// stop asks the guest's system to end, and ends it when it has not after some time, or at once with force.
func (g *hosted) stop(force bool) error {
	s := g.host.service(g.name())
	if !s.Running && s.Condition != service.Waits {
		return errors.New("guest " + g.name() + " does not run")
	}
	g.setEnding(true)
	if !force && s.Running {
		if err := g.powerdown(); err == nil {
			go g.finish(powerdownGrace)
			return nil
		}
	}
	go g.finish(0)
	return nil
}

// powerdown presses the guest's power button.
func (g *hosted) powerdown() error {
	g.mu.Lock()
	client := g.monitor
	g.mu.Unlock()
	if client == nil {
		return errors.New("its monitor is not there yet")
	}
	ctx, cancel := context.WithTimeout(context.Background(), monitorTimeout)
	defer cancel()
	return client.Execute(ctx, "system_powerdown", nil, nil)
}

// finish ends a guest that is to end within that time.
func (g *hosted) finish(within time.Duration) {
	for deadline := time.Now().Add(within); time.Now().Before(deadline) && g.host.service(g.name()).Condition == service.Runs; {
		time.Sleep(lookEvery)
	}
	s := g.host.service(g.name())
	if s.Condition == service.Runs && within > 0 {
		g.host.tell.say("guest %s: its system has not ended within %v and is ended without being asked", g.name(), within)
	}
	if err := g.host.services.Stop(context.Background(), g.name()); err != nil {
		g.host.tell.say("guest %s: %v", g.name(), err)
	}
	g.host.leave(g.name())
	g.setEnding(false)
}

// state is how the guest stands, as far as its QEMU tells.
func (g *hosted) state(now time.Duration) guests.State {
	s := g.host.service(g.name())
	g.mu.Lock()
	defer g.mu.Unlock()
	to := guests.State{
		Name: g.name(), Running: s.Running, PID: s.PID, KVM: g.kvm && s.Running, Starts: s.Starts, For: now - s.Since, Problem: s.LastEnd,
		Autostart: g.config.Autostart, MemoryMiB: g.config.MemoryMiB, CPUs: g.config.CPUs,
	}
	switch s.Condition {
	case service.Runs:
		to.Condition = guests.Runs
		if g.ending {
			to.Condition = guests.Stopping
		}
	case service.Waits:
		to.Condition = guests.Waits
	case service.Stops:
		to.Condition = guests.Stopping
	case service.Failed:
		to.Condition = guests.Failed
	default:
		to.Condition = guests.Stopped
		if err := g.missing(); err != nil {
			to.Condition, to.Problem = guests.Missing, err.Error()
		}
	}
	return to
}

// suitsWithin bounds how long QEMU takes to tell its version, also from a slow disk.
const suitsWithin = time.Minute

// suits asks QEMU for its version, before it ends with an error that says less.
func suits(tree guest.Tree, kvm bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), suitsWithin)
	defer cancel()
	return preflight.Check(ctx, tree.Command(), tree.Env(), kvm)
}

// hasKVM reports whether the kernel gives virtual machines the processor itself. Whether one runs then is seen when it does.
func hasKVM() bool {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}
