package esp

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// conf is a minimal Type #1 entry.
func conf(lines ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("linux /vmlinuz\n" + strings.Join(lines, "\n") + "\n")}
}

func ids(entries []Entry) string {
	var b []string
	for _, e := range entries {
		b = append(b, e.ID)
	}
	return strings.Join(b, " ")
}

func TestDiscover(t *testing.T) {
	uki := &fstest.MapFile{Data: buildUKI(t, "PRETTY_NAME=Linux\nID=linux\nVERSION_ID=6", "6.1.0", "quiet")}
	tests := []struct {
		name     string
		files    fstest.MapFS
		want     string // IDs in order
		problems []error
	}{
		{name: "empty ESP", files: fstest.MapFS{}},
		{
			name: "both types",
			files: fstest.MapFS{
				"loader/entries/rayos.conf": conf("sort-key rayos"),
				"EFI/Linux/linux.efi":       uki,
			},
			want: "linux rayos",
		},
		{
			name: "other case",
			files: fstest.MapFS{
				"LOADER/Entries/RayOS.CONF": conf(),
				"efi/linux/Linux.EFI":       uki,
			},
			want: "linux rayos",
		},
		{
			name: "passed over",
			files: fstest.MapFS{
				"loader/entries/.hidden.conf":      conf(),
				"loader/entries/auto-windows.conf": conf(),
				"loader/entries/Auto-X.conf":       conf(),
				"loader/entries/readme.txt":        conf(),
				"loader/entries/dir.conf/x":        conf(),
				"loader/entries/a.conf":            conf(),
			},
			want: "a",
		},
		{
			name: "duplicates: without counter first, then most tries left",
			files: fstest.MapFS{
				"loader/entries/a.conf":     conf("version 1"),
				"loader/entries/a+3.conf":   conf("version 2", "sort-key a"),
				"loader/entries/b+1-2.conf": conf(),
				"loader/entries/b+2-1.conf": conf(),
				"loader/entries/c+0-3.conf": conf(),
			},
			want:     "b a c",
			problems: []error{ErrDuplicate, ErrDuplicate},
		},
		{
			name: "one name in both directories",
			files: fstest.MapFS{
				"loader/entries/linux.conf": conf(),
				"EFI/Linux/linux.efi":       uki,
			},
			want: "linux linux.conf",
		},
		{
			name: "an ID that is another one's full name",
			files: fstest.MapFS{
				"loader/entries/linux.conf":     conf("sort-key a"),
				"loader/entries/linux.efi.conf": conf("sort-key b"),
				"EFI/Linux/linux.efi":           uki,
			},
			want:     "linux linux.efi",
			problems: []error{ErrDuplicate},
		},
		{
			name: "unusable",
			files: fstest.MapFS{
				"loader/entries/arm.conf":    conf("architecture aa64"),
				"loader/entries/x64.conf":    conf("architecture X64"),
				"loader/entries/none.conf":   {Data: []byte("title None\n")},
				"loader/entries/binary.conf": {Data: []byte("linux /a\x00\n")},
				"loader/entries/huge.conf":   {Data: bytes.Repeat([]byte("#\n"), MaxConfBytes)},
				"loader/entries/up.conf":     {Data: []byte("linux /../etc\n")},
				"loader/entries/e\x1b[.conf": conf(),
				"EFI/Linux/text.efi":         {Data: []byte(strings.Repeat("no image ", 100))},
			},
			want:     "x64",
			problems: []error{ErrArchitecture, ErrNotText, nil, nil, ErrNoImage, nil, ErrNotPE},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries, problems := Discover(tt.files, X64)
			if got := ids(entries); got != tt.want {
				t.Errorf("entries are %q, want %q", got, tt.want)
			}
			if len(problems) != len(tt.problems) {
				t.Fatalf("problems are %v, want %d", problems, len(tt.problems))
			}
			for i, want := range tt.problems {
				if want != nil && !errors.Is(problems[i], want) {
					t.Errorf("problem %v, want %v", problems[i], want)
				}
				if text := problems[i].Error(); !strings.HasSuffix(text, "; the entry is skipped") || strings.Contains(text, "\x1b") {
					t.Errorf("problem %q is not printable or does not say what happens", text)
				}
			}
		})
	}
}

func TestDiscoverTooMany(t *testing.T) {
	files := fstest.MapFS{}
	for i := range MaxEntryFiles + 2 {
		files[fmt.Sprintf("loader/entries/%04d.conf", i)] = conf()
	}
	entries, problems := Discover(files, X64)
	if len(entries) != MaxEntryFiles || entries[len(entries)-1].ID != "0000" {
		t.Errorf("%d entries, the last is %s; want the first %d by name", len(entries), entries[len(entries)-1].ID, MaxEntryFiles)
	}
	if len(problems) != 1 || !errors.Is(problems[0], ErrTooMany) || !strings.Contains(problems[0].Error(), "last 2") {
		t.Errorf("problems are %v", problems)
	}
}

// TestDiscoverOnDisk reads through os.DirFS, where files can be read at an
// offset and directories fail in their own ways.
func TestDiscoverOnDisk(t *testing.T) {
	root := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("loader/entries/rayos+3.conf", conf("title RayOS", "options quiet").Data)
	write("EFI/Linux/linux.efi", buildUKI(t, "ID=linux", "6.1.0", "root=/dev/vda2"))
	entries, problems := Discover(os.DirFS(root), X64)
	if len(problems) > 0 || ids(entries) != "linux rayos" {
		t.Fatalf("entries %q, problems %v", ids(entries), problems)
	}
	if got := entries[0]; got.Options != "root=/dev/vda2" || got.UKI != "EFI/Linux/linux.efi" {
		t.Errorf("Type #2 entry is %+v", got)
	}
	if got := entries[1]; got.Path != "loader/entries/rayos+3.conf" || got.File.TriesLeft != 3 || got.Title != "RayOS" {
		t.Errorf("Type #1 entry is %+v", got)
	}

	write("dir/loader/entries", []byte("a file where a directory belongs"))
	entries, problems = Discover(os.DirFS(filepath.Join(root, "dir")), X64)
	if len(entries) != 0 || len(problems) != 1 {
		t.Errorf("with a file for a directory: entries %q, problems %v", ids(entries), problems)
	}
}

func TestReadLoaderConf(t *testing.T) {
	tests := []struct {
		name     string
		files    fstest.MapFS
		want     LoaderConf
		problems int
	}{
		{name: "none", files: fstest.MapFS{}},
		{
			name:  "other case",
			files: fstest.MapFS{"Loader/LOADER.CONF": {Data: []byte("timeout 7\n")}},
			want:  LoaderConf{Menu: MenuTimeout, TimeoutSeconds: 7},
		},
		{
			name:     "huge",
			files:    fstest.MapFS{LoaderConfPath: {Data: bytes.Repeat([]byte("timeout 7\n"), MaxConfBytes)}},
			problems: 1,
		},
		{
			name:     "a directory",
			files:    fstest.MapFS{LoaderConfPath: {Mode: fs.ModeDir}},
			problems: 1,
		},
	}
	for _, tt := range tests {
		got, problems := ReadLoaderConf(tt.files)
		if got != tt.want || len(problems) != tt.problems {
			t.Errorf("%s: ReadLoaderConf = %+v, %v", tt.name, got, problems)
		}
	}
}
