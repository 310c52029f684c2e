package pid1

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long processes have to end, after SIGTERM and after SIGKILL.
const (
	termTimeout = 3 * time.Second
	killTimeout = 2 * time.Second
	endPoll     = 20 * time.Millisecond
)

// shutdown ends the machine in order: processes, then file systems, then the
// power. It returns only if the kernel refused.
func (b *boot) shutdown(command int) {
	what := "restarts"
	if command == unix.LINUX_REBOOT_CMD_POWER_OFF {
		what = "turns off"
	}
	b.guard.BeginEnd()
	b.say("the machine %s: ending all processes", what)
	b.consoles.SetMidLine(false)
	b.stopServices()
	b.endProcesses()
	b.snapshot.stop()
	b.closeAttempt()
	b.closeLog()
	b.kernel.Sync()
	b.unmountAll()
	b.kernel.Sync()
	b.leaveWatchdog(command)
	b.say("the machine %s now", what)
	if err := b.kernel.Power(command); err != nil {
		b.say("the kernel refuses: %v; process 1 ends, so that the kernel panics and restarts the machine", err)
	}
}

// endProcesses asks all other processes to end, and then makes them.
func (b *boot) endProcesses() {
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{{syscall.SIGTERM, termTimeout}, {syscall.SIGKILL, killTimeout}} {
		if err := b.kernel.Signal(step.signal); err != nil && !errors.Is(err, unix.ESRCH) {
			b.warn("%v to all processes: %v", step.signal, err)
		}
		if b.waitForEnd(step.timeout) {
			return
		}
	}
	b.warn("some processes do not end; going on without them")
}

// waitForEnd reaps until no other process is left, and reports whether that
// came to be in time.
func (b *boot) waitForEnd(timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); ; time.Sleep(endPoll) {
		running, err := b.children.Reap()
		if err != nil {
			b.warn("%v", err)
		}
		if !running {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
	}
}

// unmountAll unmounts the file systems that are on devices, last mounted
// first. One that is busy becomes read-only.
func (b *boot) unmountAll() {
	text, err := os.ReadFile(filepath.Join(b.root, "proc/self/mounts"))
	if err != nil {
		b.say("unmount: %v", err)
		return
	}
	for _, target := range slices.Backward(deviceMounts(string(text))) {
		err := b.kernel.Unmount(target)
		if err == nil {
			continue
		}
		if roErr := b.kernel.RemountReadOnly(target); roErr != nil {
			b.say("unmount %s: %v; read-only: %v", target, err, roErr)
		} else {
			b.say("unmount %s: %v; it is read-only now", target, err)
		}
	}
}

// deviceMounts returns the mount points of block devices in a mount table
// (proc(5) /proc/self/mounts), in its order.
func deviceMounts(table string) []string {
	var targets []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && strings.HasPrefix(fields[0], "/dev/") {
			targets = append(targets, unescapeMount(fields[1]))
		}
	}
	return targets
}

// unescapeMount undoes the octal escapes of white space in a mount table.
func unescapeMount(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		if s[0] == '\\' && len(s) >= 4 {
			if c, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				out.WriteByte(byte(c))
				s = s[4:]
				continue
			}
		}
		out.WriteByte(s[0])
		s = s[1:]
	}
	return out.String()
}
