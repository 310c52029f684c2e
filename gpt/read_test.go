package gpt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"
)

// testDisk writes a table by go-diskfs, which is independent of our decoder.
// The disk is small, so that its whole content fits into memory.
func testDisk(t testing.TB, sector int, parts []Partition) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(testDiskBytes); err != nil {
		t.Fatal(err)
	}
	table := diskgpt.Table{LogicalSectorSize: sector, PhysicalSectorSize: sector, GUID: testDiskID, ProtectiveMBR: true}
	for _, p := range parts {
		table.Partitions = append(table.Partitions, &diskgpt.Partition{
			Index: p.Number, Name: p.Name, GUID: p.ID.String(), Type: diskgpt.Type(p.Type.String()),
			Start: uint64(p.StartBytes) / uint64(sector), End: uint64(p.EndBytes())/uint64(sector) - 1, Size: uint64(p.SizeBytes),
		})
	}
	if err := table.Write(f, testDiskBytes); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	testDiskBytes = 8 * MiB
	testDiskID    = "01234567-89ab-4def-8123-456789abcdef"
)

func testParts() []Partition {
	return []Partition{
		{Number: 1, Name: "first", Type: TypeESP, ID: MustParseGUID("11111111-0000-4000-8000-000000000001"), StartBytes: MiB, SizeBytes: MiB},
		{Number: 2, Name: "zweite Größe", Type: TypeRayOSKernel, ID: MustParseGUID("11111111-0000-4000-8000-000000000002"), StartBytes: 2 * MiB, SizeBytes: 2 * MiB},
		{Number: 7, Name: "seventh", Type: TypeLinuxData, ID: MustParseGUID("11111111-0000-4000-8000-000000000007"), StartBytes: 4 * MiB, SizeBytes: 3 * MiB},
	}
}

func TestRead(t *testing.T) {
	for _, sector := range []int{512, 4096} {
		table, findings, err := Read(bytes.NewReader(testDisk(t, sector, testParts())), testDiskBytes)
		if err != nil || len(findings) > 0 {
			t.Fatalf("%d-byte sectors: %v, %v", sector, findings, err)
		}
		if table.SectorSize != sector || table.DiskID.String() != testDiskID || table.FromBackup {
			t.Errorf("%d-byte sectors: %+v", sector, table)
		}
		if !slices.Equal(table.Partitions, testParts()) {
			t.Errorf("%d-byte sectors: partitions %+v", sector, table.Partitions)
		}
		if p, ok := table.Find(7); !ok || p.Name != "seventh" {
			t.Errorf("Find(7): %+v, %v", p, ok)
		}
		if p, ok := table.Find(3); ok {
			t.Errorf("Find(3): %+v", p)
		}
	}
}

// seal makes the checksums of both copies right again after a change.
func seal(b []byte, sector int) {
	le := binary.LittleEndian
	for _, off := range []int{sector, len(b) - sector} {
		h := b[off:][:sector]
		array := b[int(le.Uint64(h[72:]))*sector:][:arrayBytes]
		le.PutUint32(h[88:], crc32.ChecksumIEEE(array))
		le.PutUint32(h[16:], 0)
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:headersBytes]))
	}
}

