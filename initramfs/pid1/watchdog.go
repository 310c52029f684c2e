package pid1

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// watchdogGroup is the module group of the watchdogs' drivers.
const watchdogGroup = "watchdog"

// The services that must be alive for the watchdog to be fed, and how long each may
// be silent.
const (
	serviceBringUp = "bring-up" // up to SUBSYSTEMS_READY; its only sign of life is its end
	serviceInit    = "init"     // the main loop
	serviceShell   = "shell"    // one shell at least answers

	bringUpDeadline = time.Minute // besides the time that the boot disk is waited for
	initDeadline    = 30 * time.Second
	shellDeadline   = time.Minute // one that fails is started again after 30 s at the latest

	beatPeriod = 5 * time.Second
)

// guard is the watchdog as process 1 has it.
type guard struct {
	*watchdog.Guard
	module string                                      // that drives what the boot manager has armed; "" for nothing
	open   func(watchdog.Info) (watchdog.Timer, error) // nil outside of tests
	told   chan struct{}                               // a line was written, and prompts are to be shown again
	lines  chan leveled                                // for the log
	record atomic.Pointer[recordPlace]                 // nil until it is known, and where there is no attempt
}

// leveled is a line for the log.
type leveled struct {
	level   raylog.Level
	text    string
	written chan struct{} // closed when it is written, if not nil
}

// recordPlace is where the boot-state record of this machine lies.
type recordPlace struct{ device, installID string }

// makeGuard makes the guard, which watches nothing yet.
func (b *boot) makeGuard() {
	b.guard.told, b.guard.lines = make(chan struct{}, 1), make(chan leveled, maxBeside)
	b.guard.Guard = watchdog.New(watchdog.Config{
		Now: b.now, Find: b.findWatchdog, Act: b.timeIsUp,
		Say:  func(text string) { b.warnBeside("%s", text) },
		Emit: func(m markers.Emitter) { b.tellBeside(raylog.Info, m.Marker().String()) },
	})
}

// startGuard has the guard feed the watchdog and answer commands until the machine
// is off: beside all else, so that it can say what hangs.
func (b *boot) startGuard() {
	go b.guard.Run(context.Background())
	go func() {
		for l := range b.guard.lines {
			b.log(l.level, l.text)
			if l.written != nil {
				close(l.written)
			}
		}
	}()
	listener, err := watchdog.Listen(b.root)
	if err != nil {
		b.warn("%v; the command watchdog does not work", err)
		return
	}
	go b.guard.Serve(listener)
}

// maxBeside is how many lines may wait for the log.
const maxBeside = 64

// tellBeside writes a line from beside the main loop, and has that show the
// prompts again. It never waits for the log: if the disk hangs, the guard has the
// more to do. What does not come into the log then stands on the consoles.
func (b *boot) tellBeside(level raylog.Level, line string) {
	b.print(line)
	select {
	case b.guard.lines <- leveled{level: level, text: line}:
	default:
	}
	select {
	case b.guard.told <- struct{}{}:
	default: // it will, already
	}
}

// warnBeside is tellBeside for people, and for what goes wrong.
func (b *boot) warnBeside(format string, args ...any) {
	b.tellBeside(raylog.Warn, "rayos: "+fmt.Sprintf(format, args...))
}

// findWatchdog finds the timer that the boot manager has armed, or else the one
// that it would.
func (b *boot) findWatchdog() (watchdog.Source, error) {
	all, problem := watchdog.List(b.root)
	info, err := watchdog.Choose(all, b.guard.module)
	if err != nil {
		return watchdog.Source{}, errors.Join(err, problem)
	}
	return watchdog.Source{Module: info.Module(), Open: func() (watchdog.Timer, error) { return b.openWatchdog(info) }}, nil
}

func (b *boot) openWatchdog(info watchdog.Info) (watchdog.Timer, error) {
	if b.guard.open != nil {
		return b.guard.open(info)
	}
	return info.Open()
}

