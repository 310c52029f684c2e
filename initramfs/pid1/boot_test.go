package pid1

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"
	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/initramfs/bootargs"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/ptytest"
)

const (
	partUUID  = "6E2A7E6C-51C7-4C3A-9C6D-0F3F5C1F0A01"
	installID = "11111111-2222-3333-4444-555555555555"
	diskBytes = 4 << 20
)

// efiText is a text variable as efivarfs shows it.
func efiText(text string) string {
	b := []byte{6, 0, 0, 0}
	for _, unit := range append(utf16.Encode([]rune(text)), 0) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

// bootedMachine are the files of a machine that the boot manager has started
// from vda1.
func bootedMachine() map[string]string {
	vars := "sys/firmware/efi/efivars/"
	return map[string]string{
		"proc/cmdline":                                                     "console=tty0 panic=10 quiet rayos.golden_after=0 rayos.disk_wait=0\n",
		"proc/meminfo":                                                     "MemTotal:         209728 kB\n",
		"lib/modules/6.1.0-99/load.list":                                   list,
		"sys/class/tty/console/active":                                     "ttyS0\n",
		"sys/class/block/vda/size":                                         "8192\n",
		"sys/class/block/vda/vda1/partition":                               "1\n",
		vars + "RayosEntry-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10":           efiText("rayos"),
		vars + "RayosInstallID-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10":       efiText(installID),
		vars + "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": efiText(partUUID),
		"root/.keep": "",
	}
}

// addDisk writes a disk with an ESP as dev/vda.
func addDisk(t *testing.T, root string) {
	t.Helper()
	write(t, filepath.Join(root, "dev/vda"), "")
	f, err := os.OpenFile(filepath.Join(root, "dev/vda"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := &diskgpt.Table{
		LogicalSectorSize: 512, PhysicalSectorSize: 512, ProtectiveMBR: true,
		Partitions: []*diskgpt.Partition{{Index: 1, Start: 2048, Size: 1 << 20, Type: diskgpt.EFISystemPartition, GUID: partUUID}},
	}
	if err := errors.Join(f.Truncate(diskBytes), table.Write(f, diskBytes)); err != nil {
		t.Fatal(err)
	}
}

// mountESP makes the install ID appear where vda1 is mounted.
func mountESP(t *testing.T, id string) func(source, target string) {
	return func(source, target string) {
		if source == "/dev/vda1" {
			write(t, filepath.Join(target, esp.InstallIDPath), id+"\n")
		}
	}
}

// newMachine returns a boot whose console is the terminal.
func newMachine(t *testing.T, files map[string]string) (*boot, *fakeKernel, *ptytest.Terminal) {
	t.Helper()
	b, k, _ := newBoot(t, files)
	terminal := ptytest.Open(t)
	terminal.Far() // keeps what was written when nobody has it open
	if err := errors.Join(os.MkdirAll(filepath.Join(b.root, "dev"), 0o755), os.Symlink(terminal.Path, filepath.Join(b.root, "dev/ttyS0"))); err != nil {
		t.Fatal(err)
	}
	b.consoles = nil
	b.program = os.Args[0]
	return b, k, terminal
}

func TestBringUp(t *testing.T) {
	b, k, terminal := newMachine(t, bootedMachine())
	addDisk(t, b.root)
	k.onMount = mountESP(t, installID)
	k.errs["mount /tmp tmpfs"] = unix.ENOMEM
	b.bringUp()
	for _, line := range []string{
		"rayos: runtime on Linux 6.1.0-99",
		"[RAYOS_BOOT_MARKER:KERNEL_LOADED] seq=0, entry=rayos",
		"rayos: mount /tmp (tmpfs): cannot allocate memory",
		"rayos: memory: 204 MiB",
		"[RAYOS_BOOT_MARKER:MEMORY_READY] seq=1, entry=rayos",
		"rayos: boot disk: vda, its ESP vda1 is mounted read-only on /esp",
		"[RAYOS_BOOT_MARKER:SUBSYSTEMS_READY] seq=2, entry=rayos",
	} {
		terminal.Expect(line + "\r\n")
	}
	facts, err := bootfacts.Read(b.root)
	if want := (bootfacts.Facts{
		Entry: "rayos", ESPPartUUID: partUUID, InstallID: installID, Disk: "vda", ESP: "vda1", NoSnapshot: "it is not counted",
		LogVolatile: "the boot disk has no RayOS Kernel partition",
	}); err != nil || facts != want {
		t.Errorf("facts %+v, %v; want %+v", facts, err, want)
	}
	if mounts := strings.Join(k.only("mount"), ", "); !strings.HasSuffix(mounts, "/sys/firmware/efi/efivars efivarfs, /sys/fs/cgroup cgroup2, /run/rayos/look vfat ro, /esp vfat ro, /sys/fs/pstore pstore") {
		t.Errorf("mounts %s", mounts)
	}
	wantSame(t, "unmounts", k.only("unmount"), []string{"/run/rayos/look"})
	if loaded := k.only("load"); loaded[0] != "efivarfs.ko" || len(loaded) != 5 {
		t.Errorf("loaded %q", loaded)
	}
}

// TestBringUpWithTroubles goes on to SUBSYSTEMS_READY whatever is missing, and
// says what.
func TestBringUpWithTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		change func(files map[string]string)
		id     string
		says   []string
	}{
		"another installation": {func(map[string]string) {}, "another", []string{"PARTUUID " + partUUID + " and install ID " + installID, "vda1: install ID another"}},
		"no install ID":        {func(map[string]string) {}, "", []string{"vda1: install ID"}},
		"not started by a boot manager": {
			func(f map[string]string) {
				for name := range f {
					if strings.HasPrefix(name, "sys/firmware") {
						delete(f, name)
					}
				}
			}, installID, []string{"KERNEL_LOADED] seq=0, entry=\"\"", "left no EFI variable LoaderDevicePartUUID"},
		},
		"no disk":    {func(f map[string]string) { delete(f, "sys/class/block/vda/size") }, installID, []string{"no disk has it; looked at: no disk at all"}},
		"no modules": {func(f map[string]string) { delete(f, "lib/modules/6.1.0-99/load.list") }, installID, []string{"kernel modules: none for 6.1.0-99"}},
		"no memory":  {func(f map[string]string) { delete(f, "proc/meminfo") }, installID, []string{"memory: open"}},
		"no cmdline": {func(f map[string]string) { delete(f, "proc/cmdline") }, installID, []string{"kernel command line: open", "defaults are used"}},
		"bad EFI var": {func(f map[string]string) {
			f["sys/firmware/efi/efivars/RayosEntry-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"] = "x"
		}, installID, []string{"read EFI variable RayosEntry: not a text variable"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := bootedMachine()
			c.change(files)
			b, k, terminal := newMachine(t, files)
			addDisk(t, b.root)
			k.onMount = mountESP(t, c.id)
			b.bringUp()
			out := terminal.Expect("[RAYOS_BOOT_MARKER:SUBSYSTEMS_READY] seq=2")
			for _, text := range c.says {
				if !strings.Contains(out, text) {
					t.Errorf("the console does not say %q:\n%s", text, out)
				}
			}
		})
	}
}

// serving runs the main loop on a terminal until the test sends a signal.
func serving(t *testing.T, cmdline string) (terminal *ptytest.Terminal, stop func(os.Signal) int) {
	t.Helper()
	files := bootedMachine()
	files["proc/cmdline"] = cmdline
	b, k, terminal := newMachine(t, files)
	addDisk(t, b.root)
	k.onMount = mountESP(t, installID)
	b.bringUp()
	return terminal, serve(t, b)
}

// serve runs the main loop until the test sends a signal.
func serve(t *testing.T, b *boot) (stop func(os.Signal) int) {
	t.Helper()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	signals := make(chan os.Signal)
	command := make(chan int)
	go func() { command <- b.serve(signals, ended) }()
	return func(s os.Signal) int {
		signals <- s
		got := <-command
		b.stopServices()
		signal.Stop(ended)
		return got
	}
}

func TestServe(t *testing.T) {
	terminal, stop := serving(t, "rayos.golden_after=0")
	terminal.Expect("[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos\r\n")
	terminal.Expect("\r\n[RAYOS_BOOT_MARKER:GOLDEN] seq=4, entry=rayos\r\n[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos\r\n")
	terminal.Expect("rayos# ")
	terminal.Type("echo $((40+2)) in $PWD\r")
	terminal.Expect("42 in ")
	terminal.Type("exit 3\r")
	terminal.Expect("\r\nrayos: service shell:ttyS0: exit status 3")
	terminal.Expect("rayos# ")
	if got := stop(SignalPowerOff); got != unix.LINUX_REBOOT_CMD_POWER_OFF {
		t.Errorf("command %#x", got)
	}
}

// TestKilledShell has the shell killed while it edits a line: the next one
// finds the terminal as the first one did.
func TestKilledShell(t *testing.T) {
	for _, tool := range []string{"/bin/kill", "/bin/sleep", "/bin/stty"} {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("no %s on this machine", tool)
		}
	}
	terminal, stop := serving(t, "rayos.golden_after=86400")
	terminal.Expect("rayos# ")
	terminal.Type("(sleep 0.2; kill -9 $$) &\r")
	terminal.Expect("rayos# ")
	terminal.Expect("service shell:ttyS0: killed by signal 9 (killed)")
	terminal.Expect("rayos# ")
	terminal.Type("stty -a\r")
	if settings := terminal.Expect("rayos# "); strings.Contains(settings, "-opost") || strings.Contains(settings, "-isig") || !strings.Contains(settings, "isig") {
		t.Errorf("terminal settings after a shell was killed: %s", settings)
	}
	if got := stop(SignalRestart); got != unix.LINUX_REBOOT_CMD_RESTART {
		t.Errorf("command %#x", got)
	}
}

