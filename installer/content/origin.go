package content

import (
	"io"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/gpt"
)

// Origin returns the install ID of the stick that a disk was installed from, empty where the
// disk does not say.
func Origin(r io.ReaderAt, table gpt.Table) string {
	e := (&Disk{Partitions: table.Partitions}).ESP()
	volume, err := fat32.Open(io.NewSectionReader(r, e.StartBytes, e.SizeBytes), e.SizeBytes)
	if err != nil {
		return ""
	}
	text, err := readSmall(volume, OriginPath)
	if err != nil {
		return ""
	}
	id, err := esp.ParseInstallID(text)
	if err != nil {
		return ""
	}
	return id
}