func TestReadFindsDamage(t *testing.T) {
	le := binary.LittleEndian
	const sector = 512
	arrays := []int{2 * sector, testDiskBytes - 33*sector}
	both := func(b []byte, entry, field int, value uint64) {
		for _, array := range arrays {
			le.PutUint64(b[array+entry*entryBytes+field:], value)
		}
		seal(b, sector)
	}
	headers := func(b []byte, field int, value uint64) {
		le.PutUint64(b[sector+field:], value)
		le.PutUint64(b[testDiskBytes-sector+field:], value)
		seal(b, sector)
	}
	tests := []struct {
		name   string
		damage func([]byte)
		want   string
	}{
		{"MBR signature", func(b []byte) { b[510] = 0 }, "gpt-mbr"},
		{"MBR type", func(b []byte) { b[446+4] = 0x83 }, "gpt-mbr"},
		{"MBR length", func(b []byte) { b[446+12]-- }, "gpt-mbr"},
		{"hybrid MBR", func(b []byte) { b[446+16+4] = 0x0c }, "gpt-mbr"},
		{"primary header", func(b []byte) { b[sector+40] ^= 1 }, "gpt-primary-unusable"},
		{"primary signature", func(b []byte) { b[sector] = 0 }, "gpt-primary-unusable"},
		{"primary array", func(b []byte) { b[arrays[0]+3*entryBytes] ^= 1 }, "gpt-primary-unusable"},
		{"backup header", func(b []byte) { b[testDiskBytes-1-sector+80] ^= 1 }, "gpt-backup-unusable"},
		{"backup array", func(b []byte) { b[arrays[1]] ^= 1 }, "gpt-backup-unusable"},
		{"reserved bytes", func(b []byte) { b[sector+300] = 1 }, "gpt-reserved"},
		{"copies", func(b []byte) { b[arrays[1]+56] ^= 1; seal(b, sector) }, "gpt-copies-differ"},
		{"disk IDs", func(b []byte) { b[testDiskBytes-sector+60] ^= 1; seal(b, sector) }, "gpt-copies-differ"},
		{"overlap", func(b []byte) { both(b, 1, 32, 3000) }, "gpt-overlap"},
		{"end in front of start", func(b []byte) { both(b, 1, 40, 1) }, "gpt-out-of-bounds"},
		{"behind the end", func(b []byte) { both(b, 6, 40, 1<<40) }, "gpt-out-of-bounds"},
		{"largest LBA", func(b []byte) { both(b, 6, 40, 1<<64-1) }, "gpt-out-of-bounds"},
		{"in the table", func(b []byte) { both(b, 0, 32, 2) }, "gpt-out-of-bounds"},
		{"same ID", func(b []byte) { both(b, 1, 24, 0x0100000000000080) }, "gpt-duplicate-id"},
		{"no ID", func(b []byte) { both(b, 1, 16, 0); both(b, 1, 24, 0) }, "gpt-no-id"},
		{"usable range", func(b []byte) { headers(b, 48, testDiskBytes/sector-1) }, "gpt-usable-range"},
		{"backup elsewhere", func(b []byte) { headers(b, 32, 1000) }, "gpt-backup-misplaced"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := testDisk(t, sector, testParts())
			test.damage(b)
			table, findings, err := Read(bytes.NewReader(b), testDiskBytes)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == test.want && f.Text != "" }) {
				t.Errorf("findings %v, want %s", findings, test.want)
			}
			if len(table.Partitions) < 2 {
				t.Errorf("%d partitions are left", len(table.Partitions))
			}
		})
	}
}

// TestReadGrownDisk still finds the old backup after the disk was enlarged.
func TestReadGrownDisk(t *testing.T) {
	b := append(testDisk(t, 512, testParts()), make([]byte, MiB)...)
	table, findings, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(table.Partitions) != 3 {
		t.Fatalf("%+v, %v", table, err)
	}
	var codes []string
	for _, f := range findings {
		codes = append(codes, f.Code)
	}
	if want := []string{"gpt-backup-misplaced", "gpt-mbr"}; !slices.Equal(codes, want) {
		t.Errorf("findings %v, want %v", findings, want)
	}
}

