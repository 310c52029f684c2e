package commands

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/pid1"
)

// fakeKernel records what it is asked for.
type fakeKernel struct {
	asked []string
	fail  error
}

func (k *fakeKernel) ask(format string, args ...any) error {
	k.asked = append(k.asked, fmt.Sprintf(format, args...))
	return k.fail
}

func (k *fakeKernel) Uname() (Uname, error) {
	return Uname{"Linux", "rayos", "6.1.0", "#1 SMP", "x86_64"}, k.fail
}

func (k *fakeKernel) Log() ([]byte, error) {
	return []byte("<6>[    0.1] first\n<12>[    0.2] <b> second\n"), k.fail
}

func (k *fakeKernel) Mount(source, target, fstype string, flags uintptr, data string) error {
	return k.ask("mount %s %s %q %#x %q", source, target, fstype, flags, data)
}

func (k *fakeKernel) Unmount(target string, flags int) error {
	return k.ask("unmount %s %#x", target, flags)
}

func (k *fakeKernel) Usage(path string) (Usage, error) {
	if path == "/proc" {
		return Usage{}, k.fail
	}
	return Usage{SizeBytes: 400 << 20, FreeBytes: 300 << 20}, k.fail
}

func (k *fakeKernel) Kill(pid int, signal syscall.Signal) error {
	return k.ask("kill %d %d", pid, int(signal))
}

func (k *fakeKernel) Sync() { _ = k.ask("sync") }

func (k *fakeKernel) Power(command int) error { return k.ask("power %#x", command) }

// machine is what the commands see below /.
var machine = fstest.MapFS{
	"proc/meminfo": {Data: []byte("MemTotal:         209728 kB\nMemFree:  10 kB\nMemAvailable:     104864 kB\nHugePages_Total:  0\n")},
	"proc/modules": {Data: []byte("nvme 57344 0 - Live 0x0\nnvme_core 100 1 nvme, Live 0x0\n")},
	"proc/self/mounts": {Data: []byte("proc /proc proc rw 0 0\n/dev/vda1 /esp vfat ro,utf8 0 0\n/dev/vda4 /old ext4 rw 0 0\n" +
		`/dev/vda4 /a\040b ext4 rw 0 0` + "\n")},
	"proc/1/stat":           {Data: []byte("1 (init) S 0 1 1\n")},
	"proc/1/cmdline":        {Data: []byte("/init\x00")},
	"proc/2/stat":           {Data: []byte("2 (kthreadd) S 0 0 0\n")},
	"proc/2/cmdline":        {},
	"proc/40/stat":          {Data: []byte("40 (a (b) c) I 2 0 0\n")},
	"proc/40/cmdline":       {},
	"proc/115/stat":         {Data: []byte("115 (sh) R 1 0 0\n")},
	"proc/115/cmdline":      {Data: []byte("sh\x00-c\x00ls x\x00")},
	"proc/116/status":       {Data: []byte("it has ended: no stat\n")},
	"proc/notanumber/x":     {},
	blockDir + "/vda/size":  {Data: []byte("156250000\n")},
	blockDir + "/vda/ro":    {Data: []byte("0\n")},
	blockDir + "/sdz/size":  {Data: []byte("0\n")},
	blockDir + "/sr0/ro":    {Data: []byte("1\n")},
	blockDir + "/vda/vda10": {Mode: os.ModeDir},

	blockDir + "/vda/device/model":    {Data: []byte("A Disk  \n")},
	blockDir + "/vda/vda1/partition":  {Data: []byte("1\n")},
	blockDir + "/vda/vda1/size":       {Data: []byte("819200\n")},
	blockDir + "/vda/vda1/ro":         {Data: []byte("1\n")},
	blockDir + "/vda/vda1/uevent":     {Data: []byte("DEVNAME=vda1\nPARTNAME=EFI System\n")},
	blockDir + "/vda/vda10/partition": {Data: []byte("10\n")},
	blockDir + "/vda/vda10/size":      {Data: []byte("8388608\n")},
	blockDir + "/vda/vda2/partition":  {Data: []byte("2\n")},
	blockDir + "/vda/vda2/size":       {Data: []byte("100\n")},
	blockDir + "/vda1/partition":      {Data: []byte("1\n")},
}

// result is what a command did.
type result struct {
	status         int
	stdout, stderr string
	asked          []string
}

func run(t *testing.T, kernel *fakeKernel, stdin string, args ...string) result {
	t.Helper()
	c, ok := All()[args[0]]
	if !ok {
		t.Fatalf("no command %s", args[0])
	}
	var stdout, stderr bytes.Buffer
	status := c.main(&env{
		name: args[0], args: args[1:], stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		root: machine, kernel: kernel,
	})
	return result{status, stdout.String(), stderr.String(), kernel.asked}
}

