package image

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/diskfs/go-diskfs/backend"
	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/rayos/rayboot/gpt"
	ourtable "github.com/rayos/rayboot/installer/table"
)

// withoutSync hides the Sync method of a file: the table is made durable
// together with the rest of the image, not five times on its own.
type withoutSync struct{ backend.WritableFile }

// writeTable writes both copies of the partition table and reads them back with
// our own decoder before anything relies on them.
func writeTable(f *os.File, g gpt.Geometry, diskID gpt.GUID, parts []gpt.Partition) error {
	table := diskgpt.Table{
		LogicalSectorSize:  g.SectorSize,
		PhysicalSectorSize: g.SectorSize,
		GUID:               diskID.String(),
		ProtectiveMBR:      true,
	}
	sector := uint64(g.SectorSize)
	for _, p := range parts {
		table.Partitions = append(table.Partitions, &diskgpt.Partition{
			Index: p.Number,
			Start: uint64(p.StartBytes) / sector,
			End:   uint64(p.EndBytes())/sector - 1,
			Size:  uint64(p.SizeBytes),
			Type:  diskgpt.Type(p.Type.String()),
			GUID:  p.ID.String(),
			Name:  p.Name,
		})
	}
	if err := table.Write(withoutSync{f}, g.DiskBytes); err != nil {
		return fmt.Errorf("write partition table: %w", err)
	}
	if g.Sectors() > math.MaxUint32 { // of which go-diskfs 1.9.4 protects only a part
		ours, err := ourtable.Encode(g, diskID, parts)
		if err != nil {
			return fmt.Errorf("encode partition table: %w", err)
		}
		if _, err := f.WriteAt(ours.MBR.Data, ours.MBR.OffsetBytes); err != nil {
			return fmt.Errorf("write protective MBR: %w", err)
		}
	}
	got, findings, err := gpt.Read(f, g.DiskBytes)
	if err != nil {
		return err
	}
	if len(findings) > 0 || got.Geometry != g || got.DiskID != diskID || !slices.Equal(got.Partitions, parts) {
		return fmt.Errorf("read back partition table: %w: %v", errTableDiffers, findings)
	}
	return nil
}

var errTableDiffers = errors.New("it is not what was written; the disk under the image may be failing")
