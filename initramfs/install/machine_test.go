package install

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/tools/mkimage/fakeefi"
)

const stickID = "11111111-2222-3333-4444-555555555555"

// mounted is the mount of an ESP that nobody changes.
type mounted struct{}

func (mounted) ReadOnly() (bool, error) { return true, nil }
func (mounted) Remount(bool) error      { return errors.New("remounted") }

// machine is one below a directory, booted from the stick sda; sdb and sdc are further disks
// on USB, of which files stand in for the device files. Without a folder of the firmware's
// variables it is one without them. TestStickInstalls and TestStickAlone of ovmf-tests have real machines.
func machine(t *testing.T, files map[string]string) (i *Installer, out *bytes.Buffer) {
	t.Helper()
	root := t.TempDir()
	facts := bootfacts.Facts{Entry: "rayos-install", InstallID: stickID, Disk: "sda", ESP: "sda1"}
	if err := facts.Write(root); err != nil {
		t.Fatal(err)
	}
	manager := string(fakeefi.Application("manager", 4096))
	for name, text := range map[string]string{
		"proc/self/mountinfo": "", "proc/self/status": "VmHWM:	1024 kB\n",
		"esp/" + esp.RemovablePathX64:     manager,
		"esp/" + content.ManifestPath:     fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(manager)), esp.RemovablePathX64),
		"esp/" + esp.InstallIDPath:        stickID + "\n",
		"esp/" + esp.EntryPath("rayos"):   "linux /" + esp.RemovablePathX64 + "\n",
		"esp/" + esp.EntryPath("install"): "linux /" + esp.RemovablePathX64 + "\nx-rayos-role installer\n",
	} {
		put(t, filepath.Join(root, name), text)
	}
	for name, text := range files {
		put(t, filepath.Join(root, name), text)
	}
	for _, name := range []string{"sda", "sdb", "sdc"} {
		usb := filepath.Join("devices/usb1/1-"+name[2:], "block", name)
		at := filepath.Join(root, "sys", usb)
		put(t, filepath.Join(at, "dev"), "8:0\n")
		put(t, filepath.Join(at, "size"), "156250000\n")
		put(t, filepath.Join(at, "queue/logical_block_size"), "512\n")
		put(t, filepath.Join(at, "device/serial"), "serial-"+name+"\n")
		link := filepath.Join(root, "sys/class/block", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(filepath.Join("../..", usb), link)); err != nil {
			t.Fatal(err)
		}
		device := filepath.Join(root, "dev", name)
		put(t, device, "")
		if err := os.Truncate(device, gpt.MinDiskBytes); err != nil {
			t.Fatal(err)
		}
	}
	boot, err := livedisk.Open(t.Context(), root, mounted{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := boot.Close(); err != nil {
			t.Error(err)
		}
	})
	out = &bytes.Buffer{}
	return New(root, boot, out), out
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// table is the partition table of a disk of the machine; none has no partitions.
func (i *Installer) table(t *testing.T, name string) gpt.Table {
	t.Helper()
	f, err := os.Open(filepath.Join(i.Root, "dev", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, _, err := gpt.Read(f, gpt.MinDiskBytes)
	if err != nil && !errors.Is(err, gpt.ErrNoTable) {
		t.Fatal(err)
	}
	return table
}

// says fails the test unless the texts come in the output in this order, and these not at all.
func says(t *testing.T, out *bytes.Buffer, texts []string, never ...string) {
	t.Helper()
	rest := out.String()
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("%q is not said, or not in its place:\n%s", text, out)
		}
		rest = after
	}
	for _, text := range never {
		if strings.Contains(out.String(), text) {
			t.Errorf("%q is said:\n%s", text, out)
		}
	}
}
