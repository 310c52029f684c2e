//go:build ovmf

package ovmftests

import (
	"image"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/presentation/vhostgpu"
	"github.com/rayos/rayboot/tools/mkimage/debkernel"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
)

// TestGuestArguments starts each guest with all that it can have, and without, on
// QEMU 10: it takes the arguments, and the machine is there.
func TestGuestArguments(t *testing.T) {
	t.Parallel()
	qemu, err := debqemu.Fetch(t.Context(), debqemu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := debkernel.Fetch(t.Context(), debkernel.Debian, debkernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "with,comma")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	disk, vars := filepath.Join(dir, "disk.img"), filepath.Join(dir, "vars.fd")
	template, err := os.ReadFile(qemu.Tree.Path(guest.FirmwareDir, guest.FirmwareVars))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{disk: make([]byte, 3<<20), vars: template} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bare := guest.Machine{Tree: qemu.Tree, Kernel: kernel.ImagePath, Vars: vars}
	full := bare
	full.Disk, full.DiskOffsetBytes, full.DiskSizeBytes, full.Snapshot = disk, 1<<20, 1<<20, true
	full.Initrd, full.Display = kernel.ImagePath, filepath.Join(dir, "display")
	for _, name := range guest.Names() {
		c := guest.Default(name)
		c.MemoryMiB, c.CPUs = 128, 2
		bare.Monitor, full.Monitor = filepath.Join(dir, string(name)), filepath.Join(dir, string(name)+"-full")
		checkArguments(t, c, bare)
		if name == guest.Linux {
			serveDisplay(t, full.Display)
			c.Screen, c.Append = image.Pt(1280, 800), "quiet"
		}
		checkArguments(t, c, full)
	}
}

// TestGuestPanic has a guest's kernel panic: QEMU ends with a failure, which a supervisor
// takes for one.
func TestGuestPanic(t *testing.T) {
	if !*long {
		t.Skip("it fetches a kernel with another module; -long runs it")
	}
	t.Parallel()
	host, err := showhost.Prepare(t.Context(), t.TempDir(), "pvpanic_pci")
	if err != nil {
		t.Fatal(err)
	}
	machine, err := host.Start(t.Context(), "panic", guest.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(3*time.Minute, func() { _ = machine.Cmd.Process.Kill() }).Stop() // a failure of its own
	err = machine.Cmd.Wait()
	if code := machine.Cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("QEMU has ended with %d: %v: %s", code, err, machine.Output())
	}
}

// checkArguments starts a guest that does not run, and looks for its disk.
func checkArguments(t *testing.T, c guest.Config, m guest.Machine) {
	t.Helper()
	machine, client := startStopped(t, m.Tree, c.Args(m), m.Monitor)
	if client == nil {
		t.Fatalf("QEMU refuses %s with %+v: %s", c.Name, m, machine.Output())
	}
	type drive struct {
		Device   string
		Inserted struct {
			Image struct {
				Size int64 `json:"virtual-size"`
			}
		}
	}
	var drives []drive
	if err := client.Execute(t.Context(), "query-block", nil, &drives); err != nil {
		t.Fatal(err)
	}
	if has := slices.ContainsFunc(drives, func(d drive) bool { return d.Device == "disk" && d.Inserted.Image.Size == 1<<20 }); has != (m.Disk != "") {
		t.Errorf("%s has drives %+v with %+v", c.Name, drives, m)
	}
	if err := client.Execute(t.Context(), "quit", nil, nil); err != nil {
		t.Fatal(err)
	}
}

// startStopped starts QEMU with a machine that does not run, and connects to its
// monitor. There is no client where QEMU has refused and ended.
func startStopped(t *testing.T, qemu showhost.QEMU, args []string, monitor string) (*showhost.Machine, *qmp.Client) {
	t.Helper()
	machine, err := showhost.StartQEMU(t.Context(), qemu, append(args, "-S"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = machine.Cmd.Wait() // what it says is what counts
		close(ended)
	}()
	t.Cleanup(func() {
		_ = machine.Cmd.Process.Kill() // it may be gone already
		<-ended
	})
	var client *qmp.Client
	until(t, "the monitor of QEMU", machine.Output, func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		conn, err := net.Dial("unix", monitor)
		if err != nil {
			return false
		}
		client, err = qmp.New(conn, nil)
		return err == nil // else it is ending
	})
	return machine, client
}

// serveDisplay is the display of one guest, at a socket.
func serveDisplay(t *testing.T, path string) {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.SetDeadline(time.Now().Add(time.Minute)); err != nil { // for a QEMU that does not come
		t.Fatal(err)
	}
	d := display.New(newWatcher(1024, 768), (&showMarkers{}).emit, func(err error) { t.Error(err) })
	ended := make(chan error, 1)
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	go func() {
		defer listener.Close()
		conn, err := listener.AcceptUnix()
		if err != nil {
			ended <- err
			return
		}
		ended <- vhostgpu.Serve(t.Context(), conn, "linux", d.Source("linux"), func(err error) { t.Error(err) })
	}()
}
