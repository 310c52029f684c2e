package pid1

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/watchdog"
)

// timeIsUp does what is to be done before the watchdog resets the machine. It runs
// beside the main loop, which may be what hangs.
func (b *boot) timeIsUp(o watchdog.Orders, dead []watchdog.Dead) {
	names := make([]string, len(dead))
	for i, d := range dead {
		names[i] = d.String()
	}
	what := "the watchdog resets the machine, as this does not answer: " + strings.Join(names, ", ")
	if o.Halt {
		what = "the machine halts, as this does not answer: " + strings.Join(names, ", ")
	}
	b.warnBeside("%s", what)
	if o.Recover {
		b.recoverNext()
	}
	if o.Dump || o.Halt {
		b.awaitLog()
	}
	if o.Dump {
		b.dump(what)
	}
	if o.Halt {
		b.halt()
	}
}

// diskTimeout is how long a machine that does not answer may take to write
// something: the watchdog leaves no more time than that, and a disk that hangs may
// be the reason for all.
const diskTimeout = 5 * time.Second

var errDisk = errors.New("the disk does not answer")

// inTime does something with a disk, and gives up after a while.
func inTime(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(diskTimeout):
		return errDisk
	}
}

// awaitLog waits until the log has what was said, if it takes it.
func (b *boot) awaitLog() {
	err := inTime(func() error {
		written := make(chan struct{})
		b.guard.lines <- leveled{written: written}
		<-written
		return nil
	})
	if err != nil {
		b.warnBeside("the log does not say so: %v", err)
	}
}

// recoverNext has the boot manager start a golden snapshot, if that can be.
func (b *boot) recoverNext() {
	if err := inTime(b.requestRecovery); err != nil {
		b.warnBeside("the boot manager cannot be told to start a golden snapshot: %v", err)
		return
	}
	b.warnBeside("a golden snapshot is started next")
}

// requestRecovery has the boot manager start a golden snapshot.
func (b *boot) requestRecovery() error {
	place := b.guard.record.Load()
	if place == nil {
		return errors.New("this boot is not counted, or not yet")
	}
	var lost error
	_, err := bootstate.Update(place.device, place.installID, func(l record.Loaded) (record.Record, bool) {
		if lost = unusable(l); lost != nil {
			return l.Record, false
		}
		return bootmenu.RequestRecovery(l.Record)
	})
	return errors.Join(err, lost)
}

// maxStacks is how much of the goroutines' stacks is dumped, in bytes: pstore keeps
// 10 KiB of the kernel's log by default.
const maxStacks = 4 << 10

// dump writes into the kernel's log what hangs, and has the kernel panic, which saves the
// end of the log in pstore where the machine has one. The kernel then stands still
// until the watchdog resets the machine: the boot manager sees that it did.
func (b *boot) dump(what string) {
	stacks := make([]byte, maxStacks)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, s := range []struct{ name, value string }{
		{"kernel/printk_devkmsg", "on"}, // no limit on lines
		{"kernel/panic", "0"},           // no restart
	} {
		if err := b.sysctl(s.name, s.value); err != nil {
			b.warnBeside("%v", err)
		}
	}
	for line := range strings.Lines(string(stacks)) {
		b.kernelLog(strings.TrimRight(line, "\n"))
	}
	b.sysrq("w") // the tasks that wait for something which does not come
	b.kernelLog(what)
	b.sysrq("c") // a panic
}

// sysrq presses a key of the kernel's (Linux, Documentation/admin-guide/sysrq.rst).
func (b *boot) sysrq(key string) {
	if err := os.WriteFile(filepath.Join(b.root, "proc/sysrq-trigger"), []byte(key), 0); err != nil {
		b.warnBeside("%v", fmt.Errorf("kernel key %s: %w", key, err))
	}
}

// halt stops the machine where it stands.
func (b *boot) halt() {
	if err := inTime(func() error { b.kernel.Sync(); return nil }); err != nil {
		b.warnBeside("some data could not be written: %v", err)
	}
	b.warnBeside("the machine stands still for somebody to look at it; turn it off and on")
	if err := b.kernel.Power(unix.LINUX_REBOOT_CMD_HALT); err != nil {
		b.warnBeside("the kernel refuses to halt: %v", err)
	}
}
