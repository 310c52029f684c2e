package pid1

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/console"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/initramfs/shell"
)

// shellEvent is what happened to the shell of a console: it is ready for its
// first command and listens on control, or it has ended.
type shellEvent struct {
	console string
	control *os.File
	ended   service.Ended
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
// returns how many there are.
func (s *shells) start(ctx context.Context) (kept int) {
	for _, name := range s.boot.consoles.Names() {
		svc := service.Service{
			Name: shellService(name),
			Run: func(context.Context) error {
				s.boot.services.Started(shellService(name), uptime())
				return s.run(name)
			},
		}
		if s.boot.args.Skips(svc.Name) {
			s.boot.say("service %s: skipped, as the kernel command line says", svc.Name)
			continue
		}
		kept++
		go service.Keep(ctx, svc, clock{s.boot}, func(e service.Ended) {
			s.boot.services.Ended(e, uptime())
			s.events <- shellEvent{console: name, ended: e}
		})
	}
	return kept
}

// shellService is the name of the service that is the shell of a console.
func shellService(console string) string { return "shell:" + console }

// run runs one shell until it ends.
func (s *shells) run(name string) error {
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
		Env:   environment(name),
		Files: []*os.File{tty, tty, tty, theirs},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	})
	theirs.Close()
	if err != nil {
		return err
	}
	go s.listen(name, ours)
	return exitError(child.Wait())
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
func environment(name string) []string {
	term := "vt102"
	if console.IsScreen(name) {
		term = "linux"
	}
	return []string{"HOME=/root", "PATH=/bin", "USER=root", "TERM=" + term, shell.ControlVariable + "=3"}
}

// exitError puts a process's status into words; nil for success.
func exitError(status syscall.WaitStatus) error {
	switch {
	case status.Signaled():
		return fmt.Errorf("killed by signal %d (%v)", status.Signal(), status.Signal())
	case status.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return nil
}
