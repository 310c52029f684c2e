package content_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/tools/mkimage/image"
)

// TestCheck damages an installed disk in one place at a time.
func TestCheck(t *testing.T) {
	s := spec()
	path := filepath.Join(t.TempDir(), "disk.img")
	report, err := image.Build(t.Context(), s, image.Output{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, k := report.Partitions[0], report.Partitions[1]
	volume := make([]byte, 64<<20)
	if _, err := f.ReadAt(volume, e.StartBytes); err != nil {
		t.Fatal(err)
	}
	find := func(text string) int64 {
		i := bytes.Index(volume, []byte(text))
		if i < 0 {
			t.Fatalf("%q is not on the ESP", text)
		}
		return e.StartBytes + int64(i)
	}
	for name, c := range map[string]struct {
		at   int64
		says string // a finding; empty: none
	}{
		"as it is":         {-1, ""},
		"table":            {512 + 56, "primary table"},
		"table, backup":    {gpt.MinDiskBytes - 512 + 56, "backup table"},
		"volume":           {e.StartBytes + 510, "not a FAT32 volume"},
		"FAT":              {e.StartBytes + 32*512 + 100, "ESP: "},
		"kernel":           {find(string(s.System.Kernel[1<<20 : 1<<20+64])), "vmlinuz-6.1.0-test: its content has another digest"},
		"install ID":       {find(report.InstallID.String() + "\n"), "boot state: it is of the installation"},
		"one boot state":   {-2, ""}, // mends itself
		"both boot states": {-3, "boot state: no copy of it can be used"},
		"slot":             {k.StartBytes + slots.ImageOffset + 4096, "kernel slot 0: its content"},
		"slot table":       {k.StartBytes + slots.CopyAOffset + 100, "copy 0 of the slot table"},
	} {
		places := []int64{c.at}
		state := func(n int64) int64 { return find("RAYOSBST") + 4096*n + 100 }
		switch c.at {
		case -1:
			places = nil
		case -2:
			places = []int64{state(0)}
		case -3:
			places = []int64{state(0), state(1)}
		}
		flip := func() {
			for _, at := range places {
				b := make([]byte, 1)
				if _, err := f.ReadAt(b, at); err != nil {
					t.Fatal(err)
				}
				b[0] ^= 1
				if _, err := f.WriteAt(b, at); err != nil {
					t.Fatal(err)
				}
			}
		}
		flip()
		findings, err := content.Check(f, gpt.MinDiskBytes)
		if got := strings.Join(findings, "; "); err != nil || (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.says)
		}
		flip()
	}
	if findings, err := content.Check(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20); err != nil || len(findings) != 1 {
		t.Errorf("no disk at all: %q, %v", findings, err)
	}
}
