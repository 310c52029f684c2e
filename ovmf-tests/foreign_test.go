//go:build ovmf

package ovmftests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// foreignOptions lets the kernel say a little on the serial line.
const foreignOptions = "options console=ttyS0,115200 panic=10 quiet rayos.disk_wait=1\n"

// TestForeignESP boots a disk on which nothing is RayOS's but the boot manager, without showing the menu.
func TestForeignESP(t *testing.T) {
	t.Parallel()
	m := bootForeign(t, "timeout 0\ndefault debian-6.1*\n", map[string]string{
		"debian/vmlinuz":                     kernel(t),
		"debian/initrd.img":                  initrd(t),
		"standin.efi":                        app(t, "standin"),
		"loader/entries/debian-6.1.176.conf": harness.WriteFile(t, "title Debian\nversion 6.1.176\nlinux /debian/vmlinuz\ninitrd /debian/initrd.img\n"+foreignOptions),
		"loader/entries/debian-5.10.conf":    harness.WriteFile(t, "title Debian\nversion 5.10\nefi /standin.efi\n"),
		"loader/entries/other.conf":          harness.WriteFile(t, "title Other\nefi /standin.efi\n"),
	})
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=debian-6.1.176, kind=bls"),
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=debian-6.1.176, reason=default"),
		harness.Marker("[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=debian-6.1.176"),
	)
	m.Never(menuCounts, menuWaits)
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=debian-6.1.176"))
}

// TestUnifiedKernelImage boots an image that was put together from systemd's stub: nothing on the ESP names it.
func TestUnifiedKernelImage(t *testing.T) {
	t.Parallel()
	uki := filepath.Join(t.TempDir(), "uki.efi")
	args := []string{"/usr/lib/systemd/boot/efi/linuxx64.efi.stub", uki}
	for _, section := range []struct{ name, file, address string }{
		{".osrel", harness.WriteFile(t, "ID=debian\nPRETTY_NAME=\"Debian in one file\"\nVERSION_ID=12\n"), "0x20000"},
		{".cmdline", harness.WriteFile(t, "console=ttyS0,115200 panic=10 quiet rayos.disk_wait=1"), "0x30000"},
		{".linux", kernel(t), "0x2000000"},
		{".initrd", initrd(t), "0x3000000"},
	} {
		args = append(args, "--add-section", section.name+"="+section.file, "--change-section-vma", section.name+"="+section.address)
	}
	harness.Run(t, "objcopy", args...)
	m := bootForeign(t, "timeout 2\n", map[string]string{"EFI/Linux/debian.efi": uki})
	m.Expect(
		harness.Marker("[RAYOS_BOOTMGR:DISCOVERED] entry=debian, kind=uki"),
		harness.Text("Debian in one file starts in 2 s."),
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=debian, reason=first"),
	)
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=debian"))
}

// TestFallThrough has a default that is missing, and then everything else that can be wrong with an image, before
// something that boots. Nobody is there to press a key.
func TestFallThrough(t *testing.T) {
	t.Parallel()
	const linux = "linux /vmlinuz\ninitrd /initrd.img\n" + foreignOptions
	files := map[string]string{
		"vmlinuz":     kernel(t),
		"initrd.img":  initrd(t),
		"standin.efi": app(t, "standin"),
		"truncated":   firstHalf(t, kernel(t)),
		"text":        harness.WriteFile(t, "This is no EFI image.\n"),
		"empty":       harness.WriteFile(t, ""),
	}
	expected := []harness.Expectation{
		harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=missing, reason=default"),
		harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry=missing, stage=read"),
	}
	for i, c := range []struct{ id, stage, entry string }{
		{"truncated", "load", "linux /truncated\n"},
		{"text", "load", "linux /text\n"},
		{"empty", "load", "linux /empty\n"},
		{"returns", "start", "efi /standin.efi\noptions return\n"},
		{"no-initrd", "read", "linux /vmlinuz\ninitrd /nowhere/initrd.img\n"},
		{"missing", "", "linux /nowhere/vmlinuz\n"},
		{"good", "", linux},
	} {
		files["loader/entries/"+c.id+".conf"] = harness.WriteFile(t, fmt.Sprintf("sort-key %d\n%s", i, c.entry))
		if c.stage != "" {
			expected = append(expected,
				harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry="+c.id+", reason=fallback"),
				harness.Marker("[RAYOS_BOOTMGR:ENTRY_FAILED] entry="+c.id+", stage="+c.stage))
		}
	}
	m := bootForeign(t, "timeout 0\ndefault missing\n", files)
	m.Expect(expected...)
	m.Expect(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=good, reason=fallback"))
	m.Finish(harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY] entry=good"))
}

// firstHalf returns a copy of the first half of a file.
func firstHalf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return harness.WriteFile(t, string(data[:len(data)/2]))
}
