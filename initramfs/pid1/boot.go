// Package pid1 is process 1 of the booted machine: it mounts, loads modules,
// finds the boot disk, reports the boot stages as markers on every console,
// keeps a shell running on each of them, reaps all orphans, and ends the machine in order.
//
// What can go wrong is told on the consoles and the boot goes on: a machine
// with a shell can be repaired. Decisions are made in the pure packages stages,
// bootdisk, bootargs and service; here they meet Linux.
package pid1

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rayos/rayboot/initramfs/bootargs"
	"github.com/rayos/rayboot/initramfs/bootdisk"
	"github.com/rayos/rayboot/initramfs/children"
	"github.com/rayos/rayboot/initramfs/console"
	"github.com/rayos/rayboot/initramfs/efivar"
	"github.com/rayos/rayboot/initramfs/goldenstore"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/initramfs/stages"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// boot is one run of process 1.
type boot struct {
	root     string // "/", or a directory in tests
	program  string // the runtime's executable, for the shells
	kernel   kernel
	consoles *console.Set
	names    []string // of the consoles
	children children.Table
	begin    time.Time

	release string // of the kernel
	args    bootargs.Args
	modules modules
	entry   string // boot entry ID; "" if not handed over
	wanted  bootdisk.Wanted
	disk    bootdisk.Candidate // the boot disk; zero if it was not found
	attempt attempt
	stages  *stages.Machine
	seq     int

	journal     journal
	logVolatile string // why the log ends with the machine; "" if it does not

	services     *service.Supervisor
	reports      chan report   // of the services, for the main loop
	ending       chan struct{} // closed when nobody hears reports any more
	shellTrouble bool          // no shell holds

	guard    guard             // of the watchdog
	espMount goldenstore.Mount // nil outside of tests
	snapshot *snapshot         // nil until one is begun

	told    chan string   // lines of others for all consoles, for the main loop
	pressed chan struct{} // the power button was
}

// now is the time since process 1 began.
func (b *boot) now() time.Duration { return time.Since(b.begin) }

// say writes a line for people to all consoles. There is nowhere to report
// that a console does not take it but the kernel's log.
func (b *boot) say(format string, args ...any) {
	b.line("rayos: " + fmt.Sprintf(format, args...))
}

// warn is say for what goes wrong.
func (b *boot) warn(format string, args ...any) {
	text := "rayos: " + fmt.Sprintf(format, args...)
	b.log(raylog.Warn, text)
	b.print(text)
}

// line writes lines to all consoles and into the log.
func (b *boot) line(text string) {
	b.log(raylog.Info, text)
	b.print(text)
}

func (b *boot) print(text string) {
	if err := b.consoles.Line(text); err != nil {
		b.kernelLog(err.Error())
	}
}

// kernelLog writes to the kernel's log, which dmesg shows.
func (b *boot) kernelLog(text string) {
	f, err := os.OpenFile(filepath.Join(b.root, "dev/kmsg"), os.O_WRONLY, 0)
	if err != nil {
		return // without /dev there is no log; the consoles have been tried
	}
	defer f.Close()
	_, _ = f.WriteString("rayos: " + text + "\n")
}

// reach enters a boot stage and emits its marker. The stages from which on the
// disk can be there are recorded first, so that who reads the marker may cut the
// power.
func (b *boot) reach(s markers.BootStage) {
	if err := b.stages.Reach(s, b.now()); err != nil {
		panic(err)
	}
	if s == markers.SubsystemsReady || s == markers.ShellReady {
		b.recordStage(s)
	}
	b.line(b.stageMarker(s))
}

// stageMarker is the next stage's marker.
func (b *boot) stageMarker(s markers.BootStage) string {
	m := markers.BootStageReached{Stage: s, Seq: b.seq, Entry: b.entry}.Marker()
	b.seq++
	return m.String()
}

// bringUp does everything up to SUBSYSTEMS_READY.
func (b *boot) bringUp() {
	problems := b.mountBase()
	b.openConsoles()
	problems = append(problems, b.readArgs()...)
	if err := b.readModules(); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, b.readHandOver()...)
	if err := b.readBootID(); err != nil {
		problems = append(problems, err)
	}
	b.stages = stages.New(b.args.GoldenAfter)
	cgroups, err := b.mountCgroups()
	if err != nil {
		problems = append(problems, err)
	}
	b.followKernel()
	b.say("runtime on Linux %s", b.release)
	b.logKernel()
	b.reach(markers.KernelLoaded)
	for _, err := range problems {
		b.warn("%v", err)
	}
	b.takeOverWatchdog()
	b.makeServices(cgroups)

	b.configure()
	if kib, err := b.memoryKiB(); err != nil {
		b.warn("%v", err)
	} else {
		b.say("memory: %d MiB", kib/1024)
	}
	b.reach(markers.MemoryReady)

	b.loadAll()
	b.retryWatchdog()
	b.stopOtherWatchdogs()
	b.findDisk()
	b.countTimeouts()
	b.reach(markers.SubsystemsReady)
}

