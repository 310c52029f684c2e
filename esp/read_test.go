package esp

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestResolve(t *testing.T) {
	fsys := fstest.MapFS{
		"EFI/Microsoft/Boot/BOOTMGFW.EFI": {},
		"efi/linux/a.efi":                 {},
		"loader/entries/a.conf":           {},
		"loader/entries/A.conf":           {},
	}
	for name, want := range map[string]string{
		"EFI/Microsoft/Boot/BOOTMGFW.EFI": "EFI/Microsoft/Boot/BOOTMGFW.EFI",
		WindowsPath:                       "EFI/Microsoft/Boot/BOOTMGFW.EFI",
		"LOADER":                          "loader",
		"loader/entries/a.conf":           "loader/entries/a.conf",
		"loader/entries/A.conf":           "loader/entries/A.conf",
		"loader/ENTRIES/A.CONF":           "loader/entries/A.conf",
		".":                               ".",
	} {
		if got, err := Resolve(fsys, name); err != nil || got != want {
			t.Errorf("Resolve(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"EFI/Linux", "boot", "loader/entries/a.conf/b", "loader/entries/b.conf"} {
		if got, err := Resolve(fsys, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Resolve(%q) = %q, %v; want fs.ErrNotExist", name, got, err)
		}
	}
}

// plainFile is a file that can only be read from front to back.
type plainFile struct{ fs.File }

// seekFile can seek, but not read at an offset.
type seekFile struct {
	fs.File
	r *bytes.Reader
}

func (f seekFile) Read(b []byte) (int, error)                   { return f.r.Read(b) }
func (f seekFile) Seek(offset int64, whence int) (int64, error) { return f.r.Seek(offset, whence) }

// wrapFS changes the files of a file system.
type wrapFS struct {
	fs.FS
	wrap func(fs.File) (fs.File, error)
}

func (w wrapFS) Open(name string) (fs.File, error) {
	f, err := w.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return f, err
	}
	return w.wrap(f)
}

func TestDiscoverOddFiles(t *testing.T) {
	uki := buildUKI(t, "ID=a", "", "quiet")
	fsys := fstest.MapFS{"EFI/Linux/a.efi": {Data: uki}, "loader/entries/b.conf": conf()}
	errDisk := errors.New("disk is gone")
	tests := []struct {
		name     string
		wrap     func(fs.File) (fs.File, error)
		want     string
		problems int
	}{
		{"seek only", func(f fs.File) (fs.File, error) { return seekFile{f, bytes.NewReader(uki)}, nil }, "a", 1},
		{"front to back only", func(f fs.File) (fs.File, error) { return plainFile{f}, nil }, "b", 1},
		{"open fails", func(f fs.File) (fs.File, error) { return nil, errDisk }, "", 2},
	}
	for _, tt := range tests {
		entries, problems := Discover(wrapFS{fsys, tt.wrap}, X64)
		if ids(entries) != tt.want || len(problems) != tt.problems {
			t.Errorf("%s: entries %q, problems %v", tt.name, ids(entries), problems)
		}
	}
}

func TestSeekReaderAt(t *testing.T) {
	r := seekReaderAt{bytes.NewReader([]byte("0123456789"))}
	b := make([]byte, 4)
	if n, err := r.ReadAt(b, 3); n != 4 || err != nil || string(b) != "3456" {
		t.Errorf("ReadAt = %d, %v, %q", n, err, b)
	}
	if n, err := r.ReadAt(b, 8); n != 2 || err == nil {
		t.Errorf("ReadAt over the end = %d, %v, want an error", n, err)
	}
	if _, err := r.ReadAt(b, -1); err == nil {
		t.Error("ReadAt at a negative offset does not fail")
	}
	var _ io.ReaderAt = r
}

func FuzzDiscover(f *testing.F) {
	f.Add("a+1.conf", []byte("linux /a"), "A.conf", []byte("efi /b"), "a.efi", []byte("MZ"), []byte("timeout 5"))
	f.Fuzz(func(t *testing.T, name1 string, data1 []byte, name2 string, data2 []byte, name3 string, data3, conf []byte) {
		fsys := fstest.MapFS{LoaderConfPath: {Data: conf}}
		for name, data := range map[string][]byte{EntriesDir + "/" + name1: data1, "LOADER/entries/" + name2: data2, UKIDir + "/" + name3: data3} {
			if fs.ValidPath(name) {
				fsys[name] = &fstest.MapFile{Data: data}
			}
		}
		entries, problems := Discover(fsys, X64)
		seen := make(map[string]bool)
		for _, e := range entries {
			if seen[e.ID] || e.ID == "" {
				t.Errorf("entry ID %q is empty or there twice", e.ID)
			}
			seen[e.ID] = true
		}
		_, more := ReadLoaderConf(fsys)
		for _, p := range append(problems, more...) {
			if strings.ContainsFunc(p.Error(), isUnprintable) {
				t.Errorf("problem %q is not printable", p.Error())
			}
		}
	})
}
