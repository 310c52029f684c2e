//go:build ovmf

package ovmftests

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// logArea is where the log of a RayOS disk begins, in bytes (docs/on-disk.md).
const logArea = 821248*512 + slots.LogOffset

// rayimgLog runs rayimg log on a disk.
func rayimgLog(t *testing.T, disk qemu.Disk, args ...string) string {
	t.Helper()
	return harness.Run(t, harness.Artifact(t, "rayimg"), append([]string{"log", args[0], disk.Path}, args[1:]...)...)
}

// bootToShell starts a machine and goes to its first prompt.
func bootToShell(t *testing.T, s harness.Spec) *harness.Machine {
	t.Helper()
	m := harness.Start(t, s)
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(shellPrompt)
	return m
}

// inOrder fails the test if the texts are not in this order in the log.
func inOrder(t *testing.T, log string, texts ...string) {
	t.Helper()
	rest := log
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("no %q behind the others in\n%s", text, log)
		}
		rest = after
	}
}

// TestLogTellsTheBoot has the whole story of a boot in one log, from the boot manager's first line to the orderly end.
func TestLogTellsTheBoot(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	m := bootToShell(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Expect(blessed, shellPrompt)
	m.Type("log show --source bootmgr -n 3\r")
	m.Expect(harness.Text("[RAYOS_LOG] Recent entries:"), harness.Pattern(`^\[\d+ms\] INFO: bootmgr: \[RAYOS_BOOTMGR:SELECTED\] entry=rayos`), harness.Pattern(`^Usage: \d+% \(\d+\.\d MB of 128 MB\)$`))
	m.Type("stages; services\r")
	m.Expect(harness.Pattern(`^[0-9a-f]{8}  rayos  GOLDEN +\d+ ms  [0-9a-f]{16}$`), harness.Pattern(`^shell:ttyS0 +runs +1 `))
	m.Type("log add --level warn the fan is slow; log level info; poweroff\r")
	m.ExpectOff()
	inOrder(t, rayimgLog(t, disk, "show", "-n", "0", "--source", "bootmgr"), "INFO: bootmgr: RayOS boot manager", "DISCOVERED] entry=rayos", "SELECTED] entry=rayos")
	log := rayimgLog(t, disk, "show", "-n", "0")
	if boots := strings.Count(log, "-- boot "); boots != 1 {
		t.Errorf("%d boots", boots)
	}
	inOrder(t, log, "INFO: kernel: Linux version", "WARN: shell: the fan is slow", "the machine turns off: ending all processes")
	inOrder(t, log, "KERNEL_LOADED", "SHELL_READY", "GOLDEN", "BOOT_SUCCESS")
}

// ramoops sets memory aside that outlives a reset, for what the kernel says last, instead of EFI variables.
const ramoops = " efi_pstore.pstore_disable=Y memmap=1M$0x20000000 ramoops.mem_address=0x20000000 ramoops.mem_size=0x100000 ramoops.record_size=0x20000"

// TestLogOfAPanic finds in the next boot what the kernel said last.
func TestLogOfAPanic(t *testing.T) {
	t.Parallel()
	erst := []string{"-object", "memory-backend-file,id=erst,mem-path=" + t.TempDir() + "/erst,size=0x10000,share=on", "-device", "acpi-erst,memdev=erst"}
	for name, c := range map[string]struct {
		words, by string
		extra     []string
	}{
		"variables": {"", "efi.*", nil},
		"ERST":      {"", "erst", erst},
		"ramoops":   {ramoops, "ramoops", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := watchedDisk(t, "rayos.golden_after=1"+c.words)
			m := bootToShell(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}, Extra: c.extra}, Reboots: true, Crashes: true})
			m.Expect(blessed, shellPrompt)
			m.Type("cat /sys/module/pstore/parameters/backend\r")
			m.Expect(harness.Pattern("^"+c.by+"$"), shellPrompt)
			m.Type("echo c >/proc/sysrq-trigger\r")
			m.Expect(harness.Text("Kernel panic - not syncing: sysrq triggered crash"), menuCounts)
			m.Type(harness.SerialEnter)
			m.Expect(harness.Text("the kernel's last words (Panic) of boot"), shellPrompt)
			m.Type("log show --boot -1 --source pstore; ls /sys/fs/pstore; poweroff\r")
			m.Expect(harness.Text("Kernel panic - not syncing: sysrq triggered crash"))
			m.ExpectOff()
			m.Never(harness.Pattern(`^dmesg-`)) // it was removed
		})
	}
}

