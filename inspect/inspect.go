// Package inspect looks into disk images: [Read] describes what one holds,
// [Verify] says what is wrong with it, [Draw] and [SVG] show it. It works on
// any GPT disk, also on hostile ones, and never writes.
package inspect

import (
	"errors"
	"io"
	"slices"

	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// Report describes a disk. Its JSON names are part of rayimg's interface.
type Report struct {
	Path           string     `json:"path"`
	AllocatedBytes int64      `json:"allocatedBytes"` // on the host's file system
	Table          gpt.Table  `json:"table"`
	ESP            *ESP       `json:"esp,omitempty"`
	Slots          *Slots     `json:"slots,omitempty"`
	BootState      *BootState `json:"bootState,omitempty"` // nil on a disk that is not RayOS's
	Golden         *Golden    `json:"golden,omitempty"`    // nil where no golden snapshot was ever made

	System     *System     `json:"system,omitempty"`     // nil where the RayOS System partition is empty
	LinuxGuest *LinuxGuest `json:"linuxGuest,omitempty"` // nil where there is no ext4
}

// ESP describes the EFI System Partition.
type ESP struct {
	Partition int         `json:"partition"`
	Error     string      `json:"error,omitempty"` // why the rest is missing
	Volume    fat32.Info  `json:"volume"`
	Usage     fat32.Usage `json:"usage"`
	Files     []File      `json:"files"`
	More      bool        `json:"more"` // there are more files than listed
	Entries   []Entry     `json:"entries"`
}

// File is a file or directory of the ESP.
type File struct {
	Path  string `json:"path"`
	Dir   bool   `json:"dir"`
	Bytes int64  `json:"bytes"`
}

// Entry is a boot entry of the ESP.
type Entry struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Kind   string   `json:"kind"`
	Image  string   `json:"image"`            // path of what is started
	Initrd []string `json:"initrd,omitempty"` // paths, in order
	Pins   Pins     `json:"pins"`
}

// Slots describes the slot table of the RayOS Kernel partition.
type Slots struct {
	Partition int         `json:"partition"`
	Error     string      `json:"error,omitempty"`
	Table     slots.Table `json:"table"`
}

// Read describes the disk of diskBytes bytes in r. It fails where there is no
// partition table; what cannot be read below that is told in the report.
func Read(r io.ReaderAt, diskBytes int64) (Report, error) {
	table, _, err := gpt.Read(r, diskBytes)
	if err != nil {
		return Report{}, err
	}
	report := Report{Table: table}
	if p, ok := firstOfType(table, gpt.TypeESP); ok {
		report.ESP = readESP(section(r, p), p)
	}
	if p, ok := firstOfType(table, gpt.TypeRayOSKernel); ok {
		report.Slots = &Slots{Partition: p.Number}
		if report.Slots.Table, err = slots.Read(section(r, p)); err != nil {
			report.Slots.Error = slotError(err)
		}
	}
	if p, ok := firstOfType(table, gpt.TypeRayOSSystem); ok {
		report.System = readSystem(section(r, p), p)
	}
	if p, ok := firstOfType(table, gpt.TypeLinuxData); ok {
		report.LinuxGuest = readLinux(section(r, p), p)
	}
	if disk, err := diskstate.View(r, table); err == nil { // else there is no ESP
		report.BootState, report.Golden = readBootState(disk), readGolden(disk)
	}
	return report, nil
}

func slotError(err error) string {
	if errors.Is(err, slots.ErrNoTable) {
		return slots.ErrNoTable.Error()
	}
	return err.Error()
}

func section(r io.ReaderAt, p gpt.Partition) *io.SectionReader {
	return io.NewSectionReader(r, p.StartBytes, p.SizeBytes)
}

func firstOfType(t gpt.Table, typ gpt.GUID) (gpt.Partition, bool) {
	i := slices.IndexFunc(t.Partitions, func(p gpt.Partition) bool { return p.Type == typ })
	if i < 0 {
		return gpt.Partition{}, false
	}
	return t.Partitions[i], true
}
