package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/goldenstore"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/initramfs/ptytest"
)

const installID = "11111111-2222-3333-4444-555555555555"

// writableMount is a mount that needs no remount.
type writableMount struct{}

func (writableMount) ReadOnly() (bool, error) { return false, nil }
func (writableMount) Remount(bool) error      { return errors.New("remounted") }

// bootDiskBelow is the boot disk of a machine below a directory: two entries,
// and one golden snapshot, of rayos.
func bootDiskBelow(t *testing.T) (root string, id golden.Digest) {
	t.Helper()
	root = t.TempDir()
	facts := bootfacts.Facts{Entry: "rayos", InstallID: installID, Disk: "vda", ESP: "vda1", NoSnapshot: "it is not counted"}
	if err := facts.Write(root); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"dev/.keep": "", "esp/kernel": "a kernel", "esp/EFI/rayos/x": "",
		"esp/" + esp.EntryPath("rayos"): "title RayOS\nlinux /new\nx-rayos-bless runtime\n",
		"esp/" + esp.EntryPath("other"): "title Other\nlinux /kernel\n",
	} {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	r := record.New(installID)
	r.Sequence = 1
	r.Entries = []record.Entry{{Key: "rayos", Failures: 3, Disabled: true}}
	esptest.Write(t, filepath.Join(root, "dev/vda1"), r)
	kernel := golden.BootedPart{Paths: []string{"kernel"}, Slot: -1, LengthBytes: 8, SHA256: golden.Sum([]byte("a kernel"))}
	booted := golden.Booted{Title: "RayOS", Options: "quiet", Kernel: kernel, Initrd: golden.BootedPart{Slot: -1}}
	s, _, err := goldenstore.New(root, "", writableMount{}).Take(t.Context(), booted, "rayos")
	if err != nil {
		t.Fatal(err)
	}
	return root, s.ID()
}

// operateOn runs a command line on the machine below root.
func operateOn(t *testing.T, root string, stdin io.Reader, stdout io.Writer, line string) (status int, stderr string) {
	t.Helper()
	args := strings.Fields(line)
	var errs bytes.Buffer
	status = All()[args[0]].main(&env{
		name: args[0], args: args[1:], stdin: stdin, stdout: stdout, stderr: &errs,
		disk: func(ctx context.Context) (*livedisk.Disk, error) { return livedisk.Open(ctx, root, writableMount{}) },
	})
	return status, errs.String()
}

func TestOperate(t *testing.T) {
	root, id := bootDiskBelow(t)
	for _, c := range []struct {
		line           string
		status         int
		stdout, stderr string
	}{
		{"bootmgr", 0, "bootmgr [command]", ""},
		{"bootmgr help set-oneshot", 0, "bootmgr set-oneshot ENTRY [flags]", ""},
		{"recovery --help", 0, "recovery restore 5f70bf18 rayos --yes", ""},
		{"bootmgr list", 0, "disabled after 3 failures", ""},
		{"bootmgr nonsense", 2, "", `wrong usage: bootmgr has no command "nonsense"` + "\nsee bootmgr --help\n"},
		{"bootmgr list --nonsense", 2, "", "unknown flag: --nonsense"},
		{"bootmgr list --yes", 2, "", "unknown flag: --yes"},
		{"bootmgr enable", 2, "", "wrong usage"},
		{"bootmgr set-default nosuch", 1, "", "bootmgr: no entry nosuch; there are other, rayos\n"},
		{"bootmgr set-default --json other", 0, `"changed": true`, ""},
		{"bootmgr enable rayos", 0, "rayos is enabled", ""},
		{"recovery verify", 0, bootmenu.ShortID(id), ""},
		{"recovery snapshot", 1, "", "no golden snapshot can be taken of this boot: it is not counted"},
		{"recovery drop", 2, "", "say which snapshot"},
		{"recovery drop " + id.String()[:8], 1, "", "add --yes"},
	} {
		var out bytes.Buffer
		status, stderr := operateOn(t, root, strings.NewReader("1\nyes\n"), &out, c.line)
		if status != c.status || !strings.Contains(out.String(), c.stdout) || !strings.Contains(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.line, status, out.String(), stderr)
		}
	}
	loaded, err := bootstate.Load(filepath.Join(root, "dev/vda1"), installID)
	if r := loaded.Record; err != nil || r.Default != "other" || r.Find("rayos") != nil {
		t.Errorf("the record afterwards: %+v, %v", r, err)
	}
}

func TestJSON(t *testing.T) {
	root, _ := bootDiskBelow(t)
	for _, line := range []string{"bootmgr list --json", "bootmgr status --json", "recovery status --json", "recovery list --json", "recovery verify --json"} {
		var out bytes.Buffer
		status, stderr := operateOn(t, root, strings.NewReader(""), &out, line)
		if !json.Valid(out.Bytes()) || status != 0 {
			t.Errorf("%s: status %d, %s, %s", line, status, out.Bytes(), stderr)
		}
	}
}

// TestRestoreAsksTwice has a person choose a snapshot, and confirm it.
func TestRestoreAsksTwice(t *testing.T) {
	root, id := bootDiskBelow(t)
	for _, c := range []struct {
		confirm string
		status  int
	}{{"no", 1}, {"yes", 0}} {
		terminal := ptytest.Open(t)
		far := terminal.Far()
		ended := make(chan int)
		go func() {
			status, _ := operateOn(t, root, far, far, "recovery restore")
			ended <- status
		}()
		terminal.Expect(bootmenu.ShortID(id))
		terminal.Expect("Which one?")
		terminal.Type("1\n")
		terminal.Expect("Type yes to do it:")
		terminal.Type(c.confirm + "\n")
		if status := <-ended; status != c.status {
			t.Errorf("answer %s: status %d", c.confirm, status)
		}
		entry, err := os.ReadFile(filepath.Join(root, "esp", esp.EntryPath("rayos")))
		if restored := strings.Contains(string(entry), golden.Sum([]byte("a kernel")).String()); restored != (c.status == 0) || err != nil {
			t.Errorf("answer %s: %v, the entry is\n%s", c.confirm, err, entry)
		}
	}
}

func TestDropWithoutAsking(t *testing.T) {
	root, id := bootDiskBelow(t)
	var out bytes.Buffer
	if status, stderr := operateOn(t, root, strings.NewReader(""), &out, "recovery drop --yes "+id.String()[:8]); status != 0 {
		t.Errorf("status %d, %s", status, stderr)
	}
	if left, err := os.ReadDir(filepath.Join(root, "esp", golden.Dir)); len(left) > 0 || err != nil {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestInterruptIsNoAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer never.Close()
	defer w.Close()
	if answer, err := asker(ctx, never, io.Discard)("?"); !errors.Is(err, context.Canceled) {
		t.Errorf("answer %q, %v", answer, err)
	}
}

func TestMachineWithoutBootDisk(t *testing.T) {
	status, stderr := operateOn(t, t.TempDir(), nil, io.Discard, "bootmgr status")
	if status != 1 || !strings.Contains(stderr, "bootmgr: boot facts: ") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
