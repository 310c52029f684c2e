package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/rayos/rayboot/gpt"
)

var diskID = gpt.MustParseGUID("00112233-4455-6677-8899-aabbccddeeff")

// layout has IDs, an attribute and names beyond ASCII.
func layout() []gpt.Partition {
	parts := gpt.Layout()
	for i := range parts {
		parts[i].ID = gpt.GUID{byte(i + 1), 5: 7}
	}
	parts[3].Name, parts[3].Attributes = "Gäste 🐧", 1<<63|1<<2
	parts[4].Number = 128
	return parts
}

// sparse is a disk of which only what was written is there.
type sparse map[int64]byte

func (s sparse) write(p Piece) {
	for i, b := range p.Data {
		s[p.OffsetBytes+int64(i)] = b
	}
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = s[off+int64(i)]
	}
	return len(p), nil
}

func onDisk(t Table) sparse {
	s := sparse{}
	for _, p := range []Piece{t.MBR, t.Header, t.Array, t.BackupArray, t.BackupHeader} {
		s.write(p)
	}
	return s
}

var geometries = []gpt.Geometry{
	{DiskBytes: gpt.MinDiskBytes, SectorSize: 512},
	{DiskBytes: gpt.MinDiskBytes / 4096 * 4096, SectorSize: 4096},
	{DiskBytes: 4 << 40, SectorSize: 512}, // more than 2 TiB
	{DiskBytes: 15 << 40, SectorSize: 4096},
}

func TestOurDecoderAgrees(t *testing.T) {
	for _, g := range geometries {
		table, err := Encode(g, diskID, layout())
		if err != nil {
			t.Fatal(err)
		}
		got, findings, err := gpt.Read(onDisk(table), g.DiskBytes)
		if err != nil || findings != nil || got.Geometry != g || got.DiskID != diskID || got.FromBackup || !slices.Equal(got.Partitions, layout()) {
			t.Errorf("%+v: %+v, %v, %v", g, got, findings, err)
		}
		if table.Array.EndBytes() != g.FirstUsable() || table.BackupArray.OffsetBytes != g.EndUsable() || table.BackupHeader.EndBytes() != g.DiskBytes {
			t.Errorf("%+v: the pieces end at %d, %d and %d", g, table.Array.EndBytes(), table.BackupArray.OffsetBytes, table.BackupHeader.EndBytes())
		}
	}
}

// TestSameAsDiskfs compares with what go-diskfs writes. It is wrong about the protective
// MBR of disks of more than 2 TiB.
func TestSameAsDiskfs(t *testing.T) {
	for _, g := range geometries {
		f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(g.DiskBytes); err != nil {
			t.Fatal(err)
		}
		theirs := diskgpt.Table{LogicalSectorSize: g.SectorSize, PhysicalSectorSize: g.SectorSize, GUID: diskID.String(), ProtectiveMBR: true}
		for _, p := range layout() {
			theirs.Partitions = append(theirs.Partitions, &diskgpt.Partition{
				Index: p.Number, Start: uint64(p.StartBytes) / uint64(g.SectorSize), Size: uint64(p.SizeBytes),
				Type: diskgpt.Type(p.Type.String()), GUID: p.ID.String(), Name: p.Name, Attributes: p.Attributes,
			})
		}
		if err := theirs.Write(f, g.DiskBytes); err != nil {
			t.Fatal(err)
		}
		ours, err := Encode(g, diskID, layout())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []Piece{ours.MBR, ours.Header, ours.Array, ours.BackupArray, ours.BackupHeader} {
			want := make([]byte, len(p.Data))
			if _, err := f.ReadAt(want, p.OffsetBytes); err != nil {
				t.Fatal(err)
			}
			if big := g.Sectors() > math.MaxUint32; big && p.Name == ours.MBR.Name {
				binary.LittleEndian.PutUint32(want[446+12:], math.MaxUint32)
			}
			if !bytes.Equal(p.Data, want) {
				t.Errorf("%+v: the %s differs:\n%x\n%x", g, p.Name, p.Data[:min(len(p.Data), 512)], want[:min(len(p.Data), 512)])
			}
		}
	}
}

func TestEncodeChecks(t *testing.T) {
	parts := layout()
	parts[1].StartBytes -= gpt.MiB
	if _, err := Encode(geometries[0], diskID, parts); !errors.Is(err, gpt.ErrOverlap) {
		t.Error(err)
	}
}
