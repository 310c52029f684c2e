package pid1

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/bootargs"
)

func TestParseLoadList(t *testing.T) {
	got, err := parseLoadList("virtio virtio.ko\ndrm bochs.ko\n")
	if err != nil || len(got) != 2 || got[1] != (module{"drm", "bochs.ko"}) || got[1].name() != "bochs" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := parseLoadList(""); err != nil || got != nil {
		t.Errorf("empty list: %v, %v", got, err)
	}
	for _, bad := range []string{"virtio", "virtio ", " x.ko", "drm ../x.ko", "a b c"} {
		if _, err := parseLoadList("ok ok.ko\n" + bad + "\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

const list = "virtio virtio.ko\nfilesystem efivarfs.ko\nwatchdog i6300esb.ko\ndrm drm.ko\ndrm bochs.ko\n"

func TestModules(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   string
		loaded []string
		says   []string
	}{
		{"all", "", []string{"virtio.ko", "efivarfs.ko", "i6300esb.ko", "drm.ko", "bochs.ko"}, []string{"4 loaded, 1 without hardware, 0 skipped"}},
		{"safe", "rayos.safe", []string{"virtio.ko", "efivarfs.ko"}, []string{"safe mode: modules of drm and watchdog are not loaded", "2 loaded, 0 without hardware, 3 skipped"}},
		{"skip", "rayos.skip=drm", []string{"virtio.ko", "efivarfs.ko", "i6300esb.ko"}, []string{"2 skipped"}},
		{"parameters", "quiet i6300esb.nowayout=1 drm.debug=0x4", []string{"virtio.ko", "efivarfs.ko", "i6300esb.ko nowayout=1", "drm.ko debug=0x4", "bochs.ko"}, []string{"5 loaded"}},
		{"skip of nothing", "rayos.skip=dmr,shell:ttyS0", []string{"virtio.ko", "efivarfs.ko", "i6300esb.ko", "drm.ko", "bochs.ko"}, []string{"no module group or service dmr", "known are virtio, filesystem, watchdog, drm, shell:ttyS0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, k, out := newBoot(t, map[string]string{"lib/modules/6.1.0-99/load.list": list})
			k.errs["load i6300esb.ko"] = unix.ENODEV
			b.args, _ = bootargs.Parse(c.args)
			if err := b.readModules(); err != nil {
				t.Fatal(err)
			}
			b.loadAll()
			wantSame(t, "loaded", k.only("load"), c.loaded)
			wantLines(t, out, c.says...)
		})
	}
}

func TestModuleThatFails(t *testing.T) {
	b, k, out := newBoot(t, map[string]string{"lib/modules/6.1.0-99/load.list": list})
	k.errs["load drm.ko"] = unix.ENOEXEC
	if err := b.readModules(); err != nil {
		t.Fatal(err)
	}
	b.loadModules(func(m module) bool { return m.name() == "efivarfs" })
	b.loadAll()
	wantSame(t, "loaded", k.only("load"), []string{"efivarfs.ko", "virtio.ko", "i6300esb.ko", "drm.ko", "bochs.ko"})
	wantLines(t, out, "kernel module drm: exec format error; the machine goes on without it", "4 loaded")
}

// TestModulesOfKVM loads those of both makers; the one that the processor is not of has another
// error than drivers without hardware.
func TestModulesOfKVM(t *testing.T) {
	b, k, out := newBoot(t, map[string]string{"lib/modules/6.1.0-99/load.list": "kvm kvm_intel.ko\nkvm kvm_amd.ko\n"})
	k.errs["load kvm_intel.ko"] = unix.EOPNOTSUPP
	if err := b.readModules(); err != nil {
		t.Fatal(err)
	}
	b.loadAll()
	wantSame(t, "loaded", k.only("load"), []string{"kvm_intel.ko", "kvm_amd.ko"})
	wantLines(t, out, "kernel modules: 1 loaded, 1 without hardware, 0 skipped")
}

// TestModulesOfOneMaker leaves out the module that the processor is not for.
func TestModulesOfOneMaker(t *testing.T) {
	b, k, out := newBoot(t, map[string]string{
		"lib/modules/6.1.0-99/load.list": "kvm kvm_intel.ko\nkvm kvm_amd.ko\n", "proc/cpuinfo": "processor: 0\nflags\t\t: fpu svm avx\n",
	})
	if err := b.readModules(); err != nil {
		t.Fatal(err)
	}
	b.loadAll()
	wantSame(t, "loaded", k.only("load"), []string{"kvm_amd.ko"})
	wantLines(t, out, "kernel modules: 1 loaded, 1 without hardware, 0 skipped")
}

func TestNoModulesForThisKernel(t *testing.T) {
	b, _, _ := newBoot(t, map[string]string{"lib/modules/5.10.0-1/load.list": list})
	err := b.readModules()
	if err == nil || !strings.Contains(err.Error(), "none for 6.1.0-99") || !strings.Contains(err.Error(), "5.10.0-1") {
		t.Errorf("error %v", err)
	}
	b, _, _ = newBoot(t, map[string]string{"lib/modules/6.1.0-99/load.list": "bad\n"})
	if err := b.readModules(); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error %v", err)
	}
}

func TestMountBase(t *testing.T) {
	b, k, _ := newBoot(t, nil)
	k.errs["mount /dev/pts devpts"] = unix.ENODEV
	k.errs["mount /run tmpfs"] = unix.EBUSY // mounted already
	problems := b.mountBase()
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "mount /dev/pts (devpts): no such device") {
		t.Errorf("problems %v", problems)
	}
	wantSame(t, "mounts", k.only("mount"), []string{"/proc proc", "/sys sysfs", "/dev devtmpfs", "/dev/pts devpts", "/dev/shm tmpfs", "/run tmpfs", "/tmp tmpfs"})
}

