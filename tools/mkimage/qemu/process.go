package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
)

// ErrNoQEMU tells that the emulator is not installed.
var ErrNoQEMU = errors.New(Program + " not found")

// Process is a running machine. Its methods may be called from several goroutines.
type Process struct {
	// Serial is the guest's first serial port. It must be read all the time, or the guest stands still when the
	// socket's buffer is full. It gives io.EOF once QEMU has ended and all its output was read.
	Serial net.Conn
	// QMP is the control connection.
	QMP *qmp.Client

	cmd    *exec.Cmd
	stderr bytes.Buffer // read only after done
	folder string       // temporary files, removed at the end
	done   chan struct{}
	err    error // how QEMU ended; read only after done
}

// Start starts the machine and returns once its monitor answers. The machine ends when the guest powers off, when ctx
// is done (as a power cut), at Kill, or with the process that started it. Whoever starts a machine must Close it.
func (m Machine) Start(ctx context.Context) (*Process, error) {
	kvm, err := m.KVM.use(m.Firmware)
	if err != nil {
		return nil, err
	}
	return m.start(ctx, kvm)
}

// start starts the machine on the accelerator that was decided for.
func (m Machine) start(ctx context.Context, kvm bool) (*Process, error) {
	program, err := exec.LookPath(Program)
	if err != nil {
		return nil, fmt.Errorf("%w; install it with: sudo apt-get install qemu-system-x86", ErrNoQEMU)
	}
	folder, err := os.MkdirTemp("", "rayboot-qemu-")
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	p := &Process{folder: folder, done: make(chan struct{})}
	varStore := orDefault(m.VarStore, filepath.Join(folder, "vars.fd"))
	if err := newVarStore(varStore, m.Firmware.Vars); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	args, err := m.args(kvm, varStore)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	p.cmd = exec.CommandContext(ctx, program, args...)
	if err := p.start(m.OnEvent); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", Program, err), os.RemoveAll(folder))
	}
	return p, nil
}

// start runs p.cmd with the two sockets as its first extra files and shakes hands with the monitor.
func (p *Process) start(onEvent func(qmp.Event)) error {
	serial, serialGuest, err := socketPair("serial port")
	if err != nil {
		return err
	}
	monitor, monitorGuest, err := socketPair("monitor")
	if err != nil {
		return errors.Join(err, serial.Close(), serialGuest.Close())
	}
	p.Serial = serial
	p.cmd.ExtraFiles = []*os.File{serialGuest, monitorGuest}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 5 * time.Second
	// A machine must not outlive a test that panics; a Ctrl-C on the terminal is for us, not for QEMU.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	err = p.cmd.Start()
	// QEMU's ends must be open in QEMU only, or reading ours would not end with it.
	if err := errors.Join(err, serialGuest.Close(), monitorGuest.Close()); err != nil {
		return errors.Join(err, serial.Close(), monitor.Close())
	}
	go p.reap()
	p.QMP, err = qmp.New(monitor, onEvent)
	if err != nil {
		p.Kill()
		// What QEMU said on its way out explains more than a broken connection.
		return errors.Join(p.Wait(), err, serial.Close(), monitor.Close())
	}
	return nil
}

// socketPair returns our end as a connection and the other end as a file to be inherited by QEMU. Unlike a path, a pair
// of sockets has no length limit, leaves nothing behind and cannot lose the first bytes.
func socketPair(name string) (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket for the %s: %w", name, err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name)
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close(), enlarge(fds[1])); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a socket for the %s: %w", name, err), theirs.Close())
	}
	return conn, theirs, nil
}

// sendBytes is room for a few thousand characters, as the kernel counts far more than one byte for each write of one.
const sendBytes = 4 << 20

// enlarge makes room in a socket for what its reader has not read yet: QEMU's serial port drops characters that it cannot
// write after a few tries.
func enlarge(fd int) error {
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE, sendBytes) == nil {
		return nil
	}
	return syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBytes) // not root: as much as everybody may have
}

func (p *Process) reap() {
	err := p.cmd.Wait()
	if err != nil {
		if said := strings.TrimSpace(p.stderr.String()); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
	}
	p.err = errors.Join(err, os.RemoveAll(p.folder))
	close(p.done)
}

// Pid returns the process ID of QEMU.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when QEMU has ended and its temporary files are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for QEMU to end. It returns nil if it ended by itself with status 0, as it does when the guest powers off
// or at the monitor's quit.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Kill cuts the power: QEMU gets no chance to finish anything. It returns when the process is gone. What the guest had
// written to its disks before stays in their files; what it sent on Serial before can still be read.
func (p *Process) Kill() {
	// The only error there can be is that the process has ended already, which is what is wanted.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Close kills the machine if it still runs and closes the connections.
func (p *Process) Close() error {
	p.Kill()
	return errors.Join(p.Serial.Close(), p.QMP.Close())
}