// TestLogMoves reads the log after the disk has come to another bus.
func TestLogMoves(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	buses := []qemu.Bus{qemu.Virtio, qemu.NVMe}
	if *long {
		buses = append(buses, qemu.AHCI)
	}
	for i, bus := range buses {
		disk.Bus = bus
		m := bootToShell(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
		m.Type(fmt.Sprintf("log add --level warn on %s; log show --all -n 0 --source shell; log stats; poweroff\r", bus))
		m.Expect(harness.Text("WARN: shell: on virtio"), harness.Pattern(fmt.Sprintf(`^Boots +%d$`, i+1)))
		m.ExpectOff()
	}
}

// TestLogOverGarbage begins where something else was.
func TestLogOverGarbage(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	f, err := os.OpenFile(disk.Path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	garbage := make([]byte, 1<<20)
	source := rand.New(rand.NewSource(4))
	for at := int64(0); at < slots.LogBytes; at += int64(len(garbage)) {
		source.Read(garbage)
		if _, err := f.WriteAt(garbage, logArea+at); err != nil {
			t.Fatal(err)
		}
	}
	m := bootToShell(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Type("poweroff\r")
	m.ExpectOff()
	inOrder(t, rayimgLog(t, disk, "show", "-n", "0"), "RayOS boot manager", "SHELL_READY", "the machine turns off")
}

// TestLogReadOnlyDisk has the services run, and the log in memory.
func TestLogReadOnlyDisk(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	before := append([]byte(nil), logStart(t, disk)...)
	disk.ReadOnly = true
	m := harness.Start(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(harness.Marker("[RAYOS_LOG:VOLATILE]"), harness.Marker("[RAYOS_BOOT_MARKER:SHELL_READY]"), shellPrompt)
	m.Type("log show -n 0 --source init\r")
	m.Expect(harness.Pattern(`INFO: init: \[RAYOS_BOOT_MARKER:SHELL_READY\]`), harness.Pattern(`^Usage: \d+% .* of 4 MB`))
	m.Type("poweroff\r")
	m.ExpectOff()
	if !bytes.Equal(before, logStart(t, disk)) {
		t.Error("the disk was written")
	}
}

func logStart(t *testing.T, disk qemu.Disk) []byte {
	t.Helper()
	f, err := os.Open(disk.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1<<20)
	if _, err := f.ReadAt(b, logArea); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLogDurable cuts the power in the middle of messages. None is lost of which was said that it is on the disk.
func TestLogDurable(t *testing.T) {
	t.Parallel()
	disk := rawRayOS(t)
	last := 100
	if *long {
		last = 10000
	}
	m := bootToShell(t, harness.Spec{Machine: qemu.Machine{Disks: []qemu.Disk{disk}}})
	m.Type("i=0; while [ $i -lt 11000 ]; do i=$((i+1)); log add --level warn message $i. && echo durable $i.; done\r")
	for i := 100; i < last; i += 100 { // each step has its own time to come
		m.Expect(harness.Text(fmt.Sprintf("durable %d.", i)))
	}
	m.Finish(harness.Text(fmt.Sprintf("durable %d.", last)))
	log := rayimgLog(t, disk, "show", "-n", "0", "--source", "shell")
	for i := 1; i <= last; i++ {
		if !strings.Contains(log, fmt.Sprintf("message %d.\n", i)) {
			t.Fatalf("message %d is lost; the log is\n%s", i, log)
		}
	}
}