func TestReadErrors(t *testing.T) {
	disk := testDisk(t, 512, testParts())
	both := slices.Clone(disk)
	both[512+40] ^= 1
	both[testDiskBytes-512+40] ^= 1
	for name, test := range map[string]struct {
		disk []byte
		want error
	}{
		"zeroes":            {make([]byte, MiB), ErrNoTable},
		"nothing":           {nil, ErrNoTable},
		"one byte":          {make([]byte, 1), ErrNoTable},
		"both copies":       {both, ErrChecksum},
		"truncated to half": {disk[:1100], ErrHeader},
	} {
		if _, _, err := Read(bytes.NewReader(test.disk), int64(len(test.disk))); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, _, err := Read(failingReader{}, testDiskBytes); !errors.Is(err, errDisk) {
		t.Errorf("failing disk: %v", err)
	}
}

var errDisk = errors.New("disk error")

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

// TestEveryFlippedByteIsFound flips each byte that means something: both copies
// of header and array, and the MBR's table.
func TestEveryFlippedByteIsFound(t *testing.T) {
	const sector = 512
	good := testDisk(t, sector, testParts())
	flip := func(from, to int) {
		for off := from; off < to; off++ {
			b := good
			b[off] ^= 0x10
			if _, findings, err := Read(bytes.NewReader(b), testDiskBytes); err == nil && len(findings) == 0 {
				t.Errorf("flipped byte %d goes unnoticed", off)
			}
			b[off] ^= 0x10
		}
	}
	// Bytes 446 to 449 and 451 to 453 of the MBR's entry are CHS addresses,
	// which nothing reads.
	flip(450, 451)
	flip(454, 512)
	flip(sector, 2*sector+3*entryBytes)
	flip(testDiskBytes-33*sector, testDiskBytes-33*sector+3*entryBytes)
	flip(testDiskBytes-sector, testDiskBytes)
}

// TestReadSgdiskTable reads a table that sgdisk made.
func TestReadSgdiskTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, make([]byte, testDiskBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sgdisk", "-n", "1:2048:4095", "-t", "1:ef00", "-c", "1:EFI", "-n", "3:8192:0", "-c", "3:Grün", path).CombinedOutput()
	if err != nil {
		t.Fatalf("sgdisk: %v\n%s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table, findings, err := Read(bytes.NewReader(b), testDiskBytes)
	if err != nil || len(findings) > 0 {
		t.Fatalf("%v, %v", findings, err)
	}
	var got []string
	for _, p := range table.Partitions {
		got = append(got, fmt.Sprintf("%d %s %s %d", p.Number, p.Name, TypeName(p.Type), p.StartBytes))
	}
	want := "1 EFI EFI System 1048576; 3 Grün Linux filesystem data 4194304"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("partitions %s, want %s", text, want)
	}
}

// FuzzRead decodes disks that were tampered with, sealed again, so that more
// than the checksums is tried.
func FuzzRead(f *testing.F) {
	disk := testDisk(f, 512, testParts())
	head, tail := disk[:34*512], disk[testDiskBytes-33*512:]
	f.Add(head, tail, true)
	f.Add(head, tail, false)
	f.Add(head[:600], []byte{}, false)
	f.Fuzz(func(t *testing.T, head, tail []byte, sealed bool) {
		b := slices.Concat(head, make([]byte, 4096), tail)
		if sealed && len(head) >= 34*512 && len(tail) >= 33*512 {
			trySeal(b)
		}
		table, findings, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, p := range table.Partitions {
			if p.StartBytes < 0 || p.SizeBytes <= 0 || p.EndBytes() > int64(len(b)) {
				t.Errorf("partition %+v is not on the disk of %d bytes", p, len(b))
			}
		}
		if len(findings) == 0 {
			g := table.Geometry
			if err := g.Check(table.Partitions); errors.Is(err, ErrOverlap) {
				t.Errorf("no finding, but %v", err)
			}
		}
	})
}

// trySeal seals what has its array on the disk.
func trySeal(b []byte) {
	for _, off := range []int{512, len(b)/512*512 - 512} {
		h := b[off:][:512]
		le := binary.LittleEndian
		if lba, size := le.Uint64(h[72:]), uint64(le.Uint32(h[80:]))*uint64(le.Uint32(h[84:])); lba < 1<<20 && size < MiB && lba*512+size <= uint64(len(b)) {
			le.PutUint32(h[88:], crc32.ChecksumIEEE(b[lba*512:][:size]))
		}
		le.PutUint32(h[16:], 0)
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:headersBytes]))
	}
}
