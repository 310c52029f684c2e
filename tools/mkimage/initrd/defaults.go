package initrd

import (
	"slices"
	"strings"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// DefaultModules are the modules of an image, in load order; their
// dependencies are found when they are packed. Modules come before what
// probes for them: buses first, then disks, then filesystems. The groups drm
// and watchdog are left out in safe mode.
func DefaultModules() []kmod.Group {
	return []kmod.Group{
		{Name: "virtio", Modules: []string{"virtio_pci", "virtio_blk", "virtio_scsi"}},
		{Name: "nvme", Modules: []string{"vmd", "nvme"}},
		{Name: "sata", Modules: []string{"ahci", "sd_mod"}},
		{Name: "usb", Modules: []string{"xhci_pci", "ehci_pci", "usb_storage", "uas", "usbhid", "hid_generic"}},
		{Name: "filesystem", Modules: []string{"vfat", "nls_cp437", "nls_ascii", "efivarfs", "crc32c_generic", "ext4", "squashfs"}},
		{Name: "watchdog", Modules: []string{"i6300esb", "iTCO_wdt", "lpc_ich", "i2c_i801", "sp5100_tco", "wdat_wdt"}},
		{Name: "pstore", Modules: []string{"efi_pstore", "ramoops"}},
		{Name: "kvm", Modules: []string{"kvm_intel", "kvm_amd"}},
		{Name: "input", Modules: []string{"evdev", "button", "psmouse", "virtio_input"}},
		{Name: "drm", Modules: []string{"bochs", "virtio_gpu"}},
	}
}

// DefaultOptions is the kernel command line of an image by default. The screen
// and the first serial port are both consoles; a panic restarts the machine
// after 10 s; quiet keeps all but the kernel's errors off the consoles (dmesg
// has everything). By the last word the boot manager knows that the system takes
// the hardware watchdog over, and arms it; the kernel itself feeds one that still counts
// for so many seconds at most, until the runtime does.
const DefaultOptions = "console=tty0 console=ttyS0,115200 panic=10 quiet " + openTimeout + "30"

const (
	openTimeout = "watchdog.open_timeout="
	safeOptions = "rayos.safe nomodeset"
)

// SafeOptions is the command line of the safe mode beside another one. It does not
// take the watchdog over, as the safe mode has no drivers for it.
func SafeOptions(options string) string {
	words := slices.DeleteFunc(strings.Fields(options), func(word string) bool { return strings.HasPrefix(word, openTimeout) })
	return strings.Join(append(words, safeOptions), " ")
}
