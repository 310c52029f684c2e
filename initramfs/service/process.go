package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// BeatVariable names the environment variable with the number of the descriptor to
// which a service with a [Spec.Beat] writes a byte as a sign of life.
const BeatVariable = "RAYOS_BEAT_FD"

const (
	killTimeout = 2 * time.Second // how long processes take to be gone when they are killed
	lastWords   = time.Second     // how long is waited for the end of the output, behind that of the program
	firstFile   = 3               // descriptor of the first of Process.Files
)

// running is one run of a program.
type running struct {
	unit   *unit
	pid    int
	group  *cgroup // nil without control groups
	ended  chan struct{}
	status syscall.WaitStatus
	err    error // why the status is not known
}

// runProcess runs the service's program until it ends, or ends it when the context
// does.
func (u *unit) runProcess(ctx context.Context, out *output, started func(pid int)) (err error) {
	argv, env, err := u.spec.Process.command()
	if err != nil {
		return err
	}
	group, err := openCgroup(u.config.Cgroups, u.spec.Name, u.spec.Process.Limits)
	if err != nil {
		fmt.Fprintf(out, "%v; the service runs without limits\n", err)
	}
	defer func() { err = errors.Join(err, group.remove()) }()
	pipes, err := u.pipes()
	if err != nil {
		return err
	}
	r, err := u.launch(argv, env, pipes, group)
	pipes.closeTheirs()
	if err != nil {
		return errors.Join(err, pipes.close())
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(out, pipes.output) // ends with the writers, or with the deadline
	}()
	started(r.pid)
	if u.spec.OnStart != nil {
		u.spec.OnStart(r.pid)
	}
	beats := u.listen(pipes.beat)
	r.wait(ctx)
	r.sweep()
	pipes.finish(time.Now().Add(lastWords))
	<-copied
	<-beats // the last one may have come with the end
	return errors.Join(r.end(), pipes.close())
}

// command is what is run this time, and its environment.
func (p *Process) command() (argv, env []string, err error) {
	argv, env = append([]string{p.Path}, p.Args...), p.Env
	if p.Command != nil {
		if argv, env, err = p.Command(); err != nil {
			return nil, nil, err
		}
	}
	if len(argv) == 0 || !strings.HasPrefix(argv[0], "/") {
		return nil, nil, fmt.Errorf("%q begins with no absolute path of a program", argv)
	}
	return argv, env, nil
}

// launch starts the program.
func (u *unit) launch(argv, env []string, p *pipes, group *cgroup) (*running, error) {
	attr := &os.ProcAttr{
		Dir: u.spec.Process.Dir, Env: environment(env, p), Files: p.theirs,
		Sys: &syscall.SysProcAttr{Setsid: true},
	}
	if attr.Dir == "" {
		attr.Dir = "/"
	}
	group.attach(attr.Sys)
	path := argv[0]
	pid, wait, err := u.config.Launch(path, append([]string{filepath.Base(path)}, argv[1:]...), attr)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	r := &running{unit: u, pid: pid, group: group, ended: make(chan struct{})}
	go func() {
		r.status, r.err = wait()
		close(r.ended)
	}()
	if n := u.spec.Process.Limits.OpenFiles; n > 0 {
		err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n}, nil)
		if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended already
			return r, r.giveUp(fmt.Errorf("limit the files of %s: %w", path, err))
		}
	}
	return r, nil
}

// giveUp ends a program that could not be set up.
func (r *running) giveUp(err error) error {
	r.signal(unix.SIGKILL)
	<-r.ended
	return err
}

// environment adds to what the program is given.
func environment(env []string, p *pipes) []string {
	if env == nil {
		env = []string{"HOME=/root", "PATH=/bin", "USER=root"}
	}
	if p.beat != nil {
		env = append(env[:len(env):len(env)], BeatVariable+"="+strconv.Itoa(len(p.theirs)-1))
	}
	return env
}

// listen hears the service's signs of life until their pipe is closed.
func (u *unit) listen(beat *os.File) (done <-chan struct{}) {
	closed := make(chan struct{})
	dog := u.config.Watchdog
	if beat == nil || dog == nil {
		close(closed)
		return closed
	}
	dog.Watch(u.spec.Name, u.spec.Beat)
	go func() {
		defer close(closed)
		defer dog.Forget(u.spec.Name)
		some := make([]byte, 64)
		for {
			if n, _ := beat.Read(some); n == 0 {
				return
			}
			dog.Beat(u.spec.Name)
		}
	}()
	return closed
}

// wait waits for the program's end. When the context ends it asks the program to end,
// and then makes it.
func (r *running) wait(ctx context.Context) {
	select {
	case <-r.ended:
		return
	case <-ctx.Done():
	}
	r.signal(unix.SIGTERM)
	timer := time.NewTimer(r.unit.spec.Stop)
	defer timer.Stop()
	select {
	case <-r.ended:
	case <-timer.C:
		r.signal(unix.SIGKILL)
		<-r.ended
	}
}

// signal sends a signal to the program and what it has started. That they are gone
// already is no error.
func (r *running) signal(s syscall.Signal) { _ = unix.Kill(-r.pid, s) }

// sweep ends what the program has left behind.
func (r *running) sweep() {
	r.signal(unix.SIGKILL)
	r.group.kill()
}

// end puts the program's end into words; nil for success.
func (r *running) end() error {
	switch {
	case r.err != nil:
		return fmt.Errorf("wait for process %d: %w", r.pid, r.err)
	case r.status.Signaled() && r.group.outOfMemory():
		return fmt.Errorf("killed by the kernel, as it used more than its %d bytes of memory", r.unit.spec.Process.Limits.MemoryBytes)
	}
	return ExitError(r.status)
}

// ExitError puts a process's status into words; nil for success.
func ExitError(status syscall.WaitStatus) error {
	switch {
	case status.Signaled():
		return fmt.Errorf("killed by signal %d (%v)", status.Signal(), status.Signal())
	case status.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return nil
}
