package commands

import (
	"fmt"
	"syscall"

	rootmount "github.com/u-root/u-root/pkg/mount"
	"golang.org/x/sys/unix"
)

// kernel is what the commands ask Linux for beside files. The tests give
// another one.
type kernel interface {
	Uname() (Uname, error)
	Log() ([]byte, error) // the kernel's log, as syslog(2) gives it
	Mount(source, target, fstype string, flags uintptr, data string) error
	Unmount(target string, flags int) error
	Usage(path string) (Usage, error)
	Kill(pid int, signal syscall.Signal) error
	Sync()
	Power(command int) error
}

// Uname is the answer of uname(2).
type Uname struct{ System, Node, Release, Version, Machine string }

// Usage says how full a file system is.
type Usage struct{ SizeBytes, FreeBytes uint64 }

type linux struct{}

func (linux) Uname() (Uname, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return Uname{}, fmt.Errorf("uname: %w", err)
	}
	s := unix.ByteSliceToString
	return Uname{s(u.Sysname[:]), s(u.Nodename[:]), s(u.Release[:]), s(u.Version[:]), s(u.Machine[:])}, nil
}

// Actions of syslog(2).
const (
	syslogReadAll    = 3
	syslogSizeBuffer = 10
)

func (linux) Log() ([]byte, error) {
	size, err := unix.Klogctl(syslogSizeBuffer, nil)
	if err != nil {
		return nil, fmt.Errorf("size of the kernel's log: %w", err)
	}
	buf := make([]byte, size)
	n, err := unix.Klogctl(syslogReadAll, buf)
	if err != nil {
		return nil, fmt.Errorf("read the kernel's log: %w", err)
	}
	return buf[:n], nil
}

// Mount mounts source; without a type, the one that its content tells of.
func (linux) Mount(source, target, fstype string, flags uintptr, data string) error {
	if fstype != "" || flags&(unix.MS_BIND|unix.MS_REMOUNT|unix.MS_MOVE) != 0 {
		return unix.Mount(source, target, fstype, flags, data)
	}
	_, err := rootmount.TryMount(source, target, data, flags)
	return err
}

func (linux) Unmount(target string, flags int) error { return unix.Unmount(target, flags) }

func (linux) Usage(path string) (Usage, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Usage{}, err
	}
	block := uint64(s.Bsize)
	return Usage{SizeBytes: s.Blocks * block, FreeBytes: s.Bavail * block}, nil
}

func (linux) Kill(pid int, signal syscall.Signal) error { return unix.Kill(pid, signal) }

func (linux) Sync() { unix.Sync() }

func (linux) Power(command int) error { return unix.Reboot(command) }
