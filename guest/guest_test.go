package guest

import (
	"errors"
	"image"
	"slices"
	"strings"
	"testing"
)

func TestDefaults(t *testing.T) {
	for _, name := range Names() {
		if err := Default(name).Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestCheck(t *testing.T) {
	for says, change := range map[string]func(*Config){
		"there is no such guest": func(c *Config) { c.Name = "freebsd" },
		"63 MiB":                 func(c *Config) { c.MemoryMiB = 63 },
		"1048577 MiB":            func(c *Config) { c.MemoryMiB = MaxMemoryMiB + 1 },
		"0 processors":           func(c *Config) { c.CPUs = 0 },
		"129 processors":         func(c *Config) { c.CPUs = MaxCPUs + 1 },
		"-1 restarts":            func(c *Config) { c.Restarts = -1 },
		"restarts within -1ns":   func(c *Config) { c.Within = -1 },
		"640 by 0 pixels":        func(c *Config) { c.Screen = image.Pt(640, 0) },
		"9000 by 600 pixels":     func(c *Config) { c.Screen = image.Pt(9000, 600) },
		"printable":              func(c *Config) { c.Append = "a\x00b" },
		"itself":                 func(c *Config) { c.Name, c.Append = Windows, "quiet" },
	} {
		c := Default(Linux)
		change(&c)
		if err := c.Check(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", c, err, says)
		}
	}
}

// after returns the argument that follows an option, or those of a repeated one.
func after(args []string, option string) (all []string) {
	for i, a := range args[:len(args)-1] {
		if a == option {
			all = append(all, args[i+1])
		}
	}
	return all
}

func TestLinuxArgs(t *testing.T) {
	c := Default(Linux)
	c.Screen, c.Append = image.Pt(1280, 800), "quiet"
	args := c.Args(Machine{
		Kernel: "/k", Initrd: "/i", Disk: "/a,b.img", DiskOffsetBytes: 1 << 20, DiskSizeBytes: 1 << 30, Snapshot: true, Display: "/d", Monitor: "/m",
	})
	for option, want := range map[string]string{
		"-append": "root=/dev/vda rw console=ttyS0 console=tty0 panic=10 video=1280x800 quiet",
		"-initrd": "/i",
		"-drive":  "if=none,id=disk,format=raw,discard=unmap,file=/a,,b.img,offset=1048576,size=1073741824,snapshot=on",
		"-cpu":    "max,la57=off",
		"-m":      "1024",
	} {
		if got := after(args, option); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", option, got, want)
		}
	}
	if devices := after(args, "-device"); !slices.Contains(devices, "vhost-user-gpu-pci,chardev=display") || !slices.Contains(devices, "virtio-blk-pci,drive=disk") {
		t.Errorf("devices %q", devices)
	}
	bare := strings.Join(Default(Linux).Args(Machine{Kernel: "/k"}), " ")
	for _, not := range []string{"-drive", "-initrd", "vhost-user", "-mon ", "virtio-blk", "video="} {
		if strings.Contains(bare, not) {
			t.Errorf("%s in the arguments of a guest without: %s", not, bare)
		}
	}
}

func TestWindowsArgs(t *testing.T) {
	for kvm, cpu := range map[bool]string{false: "max,la57=off", true: "host,la57=off,hv-relaxed=on"} {
		args := Default(Windows).Args(Machine{Tree: "/t", Vars: "/vars", Disk: "/dev/sda5", KVM: kvm, Kernel: "/k"})
		if got := after(args, "-cpu"); len(got) != 1 || !strings.HasPrefix(got[0], cpu) {
			t.Errorf("KVM %v: processor %q, want %q", kvm, got, cpu)
		}
		all := strings.Join(args, " ")
		for _, want := range []string{"file=/t/firmware/OVMF_CODE_4M.fd", "file=/vars", "-device ramfb", "ide-hd,bus=ide.0,drive=disk", "accel=" + accelerator(kvm)} {
			if !strings.Contains(all, want) {
				t.Errorf("no %s in %s", want, all)
			}
		}
		if slices.Contains(args, "-kernel") {
			t.Error("a kernel for Windows")
		}
	}
}

func TestCheckVersion(t *testing.T) {
	for _, c := range []struct {
		said string
		kvm  bool
		says string
	}{
		{"QEMU emulator version 10.0.11 (Debian 1:10.0.11+ds-0+deb13u1)\nCopyright (c) ...", false, ""},
		{"QEMU emulator version 8.0.0\n", false, ""},
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\n", true, ""},
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\n", false, "version 7.2.22 shows no guest without KVM"},
		{"QEMU emulator version ten", true, `it says "QEMU emulator version ten"`},
		{"", false, "find out the version"},
	} {
		switch err := CheckVersion(c.said, c.kvm); {
		case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%q with KVM %v: %v, want %q", c.said, c.kvm, err, c.says)
		case errors.Is(err, ErrVersion) != strings.Contains(c.says, "shows no guest"):
			t.Errorf("%q: %v is in the wrong class", c.said, err)
		}
	}
}
