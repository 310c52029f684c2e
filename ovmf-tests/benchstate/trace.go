package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
)

// maxSteps is more than any digest of longBytes takes.
const maxSteps = 100 << 20

// steps runs a program and counts the instructions that its first thread executes between two times SIGUSR1 (ptrace(2)).
func steps(ctx context.Context, program string, args []string) (n uint64, err error) {
	// One thread traces, and the child ends with it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec(program, append([]string{program}, args...), &syscall.ProcAttr{
		Env:   append(os.Environ(), "GODEBUG=cpu.avx=off,asyncpreemptoff=1", "GOGC=off"),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return 0, err
	}
	t := tracee{ctx: ctx, pid: pid}
	n, err = t.count()
	return n, errors.Join(err, t.kill())
}

// tracee is a child whose first thread is traced by this thread.
type tracee struct {
	ctx   context.Context
	pid   int
	ended bool // its process ID may be another's
}

func (t *tracee) count() (n uint64, err error) {
	if _, err := t.wait(syscall.SIGTRAP); err != nil { // its start
		return 0, err
	}
	if err := t.runTo(syscall.SIGUSR1); err != nil {
		return 0, err
	}
	for {
		if err := syscall.PtraceSingleStep(t.pid); err != nil {
			return 0, err
		}
		switch sig, err := t.wait(syscall.SIGTRAP, syscall.SIGURG, syscall.SIGUSR1); {
		case err != nil:
			return 0, err
		case sig == syscall.SIGTRAP:
			n++
		case sig == syscall.SIGUSR1:
			return n, t.end()
		}
		if n > maxSteps {
			return 0, fmt.Errorf("no end after %d steps", n)
		}
	}
}

// runTo lets the child run until this signal, which it does not get.
func (t *tracee) runTo(want syscall.Signal) error {
	for {
		if err := syscall.PtraceCont(t.pid, 0); err != nil {
			return err
		}
		if sig, err := t.wait(want, syscall.SIGURG); err != nil || sig == want {
			return err
		}
	}
}

// wait waits for the child to stop with one of these signals.
func (t *tracee) wait(signals ...syscall.Signal) (syscall.Signal, error) {
	var status syscall.WaitStatus
	if err := t.wait4(&status); err != nil {
		return 0, err
	}
	switch {
	case t.ctx.Err() != nil:
		return 0, context.Cause(t.ctx)
	case !status.Stopped():
		return 0, fmt.Errorf("it ended with status %d, signal %v", status.ExitStatus(), status.Signal())
	case !slices.Contains(signals, status.StopSignal()):
		return 0, fmt.Errorf("it stopped with signal %v", status.StopSignal())
	}
	return status.StopSignal(), nil
}

func (t *tracee) wait4(status *syscall.WaitStatus) error {
	for {
		if _, err := syscall.Wait4(t.pid, status, syscall.WALL, nil); !errors.Is(err, syscall.EINTR) {
			t.ended = err != nil || !status.Stopped()
			return err
		}
	}
}

// end lets the child run to its end.
func (t *tracee) end() error {
	var status syscall.WaitStatus
	for !t.ended {
		if err := syscall.PtraceCont(t.pid, 0); err != nil {
			return err
		}
		if err := t.wait4(&status); err != nil {
			return err
		}
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return fmt.Errorf("it ended with status %d, signal %v", status.ExitStatus(), status.Signal())
	}
	return nil
}

// kill ends the child if it runs still.
func (t *tracee) kill() error {
	if t.ended {
		return nil
	}
	if err := syscall.Kill(t.pid, syscall.SIGKILL); err != nil {
		return err
	}
	var status syscall.WaitStatus
	for !t.ended {
		if err := t.wait4(&status); err != nil {
			return err
		}
	}
	return nil
}
