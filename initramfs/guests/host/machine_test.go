package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/guests"
)

var squashfs = "hsqs" + strings.Repeat("\x00", 24) + "\x04" + strings.Repeat("\x00", 12) + "\x00\x10" + strings.Repeat("\x00", 4054)

const partitionBytes = 16 << 20

// onDisk is a machine whose boot disk has three partitions; 4 and 5 are zero.
func onDisk(t *testing.T) *machine {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{"dev/vda3": squashfs, "dev/vda4": "", "dev/vda5": "", "proc/meminfo": "MemTotal: 2048000 kB\nMemAvailable: 2048000 kB\n"}
	for _, n := range []string{"3", "4", "5"} {
		files["sys/class/block/vda/vda"+n+"/partition"] = n
		files["sys/class/block/vda/vda"+n+"/size"] = "32768"
	}
	for _, name := range []string{guest.QEMUPath, guest.FirmwareDir + "/" + guest.FirmwareVars} {
		files[systemDir+"/"+name] = "content of " + name
	}
	for name, content := range files {
		put(t, filepath.Join(root, name), content)
	}
	for _, n := range []string{"4", "5"} {
		if err := os.Truncate(filepath.Join(root, "dev/vda"+n), partitionBytes); err != nil {
			t.Fatal(err)
		}
	}
	if err := (bootfacts.Facts{Disk: "vda"}).Write(root); err != nil {
		t.Fatal(err)
	}
	m := newMachine(root)
	m.mount = func(_, _, kind string, flags uintptr, _ string) error {
		if kind != "squashfs" || flags&unix.MS_RDONLY == 0 {
			t.Errorf("mount of %s with flags %#x", kind, flags)
		}
		return nil
	}
	return m
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// makeLinux makes a real ext4 with these files on partition 4.
func makeLinux(t *testing.T, m *machine, files map[string]string) {
	t.Helper()
	tool, err := exec.LookPath("/usr/sbin/mke2fs")
	if err != nil {
		t.Skipf("no mke2fs here: %v", err)
	}
	dir := t.TempDir()
	for name, content := range files {
		put(t, filepath.Join(dir, name), content)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "-q", "-F", "-t", "ext4", "-d", dir, m.path("dev/vda4")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestPrepareLinux(t *testing.T) {
	m := onDisk(t)
	if err := m.missing(guest.Linux); err == nil || !strings.Contains(err.Error(), "there is no Linux on partition 4") {
		t.Error(err)
	}
	makeLinux(t, m, map[string]string{"vmlinuz": "kernel"})
	if _, err := m.prepare(guest.Linux); err == nil || !strings.Contains(err.Error(), "read /initrd.img of the guest on ") {
		t.Errorf("without an initrd: %v", err)
	}
	makeLinux(t, m, map[string]string{"vmlinuz": "kernel", "initrd.img": "initrd"})
	made, err := m.prepare(guest.Linux)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{made.Kernel: "kernel", made.Initrd: "initrd"} {
		if text, err := os.ReadFile(file); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	if made.Disk != m.path("dev/vda4") || made.Display != filepath.Join(m.folder(guest.Linux), displaySocket) || made.Tree != guest.Tree(m.path(systemDir)) || made.Vars != "" {
		t.Errorf("%+v", made)
	}
}

func TestPrepareWindows(t *testing.T) {
	m := onDisk(t)
	if _, err := m.prepare(guest.Windows); err == nil || !strings.Contains(err.Error(), "there is no Windows disk in partition 5") {
		t.Error(err)
	}
	// A table of one partition (type 7, from sector 1 on, 16 sectors), as any disk of a PC may have.
	table := strings.Repeat("\x00", 446) + "\x80\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x00" + strings.Repeat("\x00", 48) + "\x55\xaa"
	put(t, m.path("dev/vda5"), table+strings.Repeat("\x00", partitionBytes-512))
	for range 2 {
		made, err := m.prepare(guest.Windows)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(made.Vars); err != nil || len(text) == 0 || made.Kernel != "" || made.Disk != m.path("dev/vda5") {
			t.Errorf("%+v: %q, %v", made, text, err)
		}
	}
}

func TestNoQEMU(t *testing.T) {
	m := onDisk(t)
	if err := os.Remove(m.path(systemDir, guest.QEMUPath)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.system(); !errors.Is(err, guests.ErrNoQEMU) {
		t.Errorf("a tree without QEMU: %v", err)
	}
	put(t, m.path("dev/vda3"), strings.Repeat("x", 4096))
	for _, name := range guest.Names() {
		if err := m.missing(name); !errors.Is(err, guests.ErrNoQEMU) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	m := onDisk(t)
	for text, want := range map[string]int{"": 1024, "[linux]\nmemory-mib = 256\n": 256} {
		put(t, m.path("esp/EFI/rayos/guests.toml"), text)
		if s, err := m.settings(); err != nil || s[guest.Linux].MemoryMiB != want {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	put(t, m.path("esp/EFI/rayos/guests.toml"), "[linux]\nmemory = 256\n")
	if s, err := m.settings(); err == nil || s[guest.Linux].MemoryMiB != 1024 {
		t.Errorf("%+v, %v", s, err)
	}
}
