package qemu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Program is the emulator that is looked up on PATH.
const Program = "qemu-system-x86_64"

// File descriptors of the child process: Go's exec.Cmd numbers ExtraFiles from 3.
const (
	serialFD = 3
	qmpFD    = 4
)

const (
	defaultMemoryMiB = 1024
	defaultSector    = 512
)

// args returns QEMU's command line without the program name. kvm is the decision taken from m.KVM, varStore the file
// with the variables.
func (m Machine) args(kvm bool, varStore string) ([]string, error) {
	a := []string{
		"-nodefaults", "-no-user-config",
		"-machine", "q35,accel=" + accelerator(kvm) + ",smm=" + onOff(m.Firmware.SMM),
		"-cpu", m.cpuModel(kvm),
		"-smp", strconv.Itoa(max(m.CPUs, 1)),
		"-m", strconv.Itoa(orDefault(m.MemoryMiB, defaultMemoryMiB)),
		"-device", orDefault(m.Video, "VGA"),
		"-display", display(m.Window),
		"-chardev", fmt.Sprintf("socket,id=serial0,fd=%d", serialFD),
		"-serial", "chardev:serial0",
		"-chardev", fmt.Sprintf("socket,id=qmp0,fd=%d", qmpFD),
		"-mon", "chardev=qmp0,mode=control",
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + quote(m.Firmware.Code),
		"-drive", "if=pflash,unit=1,format=raw,file=" + quote(varStore),
	}
	if m.Firmware.SMM {
		// Without this the guest's own system could write the variables that Secure Boot relies on.
		a = append(a, "-global", "driver=cfi.pflash01,property=secure,value=on")
	}
	if slices.ContainsFunc(m.Disks, func(d Disk) bool { return d.Bus == USB }) {
		a = append(a, "-device", "qemu-xhci,id=usb0")
	}
	for i, d := range m.Disks {
		disk, err := d.args(i)
		if err != nil {
			return nil, err
		}
		a = append(a, disk...)
	}
	return append(a, m.Extra...), nil
}

// cpuModel returns m.CPU or, by default, everything that the accelerator can give except five-level paging (LA57),
// which the boot manager refuses to run under.
func (m Machine) cpuModel(kvm bool) string {
	switch {
	case m.CPU != "":
		return m.CPU
	case kvm:
		return "host,la57=off"
	default:
		return "max,la57=off"
	}
}

func (d Disk) args(index int) ([]string, error) {
	logical := orDefault(d.LogicalSector, defaultSector)
	physical := orDefault(d.PhysicalSector, logical)
	for _, size := range []int{logical, physical} {
		if size != 512 && size != 4096 {
			return nil, fmt.Errorf("disk %s: sector size %d: must be 512 or 4096", d.Path, size)
		}
	}
	if physical < logical {
		return nil, fmt.Errorf("disk %s: physical sectors (%d) are smaller than logical ones (%d)", d.Path, physical, logical)
	}
	device, err := d.device(index, logical)
	if err != nil {
		return nil, fmt.Errorf("disk %s: %w", d.Path, err)
	}
	id := fmt.Sprintf("disk%d", index)
	// What the guest discards, or sets to zeros, makes holes in the file instead of filling it.
	drive := fmt.Sprintf("if=none,id=%s,format=%s,discard=unmap,snapshot=%s,file=%s", id, orDefault(d.Format, "raw"), onOff(d.Snapshot), quote(d.Path))
	if d.ReadOnly {
		drive += ",readonly=on"
	}
	device[len(device)-1] += fmt.Sprintf(",drive=%s,bootindex=%d,logical_block_size=%d,physical_block_size=%d", id, index, logical, physical)
	args := []string{"-drive", drive}
	for _, d := range device {
		args = append(args, "-device", d)
	}
	return args, nil
}

// device returns the device models of a disk, the last of which is the disk itself.
func (d Disk) device(index, logical int) ([]string, error) {
	switch orDefault(d.Bus, Virtio) {
	case Virtio:
		return []string{"virtio-blk-pci"}, nil
	case NVMe:
		return []string{fmt.Sprintf("nvme,serial=disk%d", index)}, nil
	case AHCI:
		if logical != 512 {
			return nil, fmt.Errorf("sector size %d on AHCI: QEMU's AHCI disks have 512-byte sectors only; use virtio, nvme or usb", logical)
		}
		return []string{fmt.Sprintf("ide-hd,bus=ide.%d", index)}, nil
	case USB:
		// QEMU's usb-storage is the same in one device, but without a choice of the sector size.
		return []string{fmt.Sprintf("usb-bot,id=bot%d,bus=usb0.0", index), fmt.Sprintf("scsi-hd,bus=bot%d.0", index)}, nil
	default:
		return nil, fmt.Errorf("unknown bus %q: choose one of %v", d.Bus, Buses())
	}
}

// quote escapes a file name for QEMU's comma-separated options.
func quote(path string) string { return strings.ReplaceAll(path, ",", ",,") }

func accelerator(kvm bool) string {
	if kvm {
		return "kvm"
	}
	return "tcg"
}

func display(window bool) string {
	if window {
		return "gtk"
	}
	return "none"
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
