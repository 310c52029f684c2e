package main

import (
	"fmt"
	"path"
	"time"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// findGolden lists the golden snapshots of the volume, in the order in which
// they are tried. What is in them is verified when one is started.
func (m *manager) findGolden() []bootmenu.Snapshot {
	found, problems := golden.List(m.volume.files)
	for _, err := range problems {
		m.console.warn("A golden snapshot cannot be used: %v", err)
	}
	if m.goldenKey.err != nil {
		m.console.warn("Golden snapshots: %v", m.goldenKey.err)
	}
	m.goldens = make(map[golden.Digest]golden.Snapshot)
	var all []bootmenu.Snapshot
	for _, s := range found {
		id := s.ID()
		m.goldens[id] = s
		all = append(all, bootmenu.Snapshot{ID: id, Title: s.Title})
	}
	return all
}

// startGolden verifies and starts a golden snapshot. It comes back only if that
// failed.
func (m *manager) startGolden(order bootmenu.StartGolden) bootmenu.Event {
	m.console.clear()
	snapshot := m.goldens[order.Snapshot]
	reason := markers.ReasonRecovery
	if order.Reason == string(markers.ReasonUser) {
		reason = markers.ReasonUser
	}
	m.console.emit(markers.BootmgrSelected{Entry: bootmenu.GoldenID, Reason: reason})
	err := m.run(launch{
		id: bootmenu.GoldenID, source: goldenSource{m.volume, m.kernels, snapshot, m.goldenKey}, options: snapshot.Options,
		watchdog: time.Duration(order.WatchdogSeconds) * time.Second,
		loaded: markers.BootmgrRecoveryFallback{
			Snapshot: bootmenu.ShortID(order.Snapshot), Attempt: order.Attempt, Limit: bootmenu.RecoveryLimit, Reason: order.Reason,
		},
	})
	return startFailed(bootmenu.GoldenID, err)
}

// goldenSource is a golden snapshot: parts in the store on the ESP, or in kernel
// slots.
type goldenSource struct {
	volume   volume
	kernels  kernelPartition
	snapshot golden.Snapshot
	key      goldenKey
}

func (g goldenSource) read(sys *uefi.System) (p payload, err error) {
	p.booted = golden.Booted{Title: g.snapshot.Title, Snapshot: g.snapshot.ID()}
	if err := g.key.check(g.snapshot); err != nil {
		return p, at(markers.StageVerify, err)
	}
	if p.path, err = g.path(sys); err != nil {
		return p, at(markers.StageRead, err)
	}
	if p.image, p.booted.Kernel, err = g.readPart("kernel", g.snapshot.Kernel); err != nil {
		return p, err
	}
	if g.snapshot.Initrd.LengthBytes > 0 {
		if p.initrd, p.booted.Initrd, err = g.readPart("initrd", g.snapshot.Initrd); err != nil {
			return p, err
		}
	}
	return p, at(markers.StageLoad, checkImage("kernel of the snapshot", p.image.Bytes()))
}

// path is where the snapshot's kernel comes from.
func (g goldenSource) path(sys *uefi.System) (uefi.DevicePath, error) {
	part := g.snapshot.Kernel
	if part.Slot >= 0 {
		if err := g.checkSlot("kernel", part); err != nil {
			return nil, err
		}
		return sys.DevicePath(g.kernels.device)
	}
	device, err := sys.DevicePath(g.volume.device)
	if err != nil {
		return nil, err
	}
	return device.AppendFile(partPath(part))
}

// checkSlot says why a part that lies in a kernel slot cannot be read.
func (g goldenSource) checkSlot(what string, part golden.Part) error {
	if g.kernels.blocks == nil {
		return fmt.Errorf("%s of the snapshot lies in kernel slot %d, and there is no RayOS Kernel partition", what, part.Slot)
	}
	return nil
}

func partPath(part golden.Part) string {
	return path.Join(golden.Dir, part.FileName())
}

// readPart reads a part into memory and verifies it there.
func (g goldenSource) readPart(what string, part golden.Part) (*uefi.Pages, golden.BootedPart, error) {
	name := what + " of the snapshot"
	booted := golden.BootedPart{Slot: part.Slot, OffsetBytes: part.OffsetBytes, LengthBytes: part.LengthBytes, SHA256: part.SHA256}
	var pages *uefi.Pages
	var err error
	if part.Slot < 0 {
		booted.Paths = []string{partPath(part)}
		pages, err = g.volume.files.ReadPages(partPath(part))
	} else if err = g.checkSlot(what, part); err == nil {
		pages, err = g.kernels.blocks.ReadPages(part.OffsetBytes, int(part.LengthBytes))
	}
	if err != nil {
		return pages, booted, at(markers.StageRead, err)
	}
	return pages, booted, at(markers.StageVerify, part.SHA256.Verify(name, sum(pages.Bytes())))
}
