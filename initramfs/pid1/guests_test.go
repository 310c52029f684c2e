package pid1

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/guests"
)

// squashfs is the beginning of a file system of that kind, of version 4 and 4096 bytes.
var squashfs = "hsqs" + strings.Repeat("\x00", 24) + "\x04" + strings.Repeat("\x00", 12) + "\x00\x10" + strings.Repeat("\x00", 4054)

// withGuests is a machine whose disk has a QEMU, and a program in the place of the one that runs guests.
func withGuests(t *testing.T, program string) (*boot, *screen) {
	t.Helper()
	b, _, out := newBoot(t, map[string]string{
		"sys/class/block/vda/vda3/partition": "3", "sys/class/block/vda/vda3/size": "16", "dev/vda3": squashfs, "program": "#!/bin/sh\n" + program + "\n",
	})
	b.program = filepath.Join(b.root, "program")
	if err := os.Chmod(b.program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (bootfacts.Facts{Disk: "vda"}).Write(b.root); err != nil {
		t.Fatal(err)
	}
	return b, out
}

// TestGuests has the program say something for people, for the log, and for a guest.
func TestGuests(t *testing.T) {
	b, _ := withGuests(t, `echo "for people: $1" >&3; echo for the log; printf 'linux\tits console\n'; exec sleep 1000`)
	b.startGuests()
	defer b.stopServices()
	var told []string
	for len(told) < 1 {
		select {
		case line := <-b.told:
			told = append(told, line)
		case <-b.reports:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing is told")
		}
	}
	if told[0] != "for people: guests" {
		t.Errorf("told %q", told)
	}
	want := "guests: for the log; linux: its console"
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b.journal.mu.Lock()
		var said []string
		for _, e := range b.journal.early {
			said = append(said, e.Source+": "+e.Message)
		}
		b.journal.mu.Unlock()
		if strings.Join(said, "; ") == want {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the log has %q, want %s", said, want)
		}
	}
}

func TestNoGuests(t *testing.T) {
	for what, change := range map[string]func(*boot){
		"an installation stick": func(b *boot) { b.args.Install = true },
		"safe mode":             func(b *boot) { b.args.Safe = true },
		"the command line":      func(b *boot) { b.args.Skip = []string{guests.Service} },
		"a disk without QEMU":   func(b *boot) { write(t, filepath.Join(b.root, "dev/vda3"), "else") },
	} {
		b, out := withGuests(t, "exec sleep 1000")
		change(b)
		b.startGuests()
		if states := b.services.States(); len(states) != 0 {
			t.Errorf("%s: %+v", what, states)
		}
		if said := strings.Contains(out.String(), "service guests: skipped"); said != (what == "the command line") {
			t.Errorf("%s: %s", what, out)
		}
	}
}
