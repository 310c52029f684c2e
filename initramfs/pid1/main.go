package pid1

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// Signals that the commands poweroff and reboot send to process 1; the kernel
// sends Restart for Ctrl-Alt-Del too, as SIGINT.
const (
	SignalPowerOff = syscall.SIGUSR2
	SignalRestart  = syscall.SIGTERM
)

// Main is process 1. Its program must be /init, of which commands are the
// other names. It does not return: at the end the machine is off or restarts.
// Should Main end by a bug, the kernel panics and restarts the machine.
func Main(commands []string) int {
	b := &boot{root: "/", program: "/init", kernel: linux{}, begin: time.Now()}
	defer b.lastWords()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, SignalPowerOff, SignalRestart, syscall.SIGINT)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)

	b.bringUp()
	if err := b.linkCommands(commands); err != nil {
		b.warn("commands: %v", err)
	}
	b.shutdown(b.serve(signals, ended))
	return 1
}

// lastWords says why process 1 ends, where it should not, and leaves the rest
// to the kernel: it panics as process 1 is gone, and restarts the machine.
func (b *boot) lastWords() {
	p := recover()
	if p == nil {
		return
	}
	text := fmt.Sprintf("rayos: panic in process 1: %v\n%s\nrayos: the kernel panics now and restarts the machine", p, debug.Stack())
	b.log(raylog.Fatal, text)
	if b.consoles == nil || b.consoles.Line(text) != nil {
		fmt.Fprintln(os.Stderr, text)
	}
	b.kernel.Sync()
	os.Exit(2)
}

// linkCommands makes /bin/NAME for every command.
func (b *boot) linkCommands(commands []string) error {
	var problem error
	for _, name := range commands {
		link := filepath.Join(b.root, "bin", name)
		if err := os.Symlink(b.program, link); err != nil && !errors.Is(err, os.ErrExist) {
			problem = errors.Join(problem, err)
		}
	}
	return problem
}

// serve keeps the services running and follows the stages until the machine is
// to be turned off or restarted; it returns the command for reboot(2).
func (b *boot) serve(signals, ended <-chan os.Signal) (command int) {
	s := &shells{boot: b, events: make(chan shellEvent), ready: map[string]*os.File{}, first: map[string]*unix.Termios{}}
	b.serveServices()
	b.startServices()
	kept := s.start()
	if kept == 0 {
		b.warn("no console has a shell; Ctrl-Alt-Del restarts the machine")
	}
	b.upAndWatched(kept)
	b.watchButtons()
	beats := time.NewTicker(beatPeriod)
	defer beats.Stop()
	for {
		golden, stop := b.goldenTimer()
		select {
		case <-ended:
			if _, err := b.children.Reap(); err != nil {
				b.warn("%v", err)
			}
		case e := <-s.events:
			b.shellReady(s, e)
		case r := <-b.reports:
			if b.serviceReport(s, r) {
				stop()
				return unix.LINUX_REBOOT_CMD_RESTART
			}
		case <-golden:
			b.goldenDue(s)
		case <-beats.C:
			b.beat(s)
		case <-b.guard.told:
			s.refresh()
		case line := <-b.snapshot.news():
			b.line(line)
			s.refresh()
		case line := <-b.told:
			b.line(line)
			s.refresh()
		case <-b.pressed:
			stop()
			b.say("the power button was pressed")
			return unix.LINUX_REBOOT_CMD_POWER_OFF
		case sig := <-signals:
			stop()
			return powerCommand(sig)
		}
		stop()
	}
}

func powerCommand(sig os.Signal) int {
	if sig == SignalPowerOff {
		return unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	return unix.LINUX_REBOOT_CMD_RESTART
}

// goldenTimer fires when GOLDEN is due; never, while it is not waited for.
func (b *boot) goldenTimer() (fires <-chan time.Time, stop func()) {
	due, waiting := b.stages.Due(b.now())
	if !waiting {
		return nil, func() {}
	}
	timer := time.NewTimer(due)
	return timer.C, func() { timer.Stop() }
}

// goldenDue says that this boot is good, if it still is. Who relies on
// BOOT_SUCCESS relies on it that the boot manager will know.
func (b *boot) goldenDue(s *shells) {
	if !b.stages.Tick(b.now()) {
		return
	}
	lines := b.stageMarker(markers.Golden)
	if err := b.bless(); err != nil {
		lines += fmt.Sprintf("\nrayos: the boot manager cannot be told that this boot is good, and will count it as failed: %v", err)
	} else {
		lines += "\n" + markers.BootmgrBootSuccess{Entry: b.entry}.Marker().String()
		b.writeFacts("yes")
		b.guard.Count(0)
		defer b.snapshot.keep()
	}
	b.line(lines)
	if err := b.journal.flush(); err != nil { // what became of the boot is not to be lost
		b.warn("the log cannot be written: %v", err)
	}
	s.refresh()
}

// shellReady follows that a shell is ready for its first command.
func (b *boot) shellReady(s *shells, e shellEvent) {
	s.ready[e.console] = e.control
	if !b.stages.Reached(markers.ShellReady) {
		b.reach(markers.ShellReady)
		b.startSnapshot()
		b.startInstaller()
		b.startGuests()
		b.consoles.SetMidLine(true)
	}
	b.shellTrouble = false
	b.judgeHealth()
	refresh(e.control)
}
