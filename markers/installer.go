package markers

import "strconv"

const installer = "RAYOS_INSTALLER"

var installerDisk = define(Definition{
	Subsystem: installer, Name: "BOOT:DISK_DETECTED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The installer found a disk. One line per disk, at most 16.",
	Fields: []FieldDefinition{
		{Key: "disk", Meaning: "the kernel's name of it"},
		{Key: "bus", Meaning: "what it hangs on, such as usb or nvme"},
		{Key: "bytes", Number: true, Meaning: "its size"},
	},
	Example: InstallerDisk{Disk: "nvme0n1", Bus: "nvme", Bytes: 500_107_862_016},
})

// InstallerDisk: the installer found a disk.
type InstallerDisk struct {
	Disk  string // the kernel's name
	Bus   string
	Bytes int64 // size
}

// Marker implements [Emitter].
func (d InstallerDisk) Marker() Marker {
	return installerDisk.marker(d.Disk, d.Bus, strconv.FormatInt(d.Bytes, 10))
}

var installerDisksDropped = define(Definition{
	Subsystem: installer, Name: "BOOT:DISKS_DROPPED", EmittedBy: EmittedByRuntime, Since: "0.2", Alarm: true,
	Meaning: "There are more disks than the installer lists. Each of the others can be named, too.",
	Fields: []FieldDefinition{
		{Key: "count", Number: true, Meaning: "disks that are not listed"},
		{Key: "limit", Number: true, Meaning: "disks that are"},
	},
	Example: InstallerDisksDropped{Count: 1, Limit: 16},
})

// InstallerDisksDropped: there are more disks than are listed.
type InstallerDisksDropped struct{ Count, Limit int }

// Marker implements [Emitter].
func (d InstallerDisksDropped) Marker() Marker {
	return installerDisksDropped.marker(strconv.Itoa(d.Count), strconv.Itoa(d.Limit))
}

var installerUSB = define(Definition{
	Subsystem: installer, Name: "BOOT:USB", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The machine was booted from a disk on USB. It is what is installed from, and never a target.",
	Fields:  []FieldDefinition{{Key: "disk", Meaning: "the kernel's name of it"}},
	Example: InstallerUSB{Disk: "sda"},
})

// InstallerUSB: the machine was booted from a disk on USB.
type InstallerUSB struct{ Disk string }

// Marker implements [Emitter].
func (u InstallerUSB) Marker() Marker { return installerUSB.marker(u.Disk) }

var installerPartition = define(Definition{
	Subsystem: installer, Name: "PARTITION_CREATED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "A partition was made. One line per partition, once the new table and all that belongs to it are on the disk.",
	Fields: []FieldDefinition{
		{Key: "disk", Meaning: "the kernel's name of the disk"},
		{Key: "number", Number: true, Meaning: "of the partition in the table"},
		{Key: "name", Meaning: "of the partition"},
	},
	Example: InstallerPartition{Disk: "nvme0n1", Number: 1, Name: "EFI System"},
})

// InstallerPartition: a partition was made.
type InstallerPartition struct {
	Disk   string
	Number int
	Name   string
}

// Marker implements [Emitter].
func (p InstallerPartition) Marker() Marker {
	return installerPartition.marker(p.Disk, strconv.Itoa(p.Number), p.Name)
}

var installerComplete = define(Definition{
	Subsystem: installer, Name: "INSTALL_COMPLETE", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "RayOS is installed: written, read back, compared and checked. The power may be cut.",
	Fields: []FieldDefinition{
		{Key: "disk", Meaning: "the kernel's name of the disk"},
		{Key: "bytes", Number: true, Meaning: "how much was written"},
		{Key: "boot_entry", Meaning: "the firmware's variable that starts it, such as Boot0004; empty where only the removable path does"},
	},
	Example: InstallerComplete{Disk: "nvme0n1", Bytes: 73_400_320, BootEntry: "Boot0004"},
})

// InstallerComplete: RayOS is installed.
type InstallerComplete struct {
	Disk      string
	Bytes     int64  // written
	BootEntry string // the firmware's variable, or empty
}

// Marker implements [Emitter].
func (c InstallerComplete) Marker() Marker {
	return installerComplete.marker(c.Disk, strconv.FormatInt(c.Bytes, 10), c.BootEntry)
}

var installerFailed = define(Definition{
	Subsystem: installer, Name: "INSTALL_FAILED", EmittedBy: EmittedByRuntime, Since: "0.2", Alarm: true,
	Meaning: "An installation was refused or has failed. The text says what became of the disk.",
	Fields: []FieldDefinition{
		{Key: "disk", Meaning: "the kernel's name of the disk; empty if none was chosen"},
		{Key: "reason", Meaning: "what went wrong, for people"},
	},
	Example: InstallerFailed{Disk: "sdb", Reason: "sdb is not written: it is read-only"},
})

// InstallerFailed: an installation was refused or has failed.
type InstallerFailed struct {
	Disk   string // empty if none was chosen
	Reason string // a long text is cut
}

// Marker implements [Emitter].
func (f InstallerFailed) Marker() Marker { return installerFailed.marker(f.Disk, f.Reason) }
