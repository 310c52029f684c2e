package harness

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Dist returns the folder of the built files: RAYBOOT_DIST, or dist at the root of the repository. Tests run in a
// folder right below the root.
func Dist() string {
	if dist := os.Getenv("RAYBOOT_DIST"); dist != "" {
		return dist
	}
	return filepath.Join("..", "dist")
}

// Artifact returns the path of a built file. A missing one is a failure: these tests are of what was built.
func Artifact(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(Dist(), name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is missing: run ./justw build first", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Run runs a program of the host and returns its standard output; its failure is the test's.
func Run(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, stderr.Bytes())
	}
	return string(out)
}

// Overlay returns a throw-away disk in front of the image: the image stays as it is, and what machines write on the disk
// is kept until the test's end, over power cuts too.
func Overlay(t testing.TB, image string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "overlay.qcow2")
	Run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, path)
	return path
}
