package service

import (
	"os"
	"syscall"
)

// Launcher starts a program, as [os.StartProcess] does. wait returns when it has ended,
// and is called once.
type Launcher func(path string, argv []string, attr *os.ProcAttr) (pid int, wait func() (syscall.WaitStatus, error), err error)

// Direct is the launcher of every program but process 1.
func Direct(path string, argv []string, attr *os.ProcAttr) (pid int, wait func() (syscall.WaitStatus, error), err error) {
	p, err := os.StartProcess(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	return p.Pid, func() (syscall.WaitStatus, error) {
		state, err := p.Wait()
		if err != nil {
			return 0, err
		}
		return state.Sys().(syscall.WaitStatus), nil
	}, nil
}