func TestSkippedShell(t *testing.T) {
	terminal, stop := serving(t, "rayos.skip=shell:ttyS0")
	terminal.Expect("service shell:ttyS0: skipped, as the kernel command line says\r\n")
	terminal.Expect("no console has a shell; Ctrl-Alt-Del restarts the machine\r\n")
	stop(syscall.SIGINT)
}

// TestShellThatCannotStart has a runtime that is no program.
func TestShellThatCannotStart(t *testing.T) {
	b, _, terminal := newMachine(t, bootedMachine())
	b.bringUp()
	b.program = "/no/such/program"
	signals, command := make(chan os.Signal), make(chan int)
	go func() { command <- b.serve(signals, nil) }()
	terminal.Expect("service shell:ttyS0: start /no/such/program: ")
	terminal.Expect("right after its start; started again in 1s\r\n")
	signals <- SignalPowerOff
	<-command
	b.stopServices()
	if b.stages.Tick(0) {
		t.Error("GOLDEN without a shell")
	}
}

func TestArgumentsReachTheBoot(t *testing.T) {
	b, _, _ := newBoot(t, map[string]string{"proc/cmdline": "rayos.safe rayos.nonsense"})
	problems := b.readArgs()
	if want := bootargs.DefaultGoldenAfter; !b.args.Safe || b.args.GoldenAfter != want || len(problems) != 1 {
		t.Errorf("arguments %+v, problems %v", b.args, problems)
	}
}
