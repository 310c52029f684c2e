package logstore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/raylog"
)

var (
	id         = raylog.LogID{1}
	boot1      = raylog.BootID{1}
	boot2      = raylog.BootID{2}
	smallBytes = int64(64 * raylog.RecordBytes)
)

// place is a log in a file, behind something else.
func place(t *testing.T) logstore.Place {
	t.Helper()
	p := logstore.Place{Path: filepath.Join(t.TempDir(), "device"), Offset: 1 << 20, SizeBytes: smallBytes}
	if err := p.Create(); err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, p logstore.Place, boot raylog.BootID) *logstore.Log {
	t.Helper()
	l, err := logstore.Open(p, id, boot)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// messages is what is on the medium.
func messages(t *testing.T, p logstore.Place, q raylog.Query) string {
	t.Helper()
	ring, done, err := logstore.OpenReader(p, id)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var all []string
	reader := ring.Reader(q)
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		all = append(all, r.Message)
	}
	return strings.Join(all, " ")
}

func entry(level raylog.Level, message string) raylog.Entry {
	return raylog.Entry{Level: level, Source: "test", Message: message}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWarningsAreDurableAtOnce(t *testing.T) {
	p := place(t)
	l := open(t, p, boot1)
	must(t, l.Append(entry(raylog.Info, "one")))
	must(t, l.Append(entry(raylog.Warn, "two")))
	if got := messages(t, p, raylog.Query{}); got != "one two" {
		t.Errorf("on the medium: %q", got)
	}
	must(t, l.Close())
}

// TestTheRestFollows waits for what nobody asks to be written.
func TestTheRestFollows(t *testing.T) {
	p := place(t)
	l := open(t, p, boot1)
	for _, message := range []string{"one", "two"} { // the timer runs more than once
		must(t, l.Append(entry(raylog.Info, message)))
		for messages(t, p, raylog.Query{}) == "" || !strings.HasSuffix(messages(t, p, raylog.Query{}), message) {
			time.Sleep(time.Millisecond)
		}
	}
	must(t, l.Close())
}

func TestCloseWritesAndOpenGoesOn(t *testing.T) {
	p := place(t)
	l := open(t, p, boot1)
	if _, ok := l.LastBoot(boot1, "test"); ok {
		t.Error("a boot before the first")
	}
	must(t, l.Append(entry(raylog.Debug, "one")))
	must(t, l.Append(entry(raylog.Trace, "below the level")))
	must(t, l.Close())
	l = open(t, p, boot2)
	if newest, capacity, found := l.Found(); newest != 1 || capacity != 64 || found.Reads == 0 {
		t.Errorf("found %d of %d, %+v", newest, capacity, found)
	}
	if last, ok := l.LastBoot(boot2, "test"); !ok || last != boot1 {
		t.Errorf("the boot before is %v, %v", last, ok)
	}
	if last, ok := l.LastBoot(boot2, "other"); ok {
		t.Errorf("a boot of which nobody else said anything: %v", last)
	}
	must(t, l.SetLevel(raylog.Trace))
	if l.Level() != raylog.Trace {
		t.Error(l.Level())
	}
	must(t, l.Clear(entry(raylog.Info, "cleared")))
	must(t, l.Append(entry(raylog.Trace, "two")))
	must(t, l.Flush())
	if got := messages(t, p, raylog.Query{}); got != "cleared two" {
		t.Errorf("since it was cleared: %q", got)
	}
	if got := messages(t, p, raylog.Query{All: true}); got != "one cleared two" {
		t.Errorf("all: %q", got)
	}
	must(t, l.Close())
}

func TestManyGoroutines(t *testing.T) {
	p := place(t)
	l := open(t, p, boot1)
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for n := range 10 {
				level := raylog.Info
				if n%3 == 0 {
					level = raylog.Warn
				}
				if err := l.Append(entry(level, fmt.Sprintf("%d.%d", g, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	must(t, l.Close())
	if got := strings.Fields(messages(t, p, raylog.Query{})); len(got) != 40 {
		t.Errorf("%d records", len(got))
	}
}

func TestNoPlace(t *testing.T) {
	p := place(t)
	missing := p
	missing.Path += "-none"
	if _, err := logstore.Open(missing, id, boot1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing device: %v", err)
	}
	short := p
	short.SizeBytes *= 2
	if _, err := logstore.Open(short, id, boot1); err == nil || !strings.Contains(err.Error(), "no room for the log") {
		t.Errorf("a short device: %v", err)
	}
	if _, _, err := logstore.OpenReader(missing, id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read a missing device: %v", err)
	}
}

func TestDeviceWithoutSize(t *testing.T) {
	full := logstore.Place{Path: "/dev/full", SizeBytes: smallBytes}
	if _, err := logstore.Open(full, id, boot1); err == nil {
		t.Error("a device without a size is taken")
	}
}

func TestPlaces(t *testing.T) {
	disk, ram := logstore.OnDisk("/", "vda2"), logstore.InMemory("/")
	if disk != (logstore.Place{Path: "/dev/vda2", Offset: slots.LogOffset, SizeBytes: slots.LogBytes}) || ram.Path != "/run/rayos/log" || ram.Offset != 0 {
		t.Errorf("%+v, %+v", disk, ram)
	}
	ram = logstore.InMemory(t.TempDir())
	must(t, ram.Create())
	l := open(t, ram, boot1)
	must(t, l.Append(entry(raylog.Warn, "in memory")))
	must(t, l.Close())
	if got := messages(t, ram, raylog.Query{}); got != "in memory" {
		t.Error(got)
	}
}
