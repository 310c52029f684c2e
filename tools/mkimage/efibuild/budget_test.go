package efibuild

import (
	"os"
	"path/filepath"
	"testing"
)

// bootManagerBudget is the most that BOOTX64.EFI may have, in bytes: firmware
// reads all of it before the first line of the menu. The menu alone had 2.74 MB;
// counting, recovery, the hardware watchdogs and signatures take half a megabyte.
const bootManagerBudget = 3_400_000

func TestBootManagerKeepsItsBudget(t *testing.T) {
	out := filepath.Join(t.TempDir(), "BOOTX64.EFI")
	img := mustBuild(t, Options{Dir: "../../..", Package: "./efi/cmd/rayboot", Output: out})
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes in the file, %d in memory", info.Size(), img.MemorySize)
	if info.Size() > bootManagerBudget {
		t.Errorf("%d bytes, at most %d are wanted", info.Size(), bootManagerBudget)
	}
}
