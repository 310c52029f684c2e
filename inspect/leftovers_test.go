package inspect_test

import (
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/inspect"
)

// espDevice is the ESP of an image with the standard layout.
type espDevice struct {
	*io.SectionReader
	f *os.File
}

func (d espDevice) WriteAt(b []byte, off int64) (int, error) { return d.f.WriteAt(b, gpt.MiB+off) }
func (d espDevice) Sync() error                              { return nil }

// TestLeftovers has a disk with all that cuts of the power can leave behind: that gives
// warnings, and the editor of the next upgrade mends what it can.
func TestLeftovers(t *testing.T) {
	spec := testSpec()
	f := build(t, spec)
	put := func(at int64, data ...byte) {
		t.Helper()
		if _, err := f.WriteAt(data, at); err != nil {
			t.Fatal(err)
		}
	}
	fat := find(t, f, gpt.MiB, 9*gpt.MiB, []byte{0xf8, 0xff, 0xff, 0x0f})
	put(gpt.MiB+65, 1)                                                       // mounted
	put(gpt.MiB+512+488, 1, 2, 3, 0)                                         // free clusters
	put(fat+4*100_000, 0xff, 0xff, 0xff, 0x0f)                               // a cluster of no file, in one FAT only
	table, err := slots.Read(io.NewSectionReader(f, 401*gpt.MiB, 4*gpt.GiB)) // an upgrade was cut short
	if err != nil {
		t.Fatal(err)
	}
	table.Sequence++
	newer, err := slots.Encode(table)
	if err != nil {
		t.Fatal(err)
	}
	put(401*gpt.MiB+slots.CopyBOffset, newer...)

	want := []string{"fat-copies-differ", "fat-dirty", "fat-fsinfo", "fat-lost-clusters", "slot-copies-differ"}
	if codes := warnings(t, f, spec.SizeBytes); strings.Join(codes, " ") != strings.Join(want, " ") {
		t.Errorf("warnings %v, want %v", codes, want)
	}
	dev := espDevice{io.NewSectionReader(f, gpt.MiB, 400*gpt.MiB), f}
	e, err := fat32.Edit(dev, dev.Size(), spec.Modified)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Mend(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if codes := warnings(t, f, spec.SizeBytes); strings.Join(codes, " ") != "slot-copies-differ" {
		t.Errorf("mended: %v", codes)
	}
	info := make([]byte, 4)
	if _, err := f.ReadAt(info, gpt.MiB+512+488); err != nil || binary.LittleEndian.Uint32(info) == 0xffffffff {
		t.Errorf("free clusters: %x, %v", info, err)
	}
}

// warnings are the codes of all findings, none of which may be a problem.
func warnings(t *testing.T, f *os.File, size int64) (codes []string) {
	t.Helper()
	findings, err := inspect.Verify(t.Context(), f, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range findings {
		if !found.Warning {
			t.Errorf("a problem: %+v", found)
		}
		codes = append(codes, found.Code)
	}
	slices.Sort(codes)
	return codes
}
