//go:build ovmf

package ovmftests

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

var update = flag.Bool("update", false, "write the reference pictures in testdata anew")

// workFolder holds what tests share: disk images, which no test changes, and programs.
var workFolder string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		var err error
		if workFolder, err = os.MkdirTemp("", "ovmf-tests-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(workFolder)
		return m.Run()
	}())
}

// making keeps two tests from making the same shared file.
var making sync.Mutex

// shared returns the path of a file in workFolder, which the first test that wants it makes.
func shared(t *testing.T, name string, make func(path string)) string {
	t.Helper()
	making.Lock()
	defer making.Unlock()
	path := filepath.Join(workFolder, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	make(path)
	return path
}

// commandLine is rayimg's default with a short stability period, so that tests see GOLDEN.
const commandLine = "console=tty0 console=ttyS0,115200 panic=10 quiet rayos.golden_after=1"

// rayosImage returns the image that rayimg makes, apart from the stability period.
func rayosImage(t *testing.T, sectorSize int) string {
	t.Helper()
	return shared(t, fmt.Sprintf("rayos-%d.img", sectorSize), func(path string) {
		harness.Run(t, harness.Artifact(t, "rayimg"), "build", path,
			"--sector-size", fmt.Sprint(sectorSize), "--cmdline", commandLine, "--seed", "ovmf-tests")
	})
}

// userImage returns the image of a user who gave no option.
func userImage(t *testing.T) string {
	t.Helper()
	return shared(t, "user.img", func(path string) { harness.Run(t, harness.Artifact(t, "rayimg"), "build", path) })
}

// rayosDisk returns a throw-away disk with that image.
func rayosDisk(t *testing.T, sectorSize int) qemu.Disk {
	t.Helper()
	return qemu.Disk{Path: harness.Overlay(t, rayosImage(t, sectorSize)), Format: "qcow2", LogicalSector: sectorSize}
}

// bootRayOS starts a machine with the RayOS disk.
func bootRayOS(t *testing.T) *harness.Machine {
	t.Helper()
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{rayosDisk(t, 512)}}})
}

// Files of the RayOS image, for ESPs of other make.
func kernel(t *testing.T) string { return fromESP(t, "vmlinuz", "EFI/rayos/vmlinuz-*") }
func initrd(t *testing.T) string { return fromESP(t, "initrd.img", "EFI/rayos/initrd-*") }

func fromESP(t *testing.T, name, pattern string) string {
	t.Helper()
	image := rayosImage(t, 512)
	return shared(t, name, func(path string) {
		if err := espdisk.Extract(t.Context(), image, pattern, path); err != nil {
			t.Fatal(err)
		}
	})
}

// app returns a program of the folder apps, built as an EFI application.
func app(t *testing.T, name string) string {
	t.Helper()
	return shared(t, name+".efi", func(path string) {
		harness.Run(t, harness.Artifact(t, "rayimg"), "efi", "build", "./apps/"+name, "-o", path)
	})
}

// foreignMiB is the size of disks that other tools make: small, and large enough for a kernel, an initrd and FAT32.
const foreignMiB = 96

// bootForeign starts a machine with an ESP that other tools made: the boot manager at the removable path, loader.conf
// with this text, and these files.
func bootForeign(t *testing.T, loaderConf string, files map[string]string) *harness.Machine {
	t.Helper()
	return harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{foreignDisk(t, loaderConf, files)}}})
}

func foreignDisk(t *testing.T, loaderConf string, files map[string]string) qemu.Disk {
	t.Helper()
	all := map[string]string{
		"EFI/BOOT/BOOTX64.EFI": harness.Artifact(t, "BOOTX64.EFI"),
		"loader/loader.conf":   harness.WriteFile(t, loaderConf),
	}
	maps.Copy(all, files)
	return qemu.Disk{Path: harness.ForeignDisk(t, foreignMiB, all), Snapshot: true}
}

// What the menu says.
var (
	menuCounts  = harness.Text("Any key stops the countdown.")
	menuWaits   = harness.Text("Waiting for your choice.")
	shellPrompt = harness.Text("rayos# ")
)

// highlighted expects the cursor on the entry of that number.
func highlighted(number int) harness.Expectation {
	return harness.Pattern(fmt.Sprintf(`^ > {1,2}%d  `, number))
}
