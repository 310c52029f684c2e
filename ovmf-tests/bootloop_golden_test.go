//go:build ovmf

package ovmftests

import (
	"io/fs"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestBootLoopRealGolden has the real runtime take its golden snapshot. Then the kernel on the ESP is damaged: its entries
// are refused, and the kernel slot starts. In recovery the snapshot starts, which has a copy of its own.
func TestBootLoopRealGolden(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	m := start(t, disk)
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(blessed, harness.Marker("[RAYOS_BOOTMGR:SNAPSHOT] state=stable"), shellPrompt)
	m.Type("recovery verify; bootmgr status; poweroff\r")
	m.Expect(harness.Pattern(`^Golden snapshots +1$`))
	m.ExpectOff()

	damageKernel(t, disk)
	m = start(t, disk)
	m.Expect(
		failed("rayos", 1, "verify", "load-refused"), failed("rayos-safe", 1, "verify", "load-refused"),
		selected("rayos-slot"), harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos-slot"), shellPrompt,
	)
	m.Type("bootmgr recovery on; poweroff\r")
	m.ExpectOff()

	m = start(t, disk)
	m.Expect(
		fallback(1, "operator"), harness.Marker("[RAYOS_BOOT_MARKER:KERNEL_LOADED] entry=golden"),
		harness.Text("no golden snapshot is taken of this boot: it is golden snapshot"),
		harness.Marker("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=golden"), shellPrompt,
	)
	m.Type("poweroff\r")
	m.ExpectOff()
}

// damageKernel changes the last byte of the kernel that lies on the ESP of a RayOS disk.
func damageKernel(t *testing.T, disk qemu.Disk) {
	t.Helper()
	var name string
	withESP(t, disk, func(volume fs.FS) {
		names, err := fs.Glob(volume, "EFI/rayos/vmlinuz-*")
		if err != nil || len(names) != 1 {
			t.Fatalf("kernels: %v, %v", names, err)
		}
		name = names[0]
	})
	if err := espdisk.Put(t.Context(), disk.Path, name, flipped(t, kernel(t))); err != nil {
		t.Fatal(err)
	}
}
