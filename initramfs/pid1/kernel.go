package pid1

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// kernel is what process 1 asks of Linux. The tests give another one.
type kernel interface {
	Mount(source, target, fstype string, flags uintptr, data string) error
	Unmount(target string) error
	RemountReadOnly(target string) error
	LoadModule(file, parameters string) error
	Release() (string, error)
	SetHostname(name string) error
	Signal(s syscall.Signal) error // to every process but this one
	Sync()
	// CtrlAltDel makes the keys a signal to process 1 instead of a reset.
	CtrlAltDel() error
	Power(command int) error // LINUX_REBOOT_CMD_*; returns only if that was refused
}

type linux struct{}

func (linux) Mount(source, target, fstype string, flags uintptr, data string) error {
	return unix.Mount(source, target, fstype, flags, data)
}

func (linux) Unmount(target string) error { return unix.Unmount(target, 0) }

func (linux) RemountReadOnly(target string) error {
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// LoadModule loads a module file; one that is loaded already is no error.
func (linux) LoadModule(file, parameters string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.FinitModule(int(f.Fd()), parameters, 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

func (linux) Release() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", fmt.Errorf("uname: %w", err)
	}
	return unix.ByteSliceToString(name.Release[:]), nil
}

func (linux) SetHostname(name string) error { return unix.Sethostname([]byte(name)) }

func (linux) Signal(s syscall.Signal) error { return unix.Kill(-1, s) }

func (linux) Sync() { unix.Sync() }

func (linux) CtrlAltDel() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) }

func (linux) Power(command int) error { return unix.Reboot(command) }
