package qemu

import (
	"slices"
	"strings"
	"testing"
)

func TestDefaultMachine(t *testing.T) {
	m := Machine{
		Firmware: Firmware{Code: "/fw/CODE.fd", Vars: "/fw/VARS.fd"},
		Disks:    []Disk{{Path: "/tmp/a,b.img"}},
	}
	got, err := m.args(false, "/tmp/vars.fd")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-nodefaults", "-no-user-config",
		"-machine", "q35,accel=tcg,smm=off",
		"-cpu", "max,la57=off", "-smp", "1", "-m", "1024",
		"-device", "VGA", "-display", "none",
		"-chardev", "socket,id=serial0,fd=3", "-serial", "chardev:serial0",
		"-chardev", "socket,id=qmp0,fd=4", "-mon", "chardev=qmp0,mode=control",
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/fw/CODE.fd",
		"-drive", "if=pflash,unit=1,format=raw,file=/tmp/vars.fd",
		"-drive", "if=none,id=disk0,format=raw,discard=unmap,snapshot=off,file=/tmp/a,,b.img",
		"-device", "virtio-blk-pci,drive=disk0,bootindex=0,logical_block_size=512,physical_block_size=512",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestMachineOptions(t *testing.T) {
	disk := func(d Disk) Machine { d.Path = "d.img"; return Machine{Disks: []Disk{d}} }
	for _, c := range []struct {
		name string
		m    Machine
		kvm  bool
		want string // a part of the arguments joined by spaces
	}{
		{"memory", Machine{MemoryMiB: 256}, false, "-m 256"},
		{"KVM", Machine{}, true, "q35,accel=kvm,smm=off -cpu host,la57=off"},
		{"CPU", Machine{CPU: "qemu64"}, true, "-cpu qemu64"},
		{"window", Machine{Window: true}, false, "-display gtk"},
		{"SMM", Machine{Firmware: Firmware{SMM: true}}, false, "q35,accel=tcg,smm=on"},
		{"SMM locks the flash", Machine{Firmware: Firmware{SMM: true}}, false, "driver=cfi.pflash01,property=secure,value=on"},
		{"graphics", Machine{Video: "virtio-gpu-pci,id=video0"}, false, "-m 1024 -device virtio-gpu-pci,id=video0 -display none"},
		{"extra", Machine{Extra: []string{"-device", "i6300esb"}}, false, "-device i6300esb"},
		{"snapshot", disk(Disk{Snapshot: true}), false, "snapshot=on,file=d.img"},
		{"overlay", disk(Disk{Format: "qcow2"}), false, "format=qcow2"},
		{"NVMe 4096", disk(Disk{Bus: NVMe, LogicalSector: 4096}), false, "nvme,serial=disk0,drive=disk0,bootindex=0,logical_block_size=4096,physical_block_size=4096"},
		{"512e", disk(Disk{PhysicalSector: 4096}), false, "logical_block_size=512,physical_block_size=4096"},
		{"AHCI", disk(Disk{Bus: AHCI}), false, "ide-hd,bus=ide.0,drive=disk0"},
		{"USB controller", disk(Disk{Bus: USB}), false, "-device qemu-xhci,id=usb0"},
		{"USB 4096", disk(Disk{Bus: USB, LogicalSector: 4096}), false, "-device usb-bot,id=bot0,bus=usb0.0 -device scsi-hd,bus=bot0.0,drive=disk0,bootindex=0,logical_block_size=4096"},
		{"two disks", Machine{Disks: []Disk{{Path: "a"}, {Path: "b", Bus: NVMe}}}, false, "nvme,serial=disk1,drive=disk1,bootindex=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args, err := c.m.args(c.kvm, "vars.fd")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(args, " "); !strings.Contains(got, c.want) {
				t.Errorf("no %q in %q", c.want, got)
			}
		})
	}
}

func TestImpossibleDisks(t *testing.T) {
	for _, c := range []struct {
		disk Disk
		want string
	}{
		{Disk{LogicalSector: 520}, "must be 512 or 4096"},
		{Disk{LogicalSector: 4096, PhysicalSector: 512}, "smaller than logical"},
		{Disk{Bus: AHCI, LogicalSector: 4096}, "512-byte sectors only"},
		{Disk{Bus: "floppy"}, `unknown bus "floppy"`},
	} {
		_, err := Machine{Disks: []Disk{c.disk}}.args(false, "vars.fd")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.disk, err, c.want)
		}
	}
}
