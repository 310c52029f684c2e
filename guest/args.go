package guest

import (
	"fmt"
	"image"
	"strconv"
	"strings"
)

// Machine is what the host, or the runtime, has for a guest. Its files exist when the
// guest is started.
type Machine struct {
	Tree Tree
	KVM  bool // or else the processors are emulated

	Disk            string // a block device or a file; empty: none
	DiskOffsetBytes int64  // of the guest's disk in it
	DiskSizeBytes   int64  // 0: up to its end
	Snapshot        bool   // what the guest writes is lost at its end; it needs room in TMPDIR

	Kernel, Initrd string // Linux
	Vars           string // Windows: its own copy of the template Tree.Path(FirmwareDir, FirmwareVars)

	Display string // Unix socket at which a vhost-user-gpu back-end waits (Linux); empty: no screen
	Monitor string // Unix socket that QEMU makes for its monitor (QMP); empty: none
}

// commandLine is what every Linux guest is started with. The serial line and the
// screen both show what the kernel says; programs speak to the screen.
const commandLine = "root=/dev/vda rw console=ttyS0 console=tty0 panic=10"

// Args returns QEMU's arguments after [Tree.Command]. The guest's first serial port is
// QEMU's standard input and output. A guest that restarts itself goes on in the same
// QEMU; one that powers off ends it with status 0, a crash of its kernel with another one.
// The guest has no network.
func (c Config) Args(m Machine) []string {
	a := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-name", string(c.Name),
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		// A back-end maps the guest's memory, which only a shared memfd lets it do.
		"-object", fmt.Sprintf("memory-backend-memfd,id=memory,size=%dM,share=on", c.MemoryMiB),
		"-m", strconv.Itoa(c.MemoryMiB), "-smp", strconv.Itoa(c.CPUs),
		"-machine", "q35,smm=off,memory-backend=memory,accel=" + accelerator(m.KVM),
		"-cpu", c.cpu(m.KVM),
		"-serial", "stdio",
		"-device", "pvpanic-pci", "-action", "panic=exit-failure",
	}
	if m.Monitor != "" {
		a = append(a, "-chardev", "socket,id=monitor,server=on,wait=off,path="+quote(m.Monitor), "-mon", "chardev=monitor,mode=control")
	}
	if m.Disk != "" {
		a = append(a, "-drive", m.drive())
	}
	if c.Name == Windows {
		return append(a, windows(m)...)
	}
	return append(a, c.linux(m)...)
}

// linux are the devices that Linux has drivers for, which cost the least.
func (c Config) linux(m Machine) []string {
	a := []string{
		"-kernel", m.Kernel, "-append", c.commandLine(),
		"-device", "virtio-keyboard-pci", "-device", "virtio-tablet-pci",
	}
	if m.Initrd != "" {
		a = append(a, "-initrd", m.Initrd)
	}
	if m.Disk != "" {
		a = append(a, "-device", "virtio-blk-pci,drive=disk")
	}
	if m.Display != "" {
		a = append(a, "-chardev", "socket,id=display,path="+quote(m.Display), "-device", "vhost-user-gpu-pci,chardev=display")
	}
	return a
}

func (c Config) commandLine() string {
	line := commandLine
	if c.Screen != (image.Point{}) {
		line += fmt.Sprintf(" video=%dx%d", c.Screen.X, c.Screen.Y)
	}
	return strings.TrimSpace(line + " " + c.Append)
}

// windows are the devices that Windows has drivers for by itself, and the firmware that
// starts it. Its clock has local time.
func windows(m Machine) []string {
	a := []string{
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + quote(m.Tree.Path(FirmwareDir, FirmwareCode)),
		"-drive", "if=pflash,unit=1,format=raw,file=" + quote(m.Vars),
		"-rtc", "base=localtime",
		"-device", "ramfb",
		"-device", "qemu-xhci", "-device", "usb-kbd", "-device", "usb-tablet",
	}
	if m.Disk != "" {
		a = append(a, "-device", "ide-hd,bus=ide.0,drive=disk")
	}
	return a
}

// hyperV tells Windows that it is a guest, which makes it wait less.
const hyperV = ",hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,hv-stimer=on"

// cpu is all that the accelerator can give; five-level paging (LA57) serves nobody here,
// and old firmware stops at it.
func (c Config) cpu(kvm bool) string {
	switch {
	case !kvm:
		return "max,la57=off"
	case c.Name == Windows:
		return "host,la57=off" + hyperV
	}
	return "host,la57=off"
}

func (m Machine) drive() string {
	d := "if=none,id=disk,format=raw,discard=unmap,file=" + quote(m.Disk)
	if m.DiskOffsetBytes != 0 || m.DiskSizeBytes != 0 {
		d += fmt.Sprintf(",offset=%d", m.DiskOffsetBytes)
	}
	if m.DiskSizeBytes != 0 {
		d += fmt.Sprintf(",size=%d", m.DiskSizeBytes)
	}
	if m.Snapshot {
		d += ",snapshot=on"
	}
	return d
}

// quote escapes a file name for QEMU's comma-separated options.
func quote(path string) string { return strings.ReplaceAll(path, ",", ",,") }

func accelerator(kvm bool) string {
	if kvm {
		return "kvm"
	}
	return "tcg"
}