// openConsoles finds and opens the consoles; without any, /dev/console is
// where the lines go.
func (b *boot) openConsoles() {
	active, err := os.ReadFile(filepath.Join(b.root, "sys/class/tty/console/active"))
	b.names = console.Names(string(active))
	if err != nil || len(b.names) == 0 {
		b.names = []string{"console"}
	}
	set, openErr := console.Open(filepath.Join(b.root, "dev"), b.names)
	b.consoles, b.names = set, set.Names()
	if err := errors.Join(err, openErr); err != nil {
		b.warn("%v", err)
	}
}

// readArgs reads the kernel command line.
func (b *boot) readArgs() (problems []error) {
	text, err := os.ReadFile(filepath.Join(b.root, "proc/cmdline"))
	if err != nil {
		problems = append(problems, fmt.Errorf("kernel command line: %w; defaults are used", err))
	}
	args, wrong := bootargs.Parse(string(text))
	b.args = args
	for _, w := range wrong {
		problems = append(problems, errors.New(w))
	}
	return problems
}

// readHandOver reads what the boot loader left in EFI variables. A variable
// that is not there is no problem: not every loader writes all of them.
func (b *boot) readHandOver() (problems []error) {
	efi := filepath.Join(b.root, filepath.Dir(efivarsDir))
	if _, err := os.Stat(efi); errors.Is(err, fs.ErrNotExist) {
		return nil // not booted by UEFI
	}
	b.loadModules(func(m module) bool { return m.name() == "efivarfs" })
	if err := b.mount(efivarsMount); err != nil {
		return []error{err}
	}
	var attempt, booted string
	vars := os.DirFS(filepath.Join(b.root, efivarsDir))
	for _, v := range []struct {
		name, vendor string
		read         func(vars fs.FS, name, vendor string) (string, error)
		to           *string
	}{
		{"RayosEntry", efivar.RayOS, efivar.Text, &b.entry},
		{"RayosInstallID", efivar.RayOS, efivar.Text, &b.wanted.InstallID},
		{"RayosAttempt", efivar.RayOS, efivar.Text, &attempt},
		{"RayosBooted", efivar.RayOS, efivar.Lines, &booted},
		{"RayosWatchdog", efivar.RayOS, efivar.Text, &b.guard.module},
		{"RayosBoot", efivar.RayOS, efivar.Text, &b.journal.handedOver},
		{"LoaderDevicePartUUID", efivar.Loader, efivar.Text, &b.wanted.PartUUID},
	} {
		text, err := v.read(vars, v.name, v.vendor)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
		*v.to = text
	}
	if err := b.readAttempt(attempt, booted); err != nil {
		problems = append(problems, err)
	}
	return problems
}

// configure sets what the kernel leaves to process 1.
func (b *boot) configure() {
	steps := []struct {
		what string
		err  error
	}{
		{"host name", b.kernel.SetHostname("rayos")},
		{"Ctrl-Alt-Del", b.kernel.CtrlAltDel()},
		{"restart on panic", b.restartOnPanic()},
		{"kernel messages", b.calmConsole()},
	}
	for _, s := range steps {
		if s.err != nil {
			b.warn("%s: %v", s.what, s.err)
		}
	}
}

// restartOnPanic lets the kernel restart the machine 10 s after a panic where
// the command line does not say otherwise: a machine must not stand still.
func (b *boot) restartOnPanic() error {
	if b.args.Has("panic") {
		return nil
	}
	return b.sysctl("kernel/panic", "10")
}

// calmConsole keeps informational kernel messages off the consoles, where the
// command line does not choose a level.
func (b *boot) calmConsole() error {
	for _, name := range []string{"quiet", "loglevel", "debug", "ignore_loglevel"} {
		if b.args.Has(name) {
			return nil
		}
	}
	return b.sysctl("kernel/printk", "5") // warnings and worse
}

func (b *boot) sysctl(name, value string) error {
	return os.WriteFile(filepath.Join(b.root, "proc/sys", name), []byte(value), 0)
}

// memoryKiB reads the memory that Linux has.
func (b *boot) memoryKiB() (uint64, error) {
	text, err := os.ReadFile(filepath.Join(b.root, "proc/meminfo"))
	if err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("memory: %w", err)
			}
			return kib, nil
		}
	}
	return 0, errors.New("memory: no MemTotal in /proc/meminfo")
}
