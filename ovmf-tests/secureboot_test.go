//go:build ovmf

package ovmftests

import (
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// TestSecureBootUnsigned has firmware that knows Debian's test key, and a boot manager that nobody signed.
func TestSecureBootUnsigned(t *testing.T) {
	t.Parallel()
	disk := foreignDisk(t, "", nil)
	m := startSecure(t, disk)
	m.Finish(harness.Pattern(`BdsDxe: failed to load Boot.*(Access Denied|Security Violation)`))
	m.Never(harness.Text("RayOS boot manager"))
}

// TestSecureBootSigned has a signed boot manager. The firmware refuses the unsigned kernel, the signed one boots, and
// the command line is locked.
func TestSecureBootSigned(t *testing.T) {
	t.Parallel()
	disk := foreignDisk(t, "timeout 30\ndefault unsigned\n", map[string]string{
		"EFI/BOOT/BOOTX64.EFI":         signed(t, "BOOTX64.EFI", harness.Artifact(t, "BOOTX64.EFI")),
		"unsigned":                     kernel(t),
		"signed":                       signed(t, "kernel", kernel(t)),
		"initrd.img":                   initrd(t),
		"loader/entries/unsigned.conf": harness.WriteFile(t, "linux /unsigned\ninitrd /initrd.img\n"+foreignOptions),
		"loader/entries/signed.conf":   harness.WriteFile(t, "linux /signed\ninitrd /initrd.img\n"+foreignOptions),
	})
	m := startSecure(t, disk)
	m.Expect(menuCounts)
	m.Type("e")
	m.Expect(harness.Text("Command lines are locked"))
	m.Type(harness.SerialEnter)
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=unsigned, reason=user"),
		harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=unsigned, stage=load"),
		harness.Text("did not start"),
	)
	m.Type(harness.SerialEnter)
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=signed"))
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=signed"))
}

func startSecure(t *testing.T, disk qemu.Disk) *harness.Machine {
	t.Helper()
	firmware, err := qemu.FindFirmware(qemu.SecureBoot)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Firmware: firmware, Disks: []qemu.Disk{disk}}})
}

// signed returns the image with a signature of Debian's test key.
func signed(t *testing.T, name, image string) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.pem")
	harness.Run(t, "openssl", "rsa", "-in", qemu.SnakeoilKey, "-passin", "pass:snakeoil", "-out", key)
	path := filepath.Join(t.TempDir(), name)
	harness.Run(t, "sbsign", "--key", key, "--cert", qemu.SnakeoilCertificate, "--output", path, image)
	return path
}
