package content

import (
	"io"
	"slices"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/write"
)

// volumeLabel is the name of the ESP's file system.
const volumeLabel = "RAYOS-ESP"

// Disk is what a disk is to hold.
type Disk struct {
	SectorSize int             // logical, in bytes
	Partitions []gpt.Partition // of which one is the ESP
	Serial     uint32          // of the ESP's file system
	Modified   time.Time       // of all files, from 1980 to 2107
	Files      []fat32.File    // of the ESP
	Slots      *Slots          // nil: none; they also stay away where there is no RayOS Kernel partition
	Areas      []Area          // of guests; each stays away where there is no partition of its type

	usage fat32.Usage
}

// ESP returns the EFI System Partition, the zero value where there is none.
func (d *Disk) ESP() gpt.Partition { return d.find(gpt.TypeESP) }

// find returns the first partition of a type.
func (d *Disk) find(t gpt.GUID) gpt.Partition {
	i := slices.IndexFunc(d.Partitions, func(p gpt.Partition) bool { return p.Type == t })
	if i < 0 {
		return gpt.Partition{}
	}
	return d.Partitions[i]
}

// Contents are what the partitions are to hold.
func (d *Disk) Contents() []write.Content {
	list := []write.Content{{Number: d.ESP().Number, Name: "EFI system partition", Write: d.writeESP}}
	if kernel := d.find(gpt.TypeRayOSKernel); kernel.Number != 0 && d.Slots != nil {
		list = append(list, write.Content{Number: kernel.Number, Name: "kernel slot", Write: d.Slots.write})
	}
	for _, a := range d.Areas {
		if p := d.find(a.Type); p.Number != 0 {
			list = append(list, write.Content{Number: p.Number, Name: a.Name, Write: a.write})
		}
	}
	return list
}

// Usage says how full the ESP is, once it was written.
func (d *Disk) Usage() fat32.Usage { return d.usage }

func (d *Disk) writeESP(w io.WriterAt) (err error) {
	p := d.ESP()
	d.usage, err = fat32.Create(w, fat32.Options{
		SizeBytes:     p.SizeBytes,
		SectorSize:    d.SectorSize,
		HiddenSectors: uint32(p.StartBytes / int64(d.SectorSize)),
		Serial:        d.Serial,
		Label:         volumeLabel,
		Modified:      d.Modified,
	}, d.Files)
	return err
}

// Identity are the files by which an installation is told from others: its install ID, and
// the boot state of one that was never booted.
func Identity(installID gpt.GUID) ([]fat32.File, error) {
	id, err := esp.FormatInstallID(installID.String())
	if err != nil {
		return nil, err
	}
	state, err := record.InitialFile(installID.String())
	if err != nil {
		return nil, err
	}
	return []fat32.File{fat32.Bytes(esp.InstallIDPath, id), fat32.Bytes(esp.BootStatePath, state)}, nil
}