func TestOutput(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"uname", "Linux\n"},
		{"uname -r -m", "6.1.0 x86_64\n"},
		{"uname -a", "Linux rayos 6.1.0 #1 SMP x86_64\n"},
		{"dmesg", "[    0.1] first\n[    0.2] <b> second\n"},
		{"free", "memory: 204 MiB, used 102 MiB, available 102 MiB\n"},
		{"lsmod", "MODULE     SIZE   USED BY\nnvme       57344  \nnvme_core  100    nvme\n"},
		{"ps", "PID  PARENT  STATE  COMMAND\n1    0       S      /init\n115  1       R      sh -c ls x\n"},
		{"ps -a", "PID  PARENT  STATE  COMMAND\n1    0       S      /init\n2    0       S      [kthreadd]\n40   2       I      [a (b) c]\n115  1       R      sh -c ls x\n"},
		{"mount", "proc on /proc type proc (rw)\n/dev/vda1 on /esp type vfat (ro,utf8)\n/dev/vda4 on /old type ext4 (rw)\n/dev/vda4 on /a b type ext4 (rw)\n"},
		{"df", "FILE SYSTEM  SIZE  USED  FREE  ON\n/dev/vda1    400M  100M  300M  /esp\n/dev/vda4    400M  100M  300M  /old\n/dev/vda4    400M  100M  300M  /a b\n"},
		{"lsblk", "NAME     SIZE   TYPE  RO   LABEL       MOUNTED ON\n" +
			"vda      74.5G  disk  no   A Disk      \n" +
			"  vda1   400M   part  yes  EFI System  /esp\n" +
			"  vda2   50K    part  no               \n" +
			"  vda10  4G     part  no               \n"},
	} {
		t.Run(c.args, func(t *testing.T) {
			got := run(t, &fakeKernel{}, "", strings.Fields(c.args)...)
			if got.status != 0 || got.stdout != c.want || got.stderr != "" {
				t.Errorf("status %d, stdout\n%s\nwant\n%s\nstderr %s", got.status, got.stdout, c.want, got.stderr)
			}
		})
	}
}

func TestActions(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"mount /dev/vda3 /mnt", `mount /dev/vda3 /mnt "" 0x0 ""`},
		{"mount -t vfat -o ro,noexec,utf8,uid=0 /dev/vda1 /x", fmt.Sprintf(`mount /dev/vda1 /x "vfat" %#x "utf8,uid=0"`, unix.MS_RDONLY|unix.MS_NOEXEC)},
		{"mount -r -o defaults,rw /dev/vda1 /x", `mount /dev/vda1 /x "" 0x1 ""`},
		{"mount -o remount,ro,rw x /x", fmt.Sprintf(`mount x /x "" %#x ""`, unix.MS_REMOUNT)},
		{"umount /esp", "unmount /esp 0x0"},
		{"umount -l /dev/vda4", "unmount /a b 0x2"},
		{"umount -f /dev/none", "unmount /dev/none 0x1"},
		{"sync", "sync"},
		{"poweroff -f", "sync; power " + fmt.Sprintf("%#x", unix.LINUX_REBOOT_CMD_POWER_OFF)},
		{"reboot -f", "sync; power " + fmt.Sprintf("%#x", unix.LINUX_REBOOT_CMD_RESTART)},
		{"kill 12 13", "kill 12 15; kill 13 15"},
		{"kill -9 12", "kill 12 9"},
		{"kill -HUP 12", "kill 12 1"},
		{"kill -s sigint 12", "kill 12 2"},
	} {
		t.Run(c.args, func(t *testing.T) {
			got := run(t, &fakeKernel{}, "", strings.Fields(c.args)...)
			if got.status != 0 || strings.Join(got.asked, "; ") != c.want || got.stdout+got.stderr != "" {
				t.Errorf("status %d, asked %q, want %q, output %q", got.status, got.asked, c.want, got.stdout+got.stderr)
			}
		})
	}
}

// TestPowerAsksProcess1 has process 1 refuse, as otherwise the commands wait to
// be ended.
func TestPowerAsksProcess1(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"poweroff": pid1.SignalPowerOff, "reboot": pid1.SignalRestart} {
		got := run(t, &fakeKernel{fail: unix.EPERM}, "", name)
		if got.status != 1 || !slices.Equal(got.asked, []string{fmt.Sprintf("kill 1 %d", int(signal))}) || !strings.Contains(got.stderr, name+" -f") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	broken := errors.New("the kernel refuses")
	for _, c := range []struct {
		args   string
		fail   error
		status int
		says   string
	}{
		{"uname -x", nil, 2, "usage: uname"},
		{"mount /dev/vda1", nil, 2, "usage: mount"},
		{"umount", nil, 2, "usage: umount"},
		{"sleep", nil, 2, "usage: sleep"},
		{"sleep NaN", nil, 1, "no number of seconds"},
		{"sleep -1", nil, 2, "usage: sleep"},
		{"kill x", nil, 1, "process x"},
		{"kill -NONE 1", nil, 1, `no signal "NONE"`},
		{"kill 12", broken, 1, "process 12: the kernel refuses"},
		{"mount a b", broken, 1, "mount: a on b: the kernel refuses"},
		{"umount /esp", broken, 1, "umount: /esp: the kernel refuses"},
		{"df", broken, 1, "df: /proc: the kernel refuses"},
		{"dmesg", broken, 1, "dmesg: the kernel refuses"},
		{"grep (", nil, 1, "missing closing"},
		{"head /no/such/file", nil, 1, "no such file"},
		{"tail -n -1", nil, 1, "at most"},
	} {
		t.Run(c.args, func(t *testing.T) {
			got := run(t, &fakeKernel{fail: c.fail}, "", strings.Fields(c.args)...)
			if got.status != c.status || !strings.Contains(got.stderr, c.says) {
				t.Errorf("status %d, stderr %q; want %d, %q", got.status, got.stderr, c.status, c.says)
			}
		})
	}
}

