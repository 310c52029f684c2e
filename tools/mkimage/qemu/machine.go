// Package qemu describes an x86-64 virtual machine with UEFI firmware, starts it in QEMU and talks to it.
//
// It owns the QEMU command line, the pairing of OVMF's code and variable store, the child process and its temporary
// files, the QMP connection, and the bytes of the first serial port. What a guest prints is not its business (package
// markers), nor what a guest is expected to do (ovmf-tests).
//
// Written for QEMU 7.2 and later on Linux; monitor commands as in the "QEMU QMP Reference Manual" of that version.
package qemu

import "github.com/rayos/rayboot/presentation/qmp"

// Bus is the kind of controller that a disk hangs on.
type Bus string

// The controllers that OVMF and Debian's kernel both drive.
const (
	Virtio Bus = "virtio"
	NVMe   Bus = "nvme"
	AHCI   Bus = "ahci"
	USB    Bus = "usb"
)

// Buses lists every Bus in the order in which help texts show them.
func Buses() []Bus { return []Bus{Virtio, NVMe, AHCI, USB} }

// Disk is one disk of a Machine. The first disk of a machine is the one that the firmware tries first.
type Disk struct {
	Path   string
	Format string // "raw", the default, or "qcow2"
	Bus    Bus    // Virtio by default

	// LogicalSector and PhysicalSector are in bytes, 512 or 4096; 0 means 512 and LogicalSector. A physical sector
	// is never smaller than a logical one. AHCI disks have 512-byte logical sectors only.
	LogicalSector, PhysicalSector int

	// Snapshot keeps Path as it is: writes go to a temporary file that ends with the machine.
	Snapshot bool

	// ReadOnly makes the disk refuse writes, as a write-protected medium does.
	ReadOnly bool
}

// KVMMode says whether a machine runs on the host's processor or in QEMU's software emulation.
type KVMMode string

// KVMAuto takes KVM where /dev/kvm can be opened; KVMOn makes its absence an error of Start.
const (
	KVMAuto KVMMode = "auto"
	KVMOn   KVMMode = "on"
	KVMOff  KVMMode = "off"
)

// Machine describes a q35 machine with a graphics adapter, a PS/2 keyboard and one serial port. It has no network
// and nothing else unless Extra adds it.
type Machine struct {
	Firmware Firmware // FindFirmware
	Disks    []Disk

	// VarStore is the file that holds the firmware's variables. "" gives the machine a fresh copy of the firmware's
	// template and removes it at the end. A named file is created from the template if it is missing, and kept.
	VarStore string

	MemoryMiB int    // 1024 by default
	CPUs      int    // 1 by default
	CPU       string // QEMU's -cpu; the default is described at cpuModel
	KVM       KVMMode

	Video string // the model of the graphics adapter as QEMU names it, VGA by default

	Window bool // show the screen in a window of the host's desktop; else the screen is there, but nowhere shown

	// Extra are further QEMU arguments, put at the end.
	Extra []string

	// OnEvent, if set, is called for every QMP event, in order, by one goroutine that must not be held up.
	OnEvent func(qmp.Event)
}
