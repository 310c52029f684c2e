// Package showhost starts a guest for the tests and the benchmark of
// presentation: a real kernel with showguest as its /init, in QEMU.
package showhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/presentation/vhostgpu"
	"github.com/rayos/rayboot/presentation/virtgpu"
	"github.com/rayos/rayboot/tools/mkimage/debkernel"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
	"github.com/rayos/rayboot/tools/mkimage/initrd"
	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// Guest is what guests are started from.
type Guest struct {
	QEMU    guest.Tree
	Version string // of QEMU
	kernel  string
	initrd  string
}

// Prepare fetches QEMU and the kernel, and packs the initrd into a folder. The guest
// loads more modules of the kernel than it needs for its screen, if there are more.
func Prepare(ctx context.Context, dir string, more ...string) (*Guest, error) {
	qemu, err := debqemu.Fetch(ctx, debqemu.Options{})
	if err != nil {
		return nil, err
	}
	modules := initrd.DefaultModules() // whose kernel other tests have fetched already
	if len(more) > 0 {
		modules = append(modules, kmod.Group{Name: "more", Modules: more})
	}
	kernel, err := debkernel.Fetch(ctx, debkernel.Debian, debkernel.Options{Modules: modules})
	if err != nil {
		return nil, err
	}
	g := &Guest{QEMU: qemu.Tree, Version: qemu.Version, kernel: kernel.ImagePath, initrd: filepath.Join(dir, "initrd")}
	init := filepath.Join(dir, "showguest")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", init, "github.com/rayos/rayboot/ovmf-tests/showguest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build showguest: %w\n%s", err, out)
	}
	tree, err := kmod.Open(os.DirFS(kernel.ModulesDir))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := initrd.PackRuntime(init, &b); err != nil {
		return nil, err
	}
	groups := []kmod.Group{{Name: "show", Modules: append([]string{"virtio_pci", "virtio_gpu"}, more...)}}
	if _, err := initrd.PackModules(tree, kernel.Release, groups, &b); err != nil {
		return nil, err
	}
	return g, os.WriteFile(g.initrd, b.Bytes(), 0o644)
}

// Machine is a running guest.
type Machine struct {
	Cmd    *exec.Cmd
	Port   io.Writer // what is written comes to the guest on its serial port
	mu     sync.Mutex
	output strings.Builder
}

// Start starts a guest that does what show says. on is what it has for its display and
// monitor, and more are QEMU's arguments for anything else.
func (g *Guest) Start(ctx context.Context, show string, on guest.Machine, more ...string) (*Machine, error) {
	config := guest.Default(guest.Linux)
	config.MemoryMiB, config.Append = 256, "quiet show="+show
	on.Tree, on.Kernel, on.Initrd = g.QEMU, g.kernel, g.initrd
	return StartQEMU(ctx, g.QEMU, append(append(config.Args(on), "-name", "show,debug-threads=on"), more...))
}

// QEMU is one that can be started; a guest.Tree has one.
type QEMU interface {
	Command() []string
	Env() []string
}

// StartQEMU starts QEMU with these arguments.
func StartQEMU(ctx context.Context, qemu QEMU, args []string) (*Machine, error) {
	args = append(qemu.Command(), args...)
	m := &Machine{Cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	m.Cmd.Env = append(os.Environ(), qemu.Env()...)
	m.Cmd.Stdout, m.Cmd.Stderr = m, m
	port, err := m.Cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	m.Port = port
	if err := m.Cmd.Start(); err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	return m, nil
}

// Write takes what QEMU and the guest say.
func (m *Machine) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.output.Write(p)
}

// Output returns what was said so far.
func (m *Machine) Output() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.output.String()
}

// Served is a guest whose display is ours.
type Served struct {
	*Machine
	Ended   chan error      // gets what vhostgpu.Serve returned
	Monitor string          // where QEMU's monitor is
	Device  *virtgpu.Device // to be looked at when it has ended
}

// Serve starts a guest whose display is shown on out. dir is for its sockets.
func (g *Guest) Serve(ctx context.Context, dir, name, show string, out virtgpu.Output, report func(error), more ...string) (*Served, error) {
	path := filepath.Join(dir, name+".sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := listener.SetDeadline(time.Now().Add(time.Minute)); err != nil { // for a QEMU that does not come
		return nil, err
	}
	monitor := filepath.Join(dir, name+".qmp")
	m, err := g.Start(ctx, show, guest.Machine{Display: path, Monitor: monitor}, more...)
	if err != nil {
		return nil, err
	}
	conn, err := listener.AcceptUnix()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("QEMU did not connect: %w: %s", err, m.Output()), m.Cmd.Process.Kill())
	}
	s := &Served{m, make(chan error, 1), monitor, virtgpu.New(out)}
	go func() { s.Ended <- vhostgpu.ServeDevice(ctx, conn, name, s.Device, report) }()
	return s, nil
}

// Await waits until the guest has said something.
func (m *Machine) Await(what string) error {
	for end := time.Now().Add(3 * time.Minute); !strings.Contains(m.Output(), what); time.Sleep(time.Millisecond) {
		if out := m.Output(); time.Now().After(end) || strings.Contains(out, "SHOWGUEST failed") {
			return fmt.Errorf("the guest does not say %q, but %q", what, out)
		}
	}
	return nil
}

// Stop kills the guest.
func (m *Machine) Stop() {
	_ = m.Cmd.Process.Kill() // it may be gone already
	_ = m.Cmd.Wait()         // and was killed
}
