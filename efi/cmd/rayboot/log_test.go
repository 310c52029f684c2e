package main

import (
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

// kernelStart is where the RayOS Kernel partition begins, in bytes.
const kernelStart = 821248 * 512

// addRayOSDisk adds a disk with an ESP of these files and a RayOS Kernel
// partition, which it returns too.
func addRayOSDisk(fw *fakefw.Firmware, files fakefw.Files) (*fakefw.Disk, *fakefw.Partition) {
	disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<24)
	disk.AddPartition(1, uefi.PartitionInfo{Type: fakefw.ESPType, StartLBA: 2048, EndLBA: 821247}).Format(files)
	const start = kernelStart / 512
	return disk, disk.AddPartition(2, uefi.PartitionInfo{Type: uefi.GUID(gpt.TypeRayOSKernel), StartLBA: start, EndLBA: start + 8<<20 - 1})
}

// diskLog is the log area of a disk, for reading.
type diskLog struct{ fakefw.Medium }

func (d diskLog) ReadAt(b []byte, offset int64) (int, error) {
	return d.Medium.ReadAt(b, kernelStart+slots.LogOffset+offset)
}

func (d diskLog) Sync() error { return nil }

// logged is what the log on a disk has.
func logged(t *testing.T, disk *fakefw.Disk) []raylog.Record {
	t.Helper()
	ring, err := raylog.Open(diskLog{disk.Medium}, slots.LogBytes, raylog.Options{ID: raylog.InstallLogID(testInstallID)})
	if err != nil {
		t.Fatal(err)
	}
	var all []raylog.Record
	reader := ring.Reader(raylog.Query{})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		all = append(all, r)
	}
	return all
}

func TestLogHasEveryLine(t *testing.T) {
	files := rayosFiles(t)
	files["loader/entries/a.conf"] = strings.Replace(files["loader/entries/a.conf"], "/linux-a", "/none", 1)
	fw := fakefw.New()
	defer fw.Close()
	disk, _ := addRayOSDisk(fw, files)
	if end := boot(fw); end.How != fakefw.Booted {
		t.Fatalf("%v\n%s", end.How, fw.Transcript())
	}
	boot, _, err := fw.System().GetVariable("RayosBoot", rayosVendor)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range logged(t, disk) {
		lines = append(lines, r.Level.String()+" "+r.Message)
		if r.Source != logSource || r.Boot.String() != uefi.DecodeUTF16(boot) {
			t.Errorf("record %+v", r)
		}
	}
	all := strings.Join(lines, "\n")
	at := 0
	for _, want := range []string{
		"INFO " + heading, "INFO [RAYOS_BOOTMGR:DISCOVERED] entry=a", "INFO [RAYOS_BOOTMGR:SELECTED] entry=a",
		"WARN [RAYOS_BOOTMGR:ENTRY_FAILED] entry=a", "WARN [RAYOS_BOOT_MARKER:FAILURE_COUNT] entry=a, count=1", "INFO [RAYOS_BOOTMGR:SELECTED] entry=b",
	} {
		next := strings.Index(all[at:], want)
		if next < 0 {
			t.Fatalf("no %q behind %q in\n%s", want, all[:at], all)
		}
		at += next
	}
}

// TestLogGoesOn has two boots in one log.
func TestLogGoesOn(t *testing.T) {
	medium := &fakefw.Sparse{}
	var count int
	for range 2 {
		fw := fakefw.New()
		disk, _ := addRayOSDisk(fw, rayosFiles(t))
		disk.Medium = medium
		if end := boot(fw); end.How != fakefw.Booted {
			t.Fatalf("%v\n%s", end.How, fw.Transcript())
		}
		records := logged(t, disk)
		if len(records) <= count || records[len(records)-1].Boot == records[0].Boot && count > 0 {
			t.Errorf("%d records after %d", len(records), count)
		}
		count = len(records)
		fw.Close()
	}
}

// TestLogThatCannotBeWritten is said once, and the boot goes on.
func TestLogThatCannotBeWritten(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	disk, _ := addRayOSDisk(fw, rayosFiles(t))
	disk.Medium = brokenMedium{disk.Medium}
	end := boot(fw)
	if end.How != fakefw.Booted || strings.Count(fw.Transcript(), "The log ends here") != 1 {
		t.Errorf("%v\n%s", end.How, fw.Transcript())
	}
}

// TestLogOfReadOnlyDisk is said before the menu.
func TestLogOfReadOnlyDisk(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	_, kernels := addRayOSDisk(fw, rayosFiles(t))
	kernels.SetReadOnly()
	end := boot(fw)
	if end.How != fakefw.Booted || !strings.Contains(fw.Transcript(), "The log ends here, the boot goes on: its disk is read-only") {
		t.Errorf("%v\n%s", end.How, fw.Transcript())
	}
}

// brokenMedium cannot be written where the log is.
type brokenMedium struct{ fakefw.Medium }

func (b brokenMedium) WriteAt(p []byte, offset int64) (int, error) {
	if offset >= kernelStart+slots.LogOffset && offset < kernelStart+slots.LogOffset+slots.LogBytes {
		return 0, uefi.ErrDeviceError
	}
	return b.Medium.WriteAt(p, offset)
}

// TestNoLogWithoutInstallation leaves the disk of somebody else alone.
func TestNoLogWithoutInstallation(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	files := rayosFiles(t)
	delete(files, "EFI/rayos/install.id")
	disk, _ := addRayOSDisk(fw, files)
	if end := boot(fw); end.How != fakefw.Booted {
		t.Fatalf("%v\n%s", end.How, fw.Transcript())
	}
	if records := logged(t, disk); len(records) > 0 {
		t.Errorf("a disk of nobody has a log: %+v", records)
	}
}
