package bootfacts_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rayos/rayboot/initramfs/bootfacts"
)

func TestRoundTrip(t *testing.T) {
	root := t.TempDir()
	if _, err := bootfacts.Read(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no facts: %v", err)
	}
	f := bootfacts.Facts{Entry: "rayos", ESPPartUUID: "p", InstallID: "i", Disk: "vda", ESP: "vda1", Kernel: "vda2", NoSnapshot: "a=b"}
	for _, f.Good = range []string{"", "yes"} {
		if err := f.Write(root); err != nil {
			t.Fatal(err)
		}
		if got, err := bootfacts.Read(root); err != nil || got != f {
			t.Errorf("got %+v, %v; want %+v", got, err, f)
		}
	}
}

func TestFile(t *testing.T) {
	root := t.TempDir()
	if err := (bootfacts.Facts{Entry: "two\nlines", ESP: "vda1"}).Write(root); err != nil {
		t.Fatal(err)
	}
	const want = "ENTRY=two lines\nESP_PARTUUID=\nINSTALL_ID=\nDISK=\nESP=vda1\nKERNEL=\nNO_SNAPSHOT=\nGOOD=\nLOG_VOLATILE=\n"
	name := filepath.Join(root, bootfacts.File)
	if got, err := os.ReadFile(name); string(got) != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := os.WriteFile(name, []byte("OTHER=1\nESP=sda1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := bootfacts.Read(root); got != (bootfacts.Facts{ESP: "sda1"}) || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}
