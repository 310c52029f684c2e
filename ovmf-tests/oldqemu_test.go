//go:build ovmf

package ovmftests

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/preflight"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/tools/mkimage/debkernel"
	"github.com/rayos/rayboot/tools/mkimage/debqemu"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// installed is a QEMU on PATH.
type installed string

func (i installed) Command() []string { return []string{string(i)} }
func (installed) Env() []string       { return nil }

// TestOldQEMU asks this machine's own QEMU, which is 7.2 on Debian 12, and the one
// that guests run under, whether they can show a guest, and then starts them: each does
// what was foretold.
func TestOldQEMU(t *testing.T) {
	t.Parallel()
	kernel, err := debkernel.Fetch(t.Context(), debkernel.Debian, debkernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	newer, err := debqemu.Fetch(t.Context(), debqemu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old, err := exec.LookPath(qemu.Program)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []showhost.QEMU{installed(old), newer.Tree} {
		foretold := preflight.Check(t.Context(), q.Command(), q.Env(), false)
		if foretold != nil && !errors.Is(foretold, guest.ErrVersion) {
			t.Fatal(foretold)
		}
		t.Logf("%s: %v", q.Command()[0], foretold)
		dir := t.TempDir()
		on := guest.Machine{Kernel: kernel.ImagePath, Display: filepath.Join(dir, "display"), Monitor: filepath.Join(dir, "monitor")}
		serveDisplay(t, on.Display)
		machine, client := startStopped(t, q, guest.Default(guest.Linux).Args(on), on.Monitor)
		refused := client == nil && strings.Contains(machine.Output(), "vhost initialization failed: requires kvm")
		if refused != (foretold != nil) || refused == (client != nil) {
			t.Errorf("foretold: %v; it says %q, monitor %v", foretold, machine.Output(), client != nil)
		}
		if client != nil {
			_ = client.Close() // it is stopped with the test
		}
	}
}
