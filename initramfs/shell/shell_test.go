package shell

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sh(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Program(nil)(append([]string{"sh"}, args...), strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestScripts(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("echo \"$# $1\"; exit 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		stdin          string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"command", "", []string{"-c", "for i in 1 2; do echo $i; done | cat"}, 0, "1\n2\n", ""},
		{"arguments", "", []string{"-c", "echo $1 $#", "name", "a", "b"}, 0, "a 2\n", ""},
		{"status", "", []string{"-c", "false"}, 1, "", ""},
		{"exit", "", []string{"-c", "exit 7; echo no"}, 7, "", ""},
		{"file", "", []string{file, "arg one", "-x"}, 3, "2 arg one\n", ""},
		{"stdin", "echo a\necho b\n", nil, 0, "a\nb\n", ""},
		{"not there", "", []string{"-c", "nosuchcommand"}, 127, "", "sh: nosuchcommand: no such command; help lists them\n"},
		{"no file", "", []string{"/no/such/file"}, 1, "", "sh: open /no/such/file: no such file or directory\n"},
		{"syntax", "", []string{"-c", "for"}, 1, "", "must be followed by a literal"},
		{"flag", "", []string{"-z"}, 2, "", "Usage of sh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := sh(t, c.stdin, c.args...)
			if status != c.status || stdout != c.stdout || !strings.Contains(stderr, c.stderr) || c.stderr == "" && stderr != "" {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
		})
	}
}

// TestCommandsBehindBuiltinNames checks that kill and help are ours.
func TestCommandsBehindBuiltinNames(t *testing.T) {
	for name, file := range external {
		got, err := callHandler(t.Context(), []string{name, "x"})
		if err != nil || got[0] != file || got[1] != "x" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := callHandler(t.Context(), []string{"ls"}); err != nil || got[0] != "ls" {
		t.Errorf("ls: %q, %v", got, err)
	}
}
