package pid1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/console"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/initramfs/shell"
)

// shellEvent is that the shell of a console is ready for its first command and listens on
// control.
type shellEvent struct {
	console string
	control *os.File
}

// shells keeps one shell on each console.
type shells struct {
	boot   *boot
	events chan shellEvent
	ready  map[string]*os.File // control channels; used by the main loop only

	mu    sync.Mutex
	first map[string]*unix.Termios // terminal settings at the first start
}

// start begins to keep a shell on every console that is not to be skipped, and
// returns how many there are. A shell is started again for ever: without one, nobody can
// mend the machine.
func (s *shells) start() (kept int) {
	for _, name := range s.boot.consoles.Names() {
		spec := service.Spec{
			Name: shellService(name), Restart: service.Always, Limit: service.Limit{Restarts: -1},
			Run: func(ctx context.Context, _ io.Writer) error { return s.run(ctx, name) },
		}
		if s.boot.args.Skips(spec.Name) {
			s.boot.say("service %s: skipped, as the kernel command line says", spec.Name)
			continue
		}
		kept++
		if err := errors.Join(s.boot.services.Add(spec), s.boot.services.Start(spec.Name)); err != nil {
			s.boot.warn("%v", err)
		}
	}
	return kept
}

const shellPrefix = "shell:"

// shellService is the name of the service that is the shell of a console.
func shellService(console string) string { return shellPrefix + console }

// run runs one shell until it ends.
func (s *shells) run(ctx context.Context, name string) error {
	tty, err := os.OpenFile(filepath.Join(s.boot.root, "dev", name), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer tty.Close()
	if err := s.settings(name, tty); err != nil {
		return err
	}
	ours, theirs, err := controlChannel()
	if err != nil {
		return err
	}
	defer ours.Close()
	child, err := s.boot.children.Start(s.boot.program, []string{"sh"}, &os.ProcAttr{
		Dir:   filepath.Join(s.boot.root, "root"),
		Env:   s.boot.environment(name),
		Files: []*os.File{tty, tty, tty, theirs},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	theirs.Close()
	if err != nil {
		return err
	}
	go s.listen(name, ours)
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- child.Wait() }()
	return service.ExitError(terminate(ctx, child.PID, ended))
}

// listen hears what a shell has to say: its first byte says that it is ready, each
// later one answers a ping. A shell that has ended has closed the channel.
func (s *shells) listen(name string, control *os.File) {
	one := make([]byte, 1)
	if n, _ := control.Read(one); n == 0 {
		return
	}
	s.events <- shellEvent{console: name, control: control}
	for {
		s.boot.guard.Beat(serviceShell)
		if n, _ := control.Read(one); n == 0 {
			return
		}
	}
}

// settings gives the terminal the settings that it had at first: a shell that
// was killed leaves them as it needs them for editing a line.
func (s *shells) settings(name string, tty *os.File) error {
	fd := int(tty.Fd())
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.first[name]; ok {
		return unix.IoctlSetTermios(fd, unix.TCSETS, first)
	}
	first, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read terminal settings: %w", err)
	}
	s.first[name] = first
	return nil
}

// refresh lets all ready shells show their prompts again.
func (s *shells) refresh() {
	for _, control := range s.ready {
		refresh(control)
	}
}

// refresh lets a shell show its prompt. One that has just ended cannot be told;
// its end is the next event.
func refresh(control *os.File) { _, _ = control.Write([]byte{shell.Refresh}) }

// ping asks a shell for a sign of life.
func ping(control *os.File) { _, _ = control.Write([]byte{shell.Ping}) }

// controlChannel is the pair of sockets between process 1 and a shell.
func controlChannel() (ours, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("control channel: %w", err)
	}
	return os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control"), nil
}

// environment is what a shell on that console starts with.
func (b *boot) environment(name string) []string {
	term := "vt102"
	if console.IsScreen(name) {
		term = "linux"
	}
	env := []string{"HOME=/root", "PATH=/bin", "USER=root", "TERM=" + term, shell.ControlVariable + "=3"}
	if b.args.Install {
		env = append(env, shell.StartVariable+"="+installDialog)
	}
	return env
}
