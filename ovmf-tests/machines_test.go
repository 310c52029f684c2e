//go:build ovmf

package ovmftests

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestDisks boots from every kind of disk. The default, virtio with 512-byte sectors, is what all the other tests have.
func TestDisks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bus    qemu.Bus
		sector int
		disk   string // as Linux calls it
	}{
		{qemu.Virtio, 4096, "vda"},
		{qemu.NVMe, 512, "nvme0n1"},
		{qemu.NVMe, 4096, "nvme0n1"},
		{qemu.AHCI, 512, "sda"},
		{qemu.USB, 512, "sda"},
		{qemu.USB, 4096, "sda"},
	} {
		t.Run(fmt.Sprintf("%s-%d", c.bus, c.sector), func(t *testing.T) {
			t.Parallel()
			disk := rayosDisk(t, c.sector)
			disk.Bus = c.bus
			m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
			m.Expect(harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=rayos-slot, kind=slot"), menuCounts)
			m.Type(harness.SerialEnter)
			m.Expect(
				harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=user"),
				harness.Text("boot disk: "+c.disk+","),
			)
			m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos"))
		})
	}
}

// TestMemory boots with little and with much memory, and brings up the menu with very little.
func TestMemory(t *testing.T) {
	t.Parallel()
	for _, mebibytes := range []int{256, 4096} {
		t.Run(itoa(mebibytes), func(t *testing.T) {
			t.Parallel()
			m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}, MemoryMiB: mebibytes}})
			m.Expect(menuCounts)
			m.Type(harness.SerialEnter)
			m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=rayos"))
		})
	}
	t.Run("128-menu", func(t *testing.T) {
		t.Parallel()
		m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}, MemoryMiB: 128}})
		m.Expect(menuCounts)
		m.Type("j")
		m.Expect(highlighted(2))
		m.Finish(menuWaits)
	})
}

// TestMenuPicture compares the screen, as a person sees it, with the reference picture.
func TestMenuPicture(t *testing.T) {
	t.Parallel()
	disk := qemu.Disk{Path: userImage(t), Snapshot: true}
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialUp) // stops the countdown and moves nothing
	m.Expect(menuWaits)
	m.CompareScreen("testdata/menu.png", *update)
	m.Type("j")
	m.Finish(highlighted(2)) // the machine was alive all the time
}