// takeOverWatchdog feeds the watchdog that the boot manager has armed. That comes
// before all that may hang. It loads the drivers even in safe mode: a machine whose watchdog nobody
// feeds is reset.
func (b *boot) takeOverWatchdog() {
	b.makeGuard()
	b.startGuard()
	b.setPolicy()
	if b.guard.module == "" {
		return
	}
	if b.args.Skips(watchdogGroup) {
		b.warn("the boot manager has armed the watchdog %s, which resets the machine: the kernel command line has rayos.skip=%s, so nobody feeds it; take watchdog.open_timeout from it as well",
			b.guard.module, watchdogGroup)
		return
	}
	if b.args.Safe {
		b.say("safe mode: the modules of %s are loaded all the same, as the boot manager has armed the watchdog", watchdogGroup)
	}
	b.guard.Watch(serviceBringUp, bringUpDeadline+b.args.DiskWait)
	b.loadModules(func(m module) bool { return m.group == watchdogGroup })
	if err := b.armTakenOver(); err != nil {
		b.warn("%v; it is looked for again when all drivers are loaded", err)
	}
}

// setPolicy takes what is to be done when time is up from the kernel command line.
func (b *boot) setPolicy() {
	if b.args.OnTimeout == "" {
		return
	}
	p, err := watchdog.ParsePolicy(b.args.OnTimeout)
	if err == nil {
		err = b.guard.SetPolicy(p)
	}
	if err != nil {
		b.warn("kernel parameter rayos.watchdog_policy: %v; the policy is %s", err, b.guard.Status().Policy)
	}
}

func (b *boot) armTakenOver() error {
	if err := b.guard.Arm(markers.ArmedTakeover); err != nil {
		return fmt.Errorf("take over the watchdog %s that the boot manager has armed: %w", b.guard.module, err)
	}
	b.guard.Tick() // the first feed
	return nil
}

// retryWatchdog tries to take over what could not be taken over at first.
func (b *boot) retryWatchdog() {
	if b.guard.module == "" || b.args.Skips(watchdogGroup) || b.guard.Status().State != watchdog.Disarmed.String() {
		return
	}
	if err := b.armTakenOver(); err != nil {
		b.warn("%v; it resets the machine, or nothing watches it", err)
	}
}

// stopOtherWatchdogs stops the timers that nobody feeds: with open_timeout the
// kernel feeds those that it found running only for so long, and then they reset the
// machine.
func (b *boot) stopOtherWatchdogs() {
	if !b.args.Has("watchdog.open_timeout") {
		return
	}
	all, err := watchdog.List(b.root)
	if err != nil {
		b.say("%v", err)
	}
	fed := ""
	if s := b.guard.Status(); s.State == watchdog.Armed.String() {
		fed = s.Device
	}
	for _, info := range all {
		if info.Module() == fed {
			continue
		}
		timer, err := b.openWatchdog(info)
		if err == nil {
			err = timer.Stop()
		}
		if err != nil {
			b.say("%v; nobody feeds this watchdog, and it may reset the machine", err)
		}
	}
}

// countTimeouts takes from the boot-state record how often in a row the watchdog
// has reset the machine.
func (b *boot) countTimeouts() {
	if b.attempt.open.Kind == record.NoAttempt {
		return
	}
	place := recordPlace{b.attempt.device, b.wanted.InstallID}
	b.guard.record.Store(&place)
	loaded, err := bootstate.Load(place.device, place.installID)
	if err != nil {
		b.warn("%v; the watchdog keeps its shortest time-out", err)
		return
	}
	b.guard.Count(loaded.Record.Backoff)
}

// upAndWatched ends the watch over bring-up and begins that over what follows.
func (b *boot) upAndWatched(shells int) {
	b.guard.Watch(serviceInit, initDeadline)
	if shells > 0 {
		b.guard.Watch(serviceShell, shellDeadline)
	}
	b.guard.Forget(serviceBringUp)
}

// beat is the main loop's sign of life; it asks the shells for theirs.
func (b *boot) beat(s *shells) {
	b.guard.Beat(serviceInit)
	for _, control := range s.ready {
		ping(control)
	}
}

// leaveWatchdog is the last that is done with the watchdog before the power
// command. Up to here it counted: a disk that takes no more data must not keep a
// machine up for ever. A machine that turns off stops it, as some timers go on
// without the processor and would turn the machine on again. One that restarts
// leaves it to the kernel, whose drivers of all timers that the boot manager arms
// stop them on the way down: should the kernel not come that far, the timer resets the
// machine, and this boot is closed already and counts as no failure.
func (b *boot) leaveWatchdog(command int) {
	if command != unix.LINUX_REBOOT_CMD_POWER_OFF {
		return
	}
	if err := b.guard.Disarm(); err != nil {
		b.warn("%v", err)
	}
}
