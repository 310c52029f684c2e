package disks

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// tree makes a machine of a recorded one: testdata/NAME.tree has directories that end with
// a colon, and in them files (= with a line, or a Go string), links (->) and empty
// directories (/). Its disks are zeros.
func tree(t *testing.T, name string) *Machine {
	t.Helper()
	root := t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", name+".tree"))
	if err != nil {
		t.Fatal(err)
	}
	dir := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		entry, inside := strings.CutPrefix(line, "  ")
		switch {
		case line == "" || line[0] == '#':
		case inside:
			put(t, filepath.Join(root, dir), entry)
		default:
			dir = strings.TrimSuffix(line, ":")
		}
	}
	return &Machine{Root: os.DirFS(root), Open: func(string) (Device, error) { return zeros{}, nil }}
}

func put(t *testing.T, dir, entry string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name, target, isLink := strings.Cut(entry, " -> ")
	if isLink {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return
	}
	name, content, isFile := strings.Cut(entry, " =")
	if !isFile {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		return
	}
	content = strings.TrimPrefix(content, " ")
	if !strings.HasPrefix(content, `"`) {
		content += "\n"
	} else if unquoted, err := strconv.Unquote(content); err != nil {
		t.Fatalf("%s: %v", content, err)
	} else {
		content = unquoted
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// zeros is an empty disk of any size.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (zeros) Close() error                          { return nil }

// broken cannot be read.
type broken struct{ zeros }

func (broken) ReadAt([]byte, int64) (int, error) { return 0, fmt.Errorf("input/output error") }

// closer makes a device of bytes.
type closer struct{ *bytes.Reader }

func (closer) Close() error { return nil }

// withFile returns a machine with one file added or replaced.
func withFile(t *testing.T, m *Machine, name, content string) *Machine {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, m.Root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	other := *m
	other.Root = os.DirFS(dir)
	return &other
}

var _ fs.ReadLinkFS = os.DirFS(".").(fs.ReadLinkFS)
