package guests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/packet"
)

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// squashfs is the beginning of a file system of that kind, of version 4 and 4096 bytes.
var squashfs = "hsqs" + strings.Repeat("\x00", 24) + "\x04" + strings.Repeat("\x00", 12) + "\x00\x10" + strings.Repeat("\x00", 4054)

// withDisk is a machine whose boot disk has a partition 3 with this content.
func withDisk(t *testing.T, content string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := (bootfacts.Facts{Disk: "vda"}).Write(root); err != nil {
		t.Fatal(err)
	}
	write(t, root, "sys/class/block/vda/size", "1000\n")
	write(t, root, "sys/class/block/vda/vda3/partition", "3\n")
	write(t, root, "sys/class/block/vda/vda3/size", "16\n")
	write(t, root, "dev/vda3", content)
	return root
}

func TestPartitions(t *testing.T) {
	root := withDisk(t, squashfs)
	p, err := FindPartition(root, gpt.NumberSystem)
	if want := (Partition{filepath.Join(root, "dev/vda3"), 8192}); err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := System(root); err != nil || p.SizeBytes != 8192 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := FindPartition(root, gpt.NumberLinux); err == nil || err.Error() != "the boot disk vda has no partition 4" {
		t.Error(err)
	}
	for _, content := range []string{"", "hs", "ext4"} {
		if _, err := System(withDisk(t, content)); !errors.Is(err, ErrNoQEMU) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := System(t.TempDir()); !errors.Is(err, ErrNoQEMU) {
		t.Errorf("without a boot disk: %v", err)
	}
}

// TestAsk asks where nobody answers, where somebody refuses, and where it is done.
func TestAsk(t *testing.T) {
	if _, err := Ask(withDisk(t, ""), Request{Verb: VerbList}); !errors.Is(err, ErrNoQEMU) {
		t.Error(err)
	}
	root := withDisk(t, squashfs)
	if _, err := Ask(root, Request{Verb: VerbList}); err == nil || !strings.Contains(err.Error(), "services start guests starts it") {
		t.Error(err)
	}
	listener, err := packet.Listen(filepath.Join(root, SocketPath))
	if err != nil {
		t.Fatal(err)
	}
	answer := `{"guests":[{"name":"linux","condition":"runs"}]}`
	served := make(chan error)
	go func() {
		served <- listener.Serve(func(question []byte) []byte {
			if string(question) != `{"verb":"list"}` {
				return []byte(`{"error":"no","guests":[]}`)
			}
			return []byte(answer)
		})
	}()
	a, err := Ask(root, Request{Verb: VerbList})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := a.Find("linux"); err != nil || s.Condition != Runs {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := a.Find("windows"); err == nil || err.Error() != `there is no guest "windows"; there are linux` {
		t.Error(err)
	}
	if _, err := Ask(root, Request{Verb: VerbStop}); err == nil || err.Error() != "no" {
		t.Error(err)
	}
	if err := errors.Join(listener.Close(), <-served); err != nil {
		t.Error(err)
	}
	if _, err := Ask(root, Request{Verb: VerbList}); err == nil || !strings.Contains(err.Error(), "the service guests does not answer") {
		t.Error(err)
	}
}

// TestAskWhileItBegins asks before the program listens.
func TestAskWhileItBegins(t *testing.T) {
	root := withDisk(t, squashfs)
	served := make(chan error)
	listening := make(chan *packet.Listener, 1)
	go func() {
		time.Sleep(2 * beginsLook)
		listener, err := packet.Listen(filepath.Join(root, SocketPath))
		if err != nil {
			served <- err
			return
		}
		listening <- listener
		served <- listener.Serve(func([]byte) []byte { return []byte(`{"wanted":"linux"}`) })
	}()
	if a, err := Ask(root, Request{Verb: VerbList}); err != nil || a.Wanted != "linux" {
		t.Errorf("%+v, %v", a, err)
	}
	if err := errors.Join((<-listening).Close(), <-served); err != nil {
		t.Error(err)
	}
}

// TestSource has a guest say what it likes: it cannot speak for others.
func TestSource(t *testing.T) {
	for line, want := range map[string][2]string{
		Line("linux", "login:"):           {"linux", "login:"},
		Line("linux", "windows\tI am it"): {"linux", "windows\tI am it"},
		Line("linux", ""):                 {"linux", ""},
		"rayos: the screen is gone":       {"guests", "rayos: the screen is gone"},
		"rayos: not a name\tat all":       {"guests", "rayos: not a name\tat all"},
		"\tx":                             {"guests", "\tx"},
	} {
		if source, text := Source(line); source != want[0] || text != want[1] {
			t.Errorf("%q: %q, %q", line, source, text)
		}
	}
}
