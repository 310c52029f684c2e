//go:build ovmf

package ovmftests

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// fullDisk is a RayOS disk that starts its kernel slot by default, with an ESP that has room for no kernel.
func fullDisk(t *testing.T) string {
	t.Helper()
	const leaveBytes = 2 << 20
	var free int64
	withESP(t, qemu.Disk{Path: rayosImage(t, 512)}, func(volume fs.FS) {
		usage, err := volume.(*fat32.FS).Usage()
		if err != nil {
			t.Fatal(err)
		}
		free = (usage.Clusters - usage.UsedClusters) * usage.ClusterBytes
	})
	payload, image := t.TempDir(), filepath.Join(t.TempDir(), "disk.img")
	filler, err := os.Create(filepath.Join(payload, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	if err := filler.Truncate(free - leaveBytes); err != nil { // zeros take no room in the image's file
		t.Fatal(err)
	}
	rayimg := harness.Artifact(t, "rayimg")
	harness.Run(t, rayimg, "build", image, "--payload", payload, "--cmdline", commandLine, "--seed", "ovmf-tests")
	harness.Run(t, rayimg, "bootmgr", "set-default", image, "rayos-slot")
	return image
}

// forgetSlots takes away the table of kernel slots. What lies in the slots stays.
func forgetSlots(t *testing.T, image string, kernels int64) {
	t.Helper()
	for _, at := range []int64{slots.CopyAOffset, slots.CopyBOffset} {
		writeAt(t, image, make([]byte, slots.CopyBytes), kernels+at)
	}
}

func writeAt(t *testing.T, image string, data []byte, at int64) {
	t.Helper()
	f, err := os.OpenFile(image, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
}

// TestGoldenSlot boots a kernel slot of a disk whose ESP is full: the snapshot stays in the slot, starts when no entry
// can be started any more, and is refused when the slot holds something else.
func TestGoldenSlot(t *testing.T) {
	t.Parallel()
	image := fullDisk(t)
	disk := qemu.Disk{Path: image}
	m := startOnce(t, disk)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-slot, reason=default"),
		harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos-slot"),
	)
	m.Finish(harness.Pattern(`RAYOS_BOOTMGR:SNAPSHOT\] snapshot=[0-9a-f]{16}, state=stable`))

	s := onlyGolden(t, disk)
	if s.Kernel.Slot != 0 || s.Initrd.Slot != 0 {
		t.Fatalf("snapshot %+v", s)
	}
	harness.Run(t, harness.Artifact(t, "rayimg"), "recovery", "verify", image)
	kernels := gpt.Layout()[gpt.NumberKernel-1].StartBytes
	forgetSlots(t, image, kernels)
	damageKernel(t, disk)

	disk.Snapshot = true
	m = startOnce(t, disk)
	m.Expect(brokenEntries...)
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:RECOVERY_FALLBACK] snapshot=" + bootmenu.ShortID(s.ID())))
	m.Never(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos-slot"))
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=golden"))

	writeAt(t, image, []byte("an update"), kernels+s.Kernel.OffsetBytes+s.Kernel.LengthBytes/2)
	m = startOnce(t, disk)
	m.Expect(brokenEntries...)
	m.Expect(
		harness.Pattern(`RAYOS_BOOTMGR:GOLDEN_REFUSED\] snapshot=`+bootmenu.ShortID(s.ID())+`, reason="verify kernel of the snapshot: SHA-256`),
		harness.Marker("[RAYOS_BOOTMGR:STOPPED]"),
	)
	m.Finish(menuWaits)
}
