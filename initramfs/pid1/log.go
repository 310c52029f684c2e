package pid1

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/kmsg"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// Who says what stands in the log.
const (
	sourceInit   = "init"
	sourceKernel = "kernel"
)

// maxEarly is how many entries are kept until the log is open: what the kernel
// says while it starts, several times over.
const maxEarly = 8192

// journal puts what is said into the persistent log. Entries that come before that
// is open are kept in memory.
type journal struct {
	handedOver string        // the boot's ID as the boot manager has it, empty if it has none
	boot       raylog.BootID // shared with the boot manager's part of the log
	stopKernel func()        // ends following the kernel's log

	mu     sync.Mutex
	early  []raylog.Entry
	lost   int // entries for which there was no room
	log    *logstore.Log
	closed bool
	failed func(error) // told when the log cannot be written
}

// add keeps an entry.
func (j *journal) add(e raylog.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
	case j.log != nil:
		if err := j.log.Append(e); err != nil {
			j.failed(err)
		}
	case len(j.early) < maxEarly:
		j.early = append(j.early, e)
	default:
		j.lost++
	}
}

// open writes what was kept to the log, and goes on there.
func (j *journal) open(l *logstore.Log) (lost int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.early {
		err = errors.Join(err, l.Append(e))
	}
	lost = j.lost
	j.early, j.lost, j.log = nil, 0, l
	return lost, err
}

// flush writes everything out.
func (j *journal) flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.log == nil {
		return nil
	}
	return j.log.Flush()
}

// close writes everything out. What is said afterwards is not in the log.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.log == nil {
		return nil
	}
	return j.log.Close()
}

// log keeps lines that were said by process 1.
func (b *boot) log(level raylog.Level, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		lineLevel := level
		if m, err := markers.Parse(line); err == nil && markers.Alarms(m) {
			lineLevel = max(level, raylog.Warn)
		}
		b.journal.add(entryNow(lineLevel, sourceInit, line))
	}
}

// KernelLine begins the line of the log that has the SHA-256 of the kernel.
const KernelLine = "rayos: kernel "

// logKernel keeps which kernel was started.
func (b *boot) logKernel() {
	if booted := b.attempt.booted; booted != nil {
		b.log(raylog.Info, KernelLine+booted.Kernel.SHA256.String())
	}
}

func entryNow(level raylog.Level, source, message string) raylog.Entry {
	return raylog.Entry{Level: level, Uptime: uptime(), Wall: wallTime(), Source: source, Message: message}
}

// uptime is the time since the kernel's start, as its own log has it.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// built is earlier than any boot of this program: a clock that says less is not
// set.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func wallTime() time.Time {
	if now := time.Now(); now.After(built) {
		return now
	}
	return time.Time{}
}

// readBootID takes the boot's ID from the boot manager, or else from the kernel.
func (b *boot) readBootID() (err error) {
	id := b.journal.handedOver
	if id == "" {
		var text []byte
		if text, err = os.ReadFile(filepath.Join(b.root, "proc/sys/kernel/random/boot_id")); err != nil {
			return err
		}
		id = strings.TrimSpace(string(text))
	}
	b.journal.boot, err = raylog.ParseBootID(id)
	return err
}

// followKernel keeps what the kernel has said and says.
func (b *boot) followKernel() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	b.journal.stopKernel = func() { cancel(); <-done }
	go func() {
		defer close(done)
		err := kmsg.Follow(ctx, filepath.Join(b.root, "dev/kmsg"), func(r kmsg.Record) { b.journal.add(kernelEntry(r)) }, func(n uint64) {
			b.log(raylog.Warn, fmt.Sprintf("rayos: %d messages of the kernel were overwritten before they could be kept", n))
		})
		if err != nil {
			b.log(raylog.Warn, fmt.Sprintf("rayos: %v; the kernel's messages are not in the log", err))
		}
	}()
}

// kernelLevels are the levels of the kernel's priorities (syslog(2)).
var kernelLevels = [...]raylog.Level{
	raylog.Fatal, raylog.Fatal, raylog.Fatal, // emergency, alert, critical
	raylog.Error, raylog.Warn, raylog.Info, raylog.Info, raylog.Debug,
}

func kernelEntry(r kmsg.Record) raylog.Entry {
	return raylog.Entry{Level: kernelLevels[r.Priority&7], Uptime: r.Time, Source: sourceKernel, Message: r.Text}
}

// openLog opens the log on the boot disk, or in memory where that cannot be.
func (b *boot) openLog() {
	b.journal.failed = func(err error) { b.kernelLog(fmt.Sprintf("the log cannot be written: %v", err)) }
	l, reason := b.findLog()
	if l == nil {
		b.warn("there is no log: %v", reason)
		return
	}
	b.serveLog(l)
	head, capacity, found := l.Found()
	lost, err := b.journal.open(l)
	if err != nil {
		b.warn("the log cannot be written: %v", err)
	}
	if lost > 0 {
		b.warn("%d lines came before the log was open and are lost", lost)
	}
	if reason != nil {
		b.logVolatile = reason.Error()
		b.line(markers.LogVolatile{Reason: reason.Error()}.Marker().String())
		return
	}
	b.line(markers.LogOpened{Capacity: capacity, Head: head, Reads: found.Reads}.Marker().String())
}

// serveLog answers the command log until the machine is off.
func (b *boot) serveLog(l *logstore.Log) {
	listener, err := packet.Listen(filepath.Join(b.root, logstore.SocketPath))
	if err != nil {
		b.warn("%v; log level and log clear do not work", err)
		return
	}
	go func() {
		err := listener.Serve(func(message []byte) []byte {
			return l.Answer(message, entryNow)
		})
		if err != nil {
			b.warn("command log: %v", err)
		}
	}()
}

// findLog returns the log, nil if there is none, and why it is not on the disk.
func (b *boot) findLog() (*logstore.Log, error) {
	id := raylog.InstallLogID(b.wanted.InstallID)
	reason := errors.New("the boot disk was not found")
	switch {
	case b.disk.Kernel != "":
		l, err := logstore.Open(logstore.OnDisk(b.root, b.disk.Kernel), id, b.journal.boot)
		if err == nil {
			return l, nil
		}
		reason = err
	case b.disk.Disk != "":
		reason = errors.New("the boot disk has no RayOS Kernel partition")
	}
	place := logstore.InMemory(b.root)
	if err := place.Create(); err != nil {
		return nil, errors.Join(reason, err)
	}
	l, err := logstore.Open(place, id, b.journal.boot)
	if err != nil {
		return nil, errors.Join(reason, err)
	}
	return l, reason
}

// closeLog is the end of the log: what is said afterwards is on the consoles only.
func (b *boot) closeLog() {
	if b.journal.stopKernel != nil { // it was followed
		b.journal.stopKernel()
	}
	if err := b.journal.close(); err != nil {
		b.say("the end of the log is lost: %v", err)
	}
}
