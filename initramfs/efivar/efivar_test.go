package efivar_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/efivar"
)

func read(content string) (string, error) {
	return efivar.Text(fstest.MapFS{"Name-" + efivar.RayOS: {Data: []byte(content)}}, "Name", efivar.RayOS)
}

func TestText(t *testing.T) {
	for content, want := range map[string]string{
		"\x06\x00\x00\x00a\x00b\x00\x00\x00":               "ab",
		"\x06\x00\x00\x00a\x00b\x00":                       "ab", // a loader that forgot the NUL
		"\x06\x00\x00\x00a\x00\x00\x00b\x00":               "a",
		"\x06\x00\x00\x00":                                 "",
		"\x06\x00\x00\x00\xe4\x00\x3d\xd8\x00\xde\x00\x00": "ä😀",
	} {
		if got, err := read(content); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", content, got, err, want)
		}
	}
}

func TestTextRefuses(t *testing.T) {
	for _, content := range []string{"", "\x06\x00\x00", "\x06\x00\x00\x00a", "\x06\x00\x00\x00\n\x00", "\x06\x00\x00\x00\x3d\xd8", string(make([]byte, 70000))} {
		if got, err := read(content); !errors.Is(err, efivar.ErrFormat) {
			t.Errorf("%.20q: got %q, %v; want ErrFormat", content, got, err)
		}
	}
	if _, err := efivar.Text(fstest.MapFS{}, "Name", efivar.Loader); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing variable: %v", err)
	}
}

func TestLines(t *testing.T) {
	const name, content = "Name-" + efivar.RayOS, "\x06\x00\x00\x00a\x00\n\x00b\x00\x00\x00"
	if got, err := efivar.Lines(fstest.MapFS{name: {Data: []byte(content)}}, "Name", efivar.RayOS); err != nil || got != "a\nb" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := efivar.Lines(fstest.MapFS{name: {Data: []byte("\x06\x00\x00\x00\r\x00")}}, "Name", efivar.RayOS); !errors.Is(err, efivar.ErrFormat) {
		t.Errorf("a carriage return: got %q, %v", got, err)
	}
}

func FuzzText(f *testing.F) {
	f.Add("\x06\x00\x00\x00a\x00\x00\x00")
	f.Fuzz(func(t *testing.T, content string) {
		text, err := read(content)
		if err != nil && (!errors.Is(err, efivar.ErrFormat) || text != "") {
			t.Errorf("text %q with error %v", text, err)
		}
	})
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "Name-"+efivar.Loader)
	if err := os.WriteFile(name, []byte("\x07\x00\x00\x00"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := efivar.Remove(dir, "Name", efivar.Loader); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := efivar.Remove(dir, "Name", efivar.Loader); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("remove what is not there: %v", err)
	}
}

// TestRemoveImmutable has a file that is guarded as efivarfs guards its own.
func TestRemoveImmutable(t *testing.T) {
	const immutable = 0x10
	dir := t.TempDir()
	name := filepath.Join(dir, "Name-"+efivar.Loader)
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, immutable); err != nil {
		t.Skipf("files cannot be made immutable here: %v", err)
	}
	if err := os.Remove(name); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("an immutable file is removed: %v", err)
	}
	if err := efivar.Remove(dir, "Name", efivar.Loader); err != nil {
		t.Error(err)
	}
}
