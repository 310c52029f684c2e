package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPagesAreCurrent(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%v; write it with: go run ./tools/gendocs", err)
			continue
		}
		if string(got) != page() {
			t.Errorf("%s is not what the code says; write it again with: go run ./tools/gendocs", name)
		}
	}
}

func TestRun(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	var stderr strings.Builder
	if status := run(&stderr); status != 1 || !strings.Contains(stderr.String(), "go.mod") {
		t.Fatalf("outside a module: status %d, %q", status, stderr.String())
	}
	if err := os.WriteFile("go.mod", []byte("module x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stderr.Reset()
	if status := run(&stderr); status != 1 || !strings.Contains(stderr.String(), "docs") {
		t.Fatalf("without docs: status %d, %q", status, stderr.String())
	}
	for _, dir := range []string{"docs", "deep/er"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir("deep/er")
	stderr.Reset()
	if status := run(&stderr); status != 0 {
		t.Fatalf("status %d, %q", status, stderr.String())
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/markers.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"### RAYOS_BOOTMGR:SELECTED", "| `reason` | why it was chosen | `default`, ", "[RAYOS_BOOT_MARKER:GOLDEN] seq=4, entry=rayos"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}
