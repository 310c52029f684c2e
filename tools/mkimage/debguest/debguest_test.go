package debguest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMake has programs of the test in the place of mmdebstrap and fakeroot; TestDebianGuest of ovmf-tests installs and
// boots a real Debian (-long).
func TestMake(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nfor a; do echo \"$a\"; done >" + bin + "/args\nwhile [ $# -gt 2 ]; do shift; done\nmkdir -p x/dev x/etc; echo guest >x/etc/hostname; echo >x/dev/null; tar -C x -cf \"$1\" .\n"
	if err := os.WriteFile(filepath.Join(bin, "mmdebstrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Chdir(bin)
	r, err := Make(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(r.Dir, "etc/hostname")); err != nil || string(text) != "guest\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "dev/null")); err == nil {
		t.Error("files of /dev are unpacked")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tar")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	args, err := os.ReadFile(filepath.Join(bin, "args"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(args), "\n")
	if !slices.Contains(lines, "--variant=minbase") || !slices.Contains(lines, "bookworm") || !slices.Contains(lines, "--include="+packages) {
		t.Errorf("mmdebstrap %s", args)
	}
	sources, err := os.ReadFile(filepath.Join(dir, "sources.list"))
	if err != nil || !strings.Contains(string(sources), " bookworm main") || strings.Contains(string(sources), "backports") {
		t.Errorf("sources %s, %v", sources, err)
	}
}

func TestMakeFails(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if err := os.WriteFile(filepath.Join(bin, "mmdebstrap"), []byte("#!/bin/sh\necho E: no mirror >&2; exit 25\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "mmdebstrap: exit status 25; check the network and try again\nE: no mirror") {
		t.Error(err)
	}
	if err := run(t.Context(), "no-such-program"); !errors.Is(err, ErrNoTool) || !strings.Contains(err.Error(), "install the package no-such-program") {
		t.Error(err)
	}
}
