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
	b.warn("%s", what)
	if o.Recover {
		if err := b.requestRecovery(); err != nil {
			b.warn("the boot manager cannot be told to start a golden snapshot: %v", err)
		} else {
			b.say("a golden snapshot is started next")
		}
	}
	if o.Dump {
		b.dump(what)
	}
	if o.Halt {
		b.halt()
	}
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
			b.warn("%v", err)
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
		b.warn("%v", fmt.Errorf("kernel key %s: %w", key, err))
	}
}

// syncTimeout is how long a machine that does not answer may take to write its
// data out.
const syncTimeout = 5 * time.Second

// halt stops the machine where it stands.
func (b *boot) halt() {
	done := make(chan struct{})
	go func() {
		b.kernel.Sync()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(syncTimeout):
		b.warn("some data could not be written to the disks")
	}
	b.say("the machine stands still for somebody to look at it; turn it off and on")
	if err := b.kernel.Power(unix.LINUX_REBOOT_CMD_HALT); err != nil {
		b.say("the kernel refuses to halt: %v", err)
	}
}