func TestText(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("one\ntwo\nThree"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		stdin  string
		status int
		want   string
	}{
		{[]string{"head", "-n", "2"}, "a\nb\nc\n", 0, "a\nb\n"},
		{[]string{"head", "-n", "0"}, "a\n", 0, ""},
		{[]string{"head", file}, "", 0, "one\ntwo\nThree\n"},
		{[]string{"tail", "-n", "2"}, "a\nb\nc", 0, "b\nc\n"},
		{[]string{"tail", "-n", "0"}, "a\n", 0, ""},
		{[]string{"grep", "t"}, "a\nbt\n", 0, "bt\n"},
		{[]string{"grep", "-i", "^t", file}, "", 0, "two\nThree\n"},
		{[]string{"grep", "-v", "t"}, "a\nbt\n", 0, "a\n"},
		{[]string{"grep", "zzz"}, "a\n", 1, ""},
		{[]string{"grep", "one", file, file}, "", 0, file + ":one\n" + file + ":one\n"},
		{[]string{"wc"}, "a b\nc", 0, "1 3 5\n"},
		{[]string{"wc", file}, "", 0, "2 3 13 " + file + "\n"},
		{[]string{"hexdump", "-n", "3"}, "abcdef", 0, "00000000  61 62 63                                          |abc|\n"},
		{[]string{"cat", file, "-"}, "x", 0, "one\ntwo\nThreex"},
		{[]string{"sleep", "0"}, "", 0, ""},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			got := run(t, &fakeKernel{}, c.stdin, c.args...)
			if got.status != c.status || got.stdout != c.want || got.stderr != "" {
				t.Errorf("status %d, stdout %q, want %d, %q; stderr %q", got.status, got.stdout, c.status, c.want, got.stderr)
			}
		})
	}
}

func TestLn(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	steps := []struct {
		args   []string
		status int
		target string
	}{
		{[]string{"ln", "-s", "/a", link}, 0, "/a"},
		{[]string{"ln", "-s", "/b", link}, 1, "/a"},
		{[]string{"ln", "-s", "-f", "/b", link}, 0, "/b"},
	}
	for _, s := range steps {
		got := run(t, &fakeKernel{}, "", s.args...)
		if target, err := os.Readlink(link); got.status != s.status || err != nil || target != s.target {
			t.Errorf("%q: status %d, link to %q, %v", s.args, got.status, target, err)
		}
	}
}

func TestHelpListsEveryCommand(t *testing.T) {
	got := run(t, &fakeKernel{}, "", "help")
	for name, c := range All() {
		if c.Summary == "" || !strings.Contains(got.stdout, name+" ") || !strings.Contains(got.stdout, c.Summary) {
			t.Errorf("help does not tell of %s", name)
		}
	}
}

// full is an output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }

func TestLostOutputIsAnError(t *testing.T) {
	var stderr bytes.Buffer
	status := All()["help"].main(&env{name: "help", stdin: strings.NewReader(""), stdout: full{}, stderr: &stderr, root: machine, kernel: &fakeKernel{}})
	if status != 1 || !strings.Contains(stderr.String(), unix.ENOSPC.Error()) {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[uint64]string{0: "0B", 1023: "1023B", 1024: "1K", 1536: "1.5K", 400 << 20: "400M", 80_000_000_000: "74.5G", 1 << 63: "8E"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}

// TestRealMachine runs the commands that only look, on this machine.
func TestRealMachine(t *testing.T) {
	for _, name := range []string{"uname", "free", "ps", "mount"} {
		var stdout, stderr bytes.Buffer
		if status := All()[name].Main([]string{name}, strings.NewReader(""), &stdout, &stderr); status != 0 || stdout.Len() == 0 {
			t.Errorf("%s: status %d, %s", name, status, stderr.String())
		}
	}
	if status := All()["ls"].Main([]string{"ls", "/"}, strings.NewReader(""), io.Discard, io.Discard); status != 0 {
		t.Errorf("ls: status %d", status)
	}
}
