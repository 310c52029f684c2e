package kmsg_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/kmsg"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want kmsg.Record
		ok   bool
	}{
		{"6,339,5140900,-;NET: Registered protocol family 10\n", kmsg.Record{Priority: 6, Sequence: 339, Time: 5140900 * time.Microsecond, Text: "NET: Registered protocol family 10"}, true},
		{"30,340,5690716,-,caller=T1;udevd[80]: starting\n SUBSYSTEM=acpi\n DEVICE=+acpi:x\n", kmsg.Record{Priority: 6, Facility: 3, Sequence: 340, Time: 5690716 * time.Microsecond, Text: "udevd[80]: starting"}, true},
		{`4,1,0,-;tab\x09and \x5cx41 \xzz \x4`, kmsg.Record{Priority: 4, Sequence: 1, Text: "tab\tand \\x41 \\xzz \\x4"}, true},
		{"6,1;no", kmsg.Record{}, false},
		{"-1,1,1,-;no", kmsg.Record{}, false},
		{"6,x,1,-;no", kmsg.Record{}, false},
		{"6,1,99999999999999999999,-;no", kmsg.Record{}, false},
		{"no text", kmsg.Record{}, false},
	} {
		if got, err := kmsg.Parse([]byte(c.in)); got != c.want || (err == nil) != c.ok {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
	}
}

// TestFollow stands in for /dev/kmsg with a pipe that keeps the records apart, as
// /dev/kmsg does.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kmsg")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	taken, missing, ended := make(chan kmsg.Record), make(chan uint64, 1), make(chan error)
	go func() {
		ended <- kmsg.Follow(ctx, path, func(r kmsg.Record) { taken <- r }, func(n uint64) { missing <- n })
	}()
	for _, sequence := range []uint64{5, 6, 9} {
		fmt.Fprintf(w, "6,%d,1,-;text\n", sequence)
		if r := <-taken; r.Sequence != sequence {
			t.Errorf("record %d, want %d", r.Sequence, sequence)
		}
	}
	if n := <-missing; n != 2 {
		t.Errorf("%d records are missing, want 2", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestFollowNothing(t *testing.T) {
	err := kmsg.Follow(t.Context(), filepath.Join(t.TempDir(), "none"), nil, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("6,339,5140900,-;text\n A=b\n"))
	f.Add([]byte(`4,1,0,-;\x0`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := kmsg.Parse(b)
		if err == nil && (r.Priority > 7 || r.Time < 0 || strings.Contains(r.Text, "\n") && !strings.Contains(string(b), `\x0`)) {
			t.Errorf("%q: %+v", b, r)
		}
	})
}
