// Package children starts and waits for the processes of process 1, which
// inherits every orphan of the machine and must reap those as well.
//
// One call, wait4(-1), reaps all of them and hands the status to whoever
// started the process. So os/exec, which waits by itself, must not be used in
// process 1: one of both would take the other's status.
package children

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// Table knows the processes that were started by it. Its zero value is ready.
type Table struct {
	mu      sync.Mutex // held from fork to registration, and while reaping
	waiting map[int]chan syscall.WaitStatus
}

// Child is a started process.
type Child struct {
	PID    int
	status chan syscall.WaitStatus
}

// Start starts a program as os.StartProcess does.
func (t *Table) Start(path string, argv []string, attr *os.ProcAttr) (*Child, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	c := &Child{PID: p.Pid, status: make(chan syscall.WaitStatus, 1)}
	if t.waiting == nil {
		t.waiting = map[int]chan syscall.WaitStatus{}
	}
	t.waiting[c.PID] = c.status
	return c, p.Release()
}

// Wait returns the status of the ended process. It returns only while somebody
// calls [Table.Reap] on SIGCHLD.
func (c *Child) Wait() syscall.WaitStatus { return <-c.status }

// Reap collects all children that have ended, started here or inherited, and
// reports whether others still run. As orphans are inherited, none runs only
// when process 1 is alone.
func (t *Table) Reap() (running bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.ECHILD):
			return false, nil
		case err != nil:
			return true, fmt.Errorf("reap children: %w", err)
		case pid == 0:
			return true, nil
		}
		if waiting, ours := t.waiting[pid]; ours {
			delete(t.waiting, pid)
			waiting <- status
		}
	}
}
