package pid1

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/kmsg"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

const bootID = "0102030405060708090a0b0c0d0e0f10"

// inLog returns the records of a log, as level, source and message.
func inLog(t *testing.T, p logstore.Place) (lines []string) {
	t.Helper()
	ring, done, err := logstore.OpenReader(p, raylog.InstallLogID(installID))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	reader := ring.Reader(raylog.Query{})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		lines = append(lines, fmt.Sprintf("%v %s %s", r.Level, r.Source, r.Message))
		if r.Boot.String() != bootID {
			t.Errorf("boot %v", r.Boot)
		}
	}
	return lines
}

func withBootID(t *testing.T) (*boot, *screen) {
	t.Helper()
	b, _, out := newBoot(t, nil)
	b.wanted.InstallID, b.journal.handedOver = installID, bootID
	if err := b.readBootID(); err != nil {
		t.Fatal(err)
	}
	return b, out
}

func TestLogOnDisk(t *testing.T) {
	b, out := withBootID(t)
	place := logstore.OnDisk(b.root, "vda2")
	if err := place.Create(); err != nil {
		t.Fatal(err)
	}
	b.disk.Disk, b.disk.Kernel = "vda", "vda2"
	b.say("before it is open")
	b.openLog()
	b.say("flushed")
	if err := b.journal.flush(); err != nil {
		t.Fatal(err)
	}
	if lines := inLog(t, place); len(lines) != 3 {
		t.Errorf("flushed: %q", lines)
	}
	b.warn("a problem")
	b.line(markers.WatchdogExpired{}.Marker().String() + "\nsecond line")
	b.closeLog()
	b.say("after the end")
	lines := inLog(t, place)
	want := []string{
		"INFO init rayos: before it is open", "INFO init [RAYOS_LOG:OPENED] capacity=32768, head=0, reads=", "INFO init rayos: flushed",
		"WARN init rayos: a problem", "WARN init [RAYOS_WATCHDOG:EXPIRED]", "INFO init second line",
	}
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q, want %q", i, line, want[i])
		}
	}
	if b.logVolatile != "" || !strings.Contains(out.String(), "rayos: after the end") {
		t.Errorf("volatile %q, consoles %q", b.logVolatile, out.String())
	}
}

func TestLogInMemory(t *testing.T) {
	b, out := withBootID(t)
	b.disk.Disk, b.disk.Kernel = "vda", "vda2" // which cannot be opened
	b.say("kept all the same")
	b.openLog()
	b.closeLog()
	lines := inLog(t, logstore.InMemory(b.root))
	if len(lines) != 2 || lines[0] != "INFO init rayos: kept all the same" || !strings.HasPrefix(lines[1], "WARN init [RAYOS_LOG:VOLATILE]") {
		t.Errorf("%q", lines)
	}
	if !strings.Contains(b.logVolatile, "vda2") || !strings.Contains(out.String(), "[RAYOS_LOG:VOLATILE]") {
		t.Errorf("volatile %q, consoles %q", b.logVolatile, out.String())
	}
}

func TestEarlyEntriesAreBounded(t *testing.T) {
	var j journal
	for range maxEarly + 3 {
		j.add(raylog.Entry{Level: raylog.Info, Message: "x"})
	}
	if len(j.early) != maxEarly || j.lost != 3 {
		t.Errorf("%d kept, %d lost", len(j.early), j.lost)
	}
}

// TestKernelMessages has a pipe in the place of the kernel's log.
func TestKernelMessages(t *testing.T) {
	b, _ := withBootID(t)
	path := filepath.Join(b.root, "dev/kmsg")
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	fmt.Fprint(w, "4,7,1500000,-;something odd\n")
	b.followKernel()
	for len(earlyOf(b)) == 0 {
		time.Sleep(time.Millisecond)
	}
	b.openLog()
	b.closeLog()
	if lines := inLog(t, logstore.InMemory(b.root)); len(lines) != 2 || lines[0] != "WARN kernel something odd" {
		t.Errorf("%q", lines)
	}
}

func earlyOf(b *boot) []raylog.Entry {
	b.journal.mu.Lock()
	defer b.journal.mu.Unlock()
	return slices.Clone(b.journal.early)
}

func TestKernelLevels(t *testing.T) {
	for priority, want := range []raylog.Level{raylog.Fatal, raylog.Fatal, raylog.Fatal, raylog.Error, raylog.Warn, raylog.Info, raylog.Info, raylog.Debug} {
		if e := kernelEntry(kmsg.Record{Priority: priority}); e.Level != want {
			t.Errorf("priority %d: %v, want %v", priority, e.Level, want)
		}
	}
}

func TestBootIDOfTheKernel(t *testing.T) {
	b, _, _ := newBoot(t, map[string]string{"proc/sys/kernel/random/boot_id": "01020304-0506-0708-090a-0b0c0d0e0f10\n"})
	if err := b.readBootID(); err != nil || b.journal.boot.String() != bootID {
		t.Errorf("%v, %v", b.journal.boot, err)
	}
	b.journal.handedOver = "nonsense"
	if err := b.readBootID(); err == nil {
		t.Error("nonsense is taken")
	}
}
