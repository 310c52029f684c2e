package harness

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/espdisk"
)

// ForeignDisk makes a disk of the test with espdisk.Make and returns its path.
func ForeignDisk(t testing.TB, sizeMiB int, files map[string]string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "foreign.img")
	if err := espdisk.Make(t.Context(), image, sizeMiB, files); err != nil {
		t.Fatal(err)
	}
	return image
}

// WriteFile puts text into a file of the host for the duration of the test and returns its path.
func WriteFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