func TestConfigure(t *testing.T) {
	for cmdline, want := range map[string][2]string{
		"":                 {"10", "5"},
		"panic=0 quiet":    {"", ""},
		"panic=5 debug":    {"", ""},
		"loglevel=7 other": {"10", ""},
	} {
		b, k, out := newBoot(t, map[string]string{"proc/sys/kernel/panic": "", "proc/sys/kernel/printk": ""})
		k.errs["hostname rayos"] = unix.EPERM
		b.args, _ = bootargs.Parse(cmdline)
		b.configure()
		for i, name := range []string{"panic", "printk"} {
			got, err := os.ReadFile(filepath.Join(b.root, "proc/sys/kernel", name))
			if err != nil || string(got) != want[i] {
				t.Errorf("%q: %s is %q, %v; want %q", cmdline, name, got, err, want[i])
			}
		}
		wantLines(t, out, "host name: operation not permitted")
		wantSame(t, "keys", k.asked[1:], []string{"ctrl-alt-del"})
	}
}

func TestMemory(t *testing.T) {
	for content, want := range map[string]uint64{"MemTotal:         209728 kB\nMemFree: 1 kB\n": 209728, "MemFree: 1 kB\n": 0, "MemTotal: x kB\n": 0} {
		b, _, _ := newBoot(t, map[string]string{"proc/meminfo": content})
		if got, err := b.memoryKiB(); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", content, got, err)
		}
	}
}

const mountTable = "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\n/dev/vda1 /esp vfat ro 0 0\n/dev/vda4 /my\\040data ext4 rw 0 0\n"

func TestShutdown(t *testing.T) {
	b, k, out := newBoot(t, map[string]string{"proc/self/mounts": mountTable})
	k.errs["unmount /esp"] = unix.EBUSY
	k.errs["signal 15"] = unix.ESRCH
	b.shutdown(unix.LINUX_REBOOT_CMD_RESTART)
	wantSame(t, "steps", k.asked, []string{"signal 15", "sync", "unmount /my data", "unmount /esp", "read-only /esp", "sync", "power 0x1234567"})
	wantLines(t, out, "the machine restarts: ending all processes", "unmount /esp: device or resource busy; it is read-only now", "the machine restarts now")
}

func TestShutdownThatTheKernelRefuses(t *testing.T) {
	b, k, out := newBoot(t, map[string]string{"proc/self/mounts": mountTable})
	k.errs["power 0x4321fedc"] = unix.EPERM
	k.errs["unmount /esp"], k.errs["read-only /esp"] = unix.EIO, unix.EIO
	b.shutdown(unix.LINUX_REBOOT_CMD_POWER_OFF)
	wantLines(t, out, "turns off now", "read-only: input/output error", "the kernel refuses: operation not permitted; process 1 ends, so that the kernel panics")
}

func TestPowerCommand(t *testing.T) {
	for signal, want := range map[os.Signal]int{
		SignalPowerOff: unix.LINUX_REBOOT_CMD_POWER_OFF, SignalRestart: unix.LINUX_REBOOT_CMD_RESTART, syscall.SIGINT: unix.LINUX_REBOOT_CMD_RESTART,
	} {
		if got := powerCommand(signal); got != want {
			t.Errorf("%v: %#x, want %#x", signal, got, want)
		}
	}
}

func TestUnescapeMount(t *testing.T) {
	for in, want := range map[string]string{`/a\040b\011`: "/a b\t", `\134040`: `\040`, `\9zz`: `\9zz`, `x\04`: `x\04`} {
		if got := unescapeMount(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLinkCommands(t *testing.T) {
	b, _, _ := newBoot(t, map[string]string{"bin/own": "a file of the initrd's"})
	b.program = "/init"
	if err := b.linkCommands([]string{"ls", "own", "sh"}); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(b.root, "bin/sh")); err != nil || target != "/init" {
		t.Errorf("bin/sh: %q, %v", target, err)
	}
	if _, err := os.Readlink(filepath.Join(b.root, "bin/own")); err == nil {
		t.Error("a file was replaced")
	}
}

func TestLastWords(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), panicVariable+"=1")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("exit status %d, %v", cmd.ProcessState.ExitCode(), err)
	}
	for _, text := range []string{"rayos: panic in process 1: runtime error", "fake_test.go", "the kernel panics now and restarts the machine"} {
		if !strings.Contains(string(out), text) {
			t.Errorf("no %q in the last words:\n%s", text, out)
		}
	}
}
