//go:build ovmf

package ovmftests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// TestGuestQEMU fetches the QEMU of guests for real, where no cache has it yet, and
// starts it: it must be new enough, and have the devices that guests are shown by.
func TestGuestQEMU(t *testing.T) {
	rayimg := harness.Artifact(t, "rayimg")
	text, err := exec.CommandContext(t.Context(), rayimg, "qemu", "--json").Output()
	if err != nil {
		t.Fatalf("rayimg qemu: %v", err)
	}
	var made struct {
		Tree     string            `json:"tree"`
		Packages map[string]string `json:"packages"`
	}
	if err := json.Unmarshal(text, &made); err != nil || len(made.Packages) < 10 {
		t.Fatalf("rayimg qemu --json: %v, %d packages", err, len(made.Packages))
	}
	for _, name := range []string{"firmware/OVMF_CODE_4M.fd", "firmware/bios-256k.bin", "licences/qemu-system-common/copyright"} {
		if st, err := os.Stat(filepath.Join(made.Tree, name)); err != nil || st.Size() == 0 {
			t.Errorf("the tree has no %s: %v", name, err)
		}
	}
	for want, args := range map[string][]string{
		"QEMU emulator version 10.":  {"--version"},
		"vhost-user-gpu-pci options": {"-device", "vhost-user-gpu-pci,help"},
		"vhost-user-vga options":     {"-device", "vhost-user-vga,help"},
		"ramfb options":              {"-device", "ramfb,help"},
		"memory-backend-memfd":       {"-object", "help"},
	} {
		out, err := exec.CommandContext(t.Context(), rayimg, append([]string{"qemu", "--"}, args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("QEMU %q: %v\n%s", args, err, out)
		}
	}
}
