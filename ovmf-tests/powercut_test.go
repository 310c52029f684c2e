//go:build ovmf

package ovmftests

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/ovmf-tests/harness"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// cutPoint is a moment in the boot of the RayOS image at which the power is cut.
type cutPoint struct {
	at   string // marker
	left left
	ci   bool // also in the short version
}

// left says whether an attempt is on the disk that nothing good or orderly has ended.
type left int

const (
	closed left = iota
	open
	either
)

// cutPoints are the named moments of a boot. The snapshot is made beside the boot's becoming good.
var cutPoints = []cutPoint{
	{"[RAYOS_BOOTMGR:DISCOVERED] entry=rayos-slot", closed, false},
	{"[RAYOS_BOOTMGR:SELECTED] entry=rayos", open, true},
	{"[RAYOS_BOOT_MARKER:KERNEL_LOADED]", open, false},
	{"[RAYOS_BOOT_MARKER:MEMORY_READY]", open, false},
	{"[RAYOS_BOOT_MARKER:SUBSYSTEMS_READY]", open, false},
	{"[RAYOS_BOOT_MARKER:SHELL_READY]", open, true},
	{"[RAYOS_BOOTMGR:SNAPSHOT] state=candidate", either, true},
	{"[RAYOS_BOOT_MARKER:GOLDEN]", closed, false},
	{"[RAYOS_BOOTMGR:BOOT_SUCCESS]", closed, true},
}

// TestBootLoopPowerCuts cuts the power of one machine again and again, at every named moment of its boot. Nothing that was known
// before is lost, each attempt that was open counts as a failure, and in the end the machine comes up well.
func TestBootLoopPowerCuts(t *testing.T) {
	t.Parallel()
	rounds := 1
	if *long {
		rounds = 4
	}
	for range rounds {
		powerCuts(t, rawRayOS(t))
	}
}

func powerCuts(t *testing.T, disk qemu.Disk) {
	t.Helper()
	before := whatIsKnown(t, disk)
	for _, p := range cutPoints {
		if p.ci || *long {
			cutAt(t, disk, p)
			before = nothingLost(t, disk, before, p)
		}
	}
	m := start(t, disk)
	m.Expect(menuCounts)
	m.Type(harness.SerialEnter)
	m.Expect(blessed, shellPrompt)
	m.Type("recovery snapshot; poweroff\r")
	m.ExpectOff()
	if after := nothingLost(t, disk, before, cutPoint{at: "the end"}); len(after.stable) != 1 {
		t.Errorf("golden snapshots in the end: %+v", after.stable)
	}
}

// rawRayOS is a disk of the RayOS image that keeps what is written on it, and that the host can read.
func rawRayOS(t *testing.T) qemu.Disk {
	t.Helper()
	disk := qemu.Disk{Path: filepath.Join(t.TempDir(), "disk.img")}
	harness.Run(t, "cp", "--sparse=always", "--reflink=auto", rayosImage(t, 512), disk.Path)
	return disk
}

func cutAt(t *testing.T, disk qemu.Disk, p cutPoint) {
	t.Helper()
	t.Log("cut at", p.at)
	harness.Run(t, harness.Artifact(t, "rayimg"), "bootmgr", "reset", disk.Path)
	m := start(t, disk)
	if p.at != cutPoints[0].at {
		m.Expect(menuCounts)
		m.Type(harness.SerialEnter)
	}
	m.Finish(harness.Marker(p.at))
}

// known is what a disk must not forget.
type known struct {
	sequence uint64
	events   uint32
	stable   []golden.Snapshot
}

func whatIsKnown(t *testing.T, disk qemu.Disk) known {
	t.Helper()
	loaded := remembered(t, disk)
	if loaded.Status != record.Good && loaded.Status != record.Degraded {
		t.Fatalf("the record is %v: %v", loaded.Status, loaded.Problem)
	}
	k := known{sequence: loaded.Record.Sequence, events: loaded.Record.NextEvent}
	withESP(t, disk, func(volume fs.FS) {
		all, problems := golden.List(volume)
		for _, err := range problems {
			t.Error(err)
		}
		for _, s := range all {
			if s.State == golden.Stable {
				k.stable = append(k.stable, s)
			}
		}
	})
	return k
}

func withESP(t *testing.T, disk qemu.Disk, do func(volume fs.FS)) {
	t.Helper()
	d, err := diskstate.Open(disk.Path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	volume, err := d.ESP()
	if err != nil {
		t.Fatal(err)
	}
	do(volume)
}

// nothingLost compares what is known after a cut with what was known before, and has rayimg look at the disk: what a cut
// leaves behind is no problem.
func nothingLost(t *testing.T, disk qemu.Disk, before known, p cutPoint) known {
	t.Helper()
	verify(t, disk.Path)
	after := whatIsKnown(t, disk)
	if after.sequence < before.sequence || after.events < before.events || len(after.stable) < len(before.stable) {
		t.Errorf("cut at %s: known are %+v, before %+v", p.at, after, before)
	}
	withESP(t, disk, func(volume fs.FS) {
		for _, s := range after.stable {
			if err := golden.Verify(volume, nil, s); err != nil {
				t.Errorf("cut at %s: %v", p.at, err)
			}
		}
	})
	attempt := remembered(t, disk).Record.Open
	if isOpen := attempt.Kind == record.EntryAttempt; p.left != either && isOpen != (p.left == open) {
		t.Errorf("cut at %s: the open attempt is %+v", p.at, attempt)
	}
	return after
}
