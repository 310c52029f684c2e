package pid1

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/raylog"
)

func TestImportDumps(t *testing.T) {
	b, out := withBootID(t)
	b.disk.Disk, b.disk.Kernel = "vda", "vda2"
	place := logstore.OnDisk(b.root, "vda2")
	crashed := raylog.BootID{0xcc}
	if err := place.Create(); err != nil {
		t.Fatal(err)
	}
	before, err := logstore.Open(place, raylog.InstallLogID(installID), crashed)
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Append(raylog.Entry{Level: raylog.Warn, Source: sourceKernel, Message: "it began well"}); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(b.root, pstoreDir, "dmesg-efi_pstore-1")
	write(t, saved, "Panic#1 Part1\n<0>[    9.0] Kernel panic - not syncing: test\n")
	b.openLog()
	for range 2 { // the second time there is nothing
		b.importDumps()
	}
	b.closeLog()
	if _, err := os.Stat(saved); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	ring, done, err := logstore.OpenReader(place, raylog.InstallLogID(installID))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	reader := ring.Reader(raylog.Query{Source: sourcePstore})
	r, ok := reader.Next()
	if !ok || r.Boot != crashed || r.Level != raylog.Fatal || !strings.Contains(r.Message, "not syncing: test") || r.Wall.IsZero() {
		t.Errorf("%+v, %v", r, ok)
	}
	if again, ok := reader.Next(); ok {
		t.Errorf("once more: %+v", again)
	}
	wantLines(t, out, "the kernel's last words (Panic) of boot cc000000 are in the log")
}

// TestDumpsOutliveALogInMemory leaves them for a boot with a disk.
func TestDumpsOutliveALogInMemory(t *testing.T) {
	b, out := withBootID(t)
	saved := filepath.Join(b.root, pstoreDir, "dmesg-efi_pstore-1")
	write(t, saved, "Panic#1 Part1\n<0>[    9.0] Kernel panic\n")
	b.openLog()
	b.importDumps()
	b.closeLog()
	if _, err := os.Stat(saved); err != nil {
		t.Error(err)
	}
	wantLines(t, out, "stay where they are")
}

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"short\n", []string{"short\n"}},
		{"one\ntwo\nthree\n", []string{"one\ntwo\n", "three\n"}},
		{"longer than that", []string{"longer t", "han that"}},
	} {
		if got := pieces(c.text, 8); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
