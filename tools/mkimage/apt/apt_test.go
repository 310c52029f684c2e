package apt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestSources(t *testing.T) {
	got, err := sources("m:/debian/|bookworm|main\nm:/debian/|bookworm|contrib\nm:/debian/|bookworm-updates|main\n"+
		"s:/sec|bookworm-security|main\nx:/node|nodistro|main\nm:/debian/|bookworm|main\ne:/x [trusted=yes]|bookworm|main\n", "/k.gpg")
	want := []string{
		"deb [signed-by=/k.gpg] m:/debian/ bookworm main", "deb [signed-by=/k.gpg] m:/debian/ bookworm-backports main",
		"deb [signed-by=/k.gpg] m:/debian/ bookworm-updates main", "deb [signed-by=/k.gpg] s:/sec bookworm-security main",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := sources("u:/ubuntu|jammy|main\n", ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a Debian: %v", err)
	}
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	var last int64
	stop := Watch(dir, func(n int64) { last = n })
	if err := os.MkdirAll(filepath.Join(dir, "partial"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "partial/x.deb"), make([]byte, 1234), 0o644); err != nil {
		t.Fatal(err)
	}
	if stop(); last != 1234 {
		t.Errorf("%d bytes are told in the end, not 1234", last)
	}
}

func TestLastLines(t *testing.T) {
	if got := LastLines("1\n2\n3\n4\n5\n6\n\n"); got != "2\n3\n4\n5\n6" {
		t.Errorf("%q", got)
	}
}
