package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/markers"
)

// IDs of the entries that no file names, as the Boot Loader Interface has them.
const (
	windowsID = "auto-windows"
	setupID   = "auto-reboot-to-firmware-setup"
)

// discovery is what was found to boot.
type discovery struct {
	entries  []bootmenu.Entry
	sources  map[string]source // by entry ID
	files    map[string]string // entry ID to the path of the file that is the entry
	kernels  kernelPartition
	problems []string // for people, one line each
	dropped  int      // entries over the limit
	setup    bool     // the firmware can enter its setup
}

// kernelPartition is the RayOS Kernel partition of the boot disk; zero if there
// is none.
type kernelPartition struct {
	device uefi.Handle
	blocks *uefi.BlockIO
}

// discover looks at the volume that the manager was loaded from, at the kernel
// slots of its disk, for Windows, and asks the firmware for its setup. What
// cannot be read is a problem to tell, not an end.
func discover(sys *uefi.System, v volume) discovery {
	d := discovery{sources: make(map[string]source), files: make(map[string]string), setup: setupSupported(sys)}
	d.entryFiles(v)
	d.slots(sys, v.device)
	d.windows(v)
	if d.setup {
		d.add(bootmenu.Entry{ID: setupID, Title: "Firmware setup", Kind: markers.KindSetup, Source: "the firmware"}, nil)
	}
	return d
}

func (d *discovery) problem(format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf(format, args...))
}

// add takes an entry in, unless there are too many or its ID is taken.
func (d *discovery) add(e bootmenu.Entry, s source) {
	if e.LoaderID == "" {
		e.LoaderID = e.ID
	}
	if _, taken := d.sources[e.ID]; taken {
		d.problem("%s: the entry ID %s is taken; the entry is skipped", e.Source, e.ID)
		return
	}
	if len(d.entries) == bootmenu.MaxEntries {
		d.dropped++
		return
	}
	d.entries = append(d.entries, e)
	d.sources[e.ID] = s
}

// entryFiles finds the Type #1 and Type #2 entries of a volume.
func (d *discovery) entryFiles(v volume) {
	found, problems := esp.Discover(v.files, architecture)
	for _, p := range problems {
		d.problem("%v", p)
	}
	titles := esp.Titles(found)
	for i, e := range found {
		if e.Image() == "" || e.DeviceTree != "" {
			d.problem("%s: asks for what this boot manager cannot do; the entry is skipped", e.Path)
			continue
		}
		pins, err := e.Pins()
		if err != nil {
			d.problem("%s: %v; the entry is skipped", e.Path, err)
			continue
		}
		entry := menuEntry(e, titles[i])
		entry.Content = identity(v.files, append([]string{e.Image()}, e.Initrd...), e.Options, fmt.Sprint(pins))
		d.files[e.ID] = e.Path
		d.add(entry, fileSource{
			volume: v, title: strings.TrimSpace(entry.Title + " " + entry.Version),
			image: e.Image(), initrd: e.Initrd, pins: pins, digest: entry.Counted,
		})
	}
}

// menuEntry is what the menu and the boot policy know of an entry on the ESP.
func menuEntry(e esp.Entry, title string) bootmenu.Entry {
	entry := bootmenu.Entry{
		ID: e.ID, LoaderID: e.LoaderID, Title: title, Version: e.Version, Kind: markers.KindBLS,
		Source: "/" + e.Path, Options: e.Options, Editable: true, Bad: e.File.Bad(),
		Counted: e.BlessedByRuntime() && !e.File.Counted, Tries: e.File.Counted,
	}
	if e.Kind == esp.Type2 {
		// It carries its own command line.
		entry.Kind, entry.Options, entry.Editable = markers.KindUKI, "", false
	}
	entry.Recovery = e.Role() == esp.RoleRecovery
	return entry
}

// slots finds the kernel slots on the disk of the ESP.
func (d *discovery) slots(sys *uefi.System, boot uefi.Handle) {
	device, err := siblingPartition(sys, boot, uefi.GUID(gpt.TypeRayOSKernel))
	if device == 0 {
		if err != nil {
			d.problem("kernel slots are not available: %v", err)
		}
		return
	}
	partition, err := sys.BlockIO(device)
	if err != nil {
		d.problem("kernel slots are not available: %v", err)
		return
	}
	d.kernels = kernelPartition{device, partition}
	table, err := slots.Read(partition)
	if err != nil {
		d.problem("kernel slots are not available: %v", err)
		return
	}
	for _, s := range table.Slots {
		d.add(bootmenu.Entry{
			ID: s.ID, Title: s.Title, Kind: markers.KindSlot, Source: fmt.Sprintf("kernel slot %d", s.Index),
			Options: s.Options, Editable: true, Counted: true, Content: slotIdentity(s),
		}, slotSource{device: device, partition: partition, slot: s})
	}
}

func slotIdentity(s slots.Slot) record.Content {
	return identity(nil, nil, s.Options, golden.Digest(s.Kernel.SHA256).String(), golden.Digest(s.Initrd.SHA256).String())
}

// siblingPartition finds the partition of a type on the same disk, 0 if there is
// none.
func siblingPartition(sys *uefi.System, boot uefi.Handle, kind uefi.GUID) (uefi.Handle, error) {
	disk, err := diskPath(sys, boot)
	if err != nil || disk == nil {
		return 0, err
	}
	handles, err := sys.Handles(uefi.PartitionInfoProtocol)
	if err != nil {
		return 0, err
	}
	for _, h := range handles {
		info, err := sys.PartitionInfo(h)
		if err != nil || info.Type != kind {
			continue
		}
		if other, err := diskPath(sys, h); err == nil && bytes.Equal(other, disk) {
			return h, nil
		}
	}
	return 0, nil
}

// diskPath is the device path of the disk that a partition lies on, nil for a
// device that is no partition.
func diskPath(sys *uefi.System, partition uefi.Handle) (uefi.DevicePath, error) {
	path, err := sys.DevicePath(partition)
	if err != nil {
		return nil, err
	}
	if _, ok := path.HardDrive(); !ok {
		return nil, nil
	}
	nodes := path.Nodes()
	return uefi.DevicePath(nil).Append(nodes[:len(nodes)-1]...)
}

// windows finds Windows Boot Manager on the volume.
func (d *discovery) windows(v volume) {
	path, err := esp.Resolve(v.files, esp.WindowsPath)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		d.problem("%s: %v", esp.WindowsPath, err)
		return
	}
	d.add(bootmenu.Entry{ID: windowsID, Title: "Windows Boot Manager", Kind: markers.KindWindows, Source: "/" + path},
		fileSource{volume: v, image: path})
}
