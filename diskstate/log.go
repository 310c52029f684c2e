package diskstate

import (
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

// Log opens the persistent log of the disk, for reading. On a disk that no boot
// has written to it is empty.
func (d *Disk) Log() (*raylog.Ring, error) {
	p, ok := d.find(gpt.TypeRayOSKernel)
	if !ok {
		return nil, errors.New("there is no RayOS Kernel partition, and so no log")
	}
	if p.SizeBytes < slots.LogOffset+slots.LogBytes {
		return nil, fmt.Errorf("the RayOS Kernel partition has %d bytes and no room for a log", p.SizeBytes)
	}
	files, err := d.ESP()
	if err != nil {
		return nil, err
	}
	id, err := installID(files)
	if err != nil {
		return nil, err
	}
	area := logArea{io.NewSectionReader(d.reader, p.StartBytes+slots.LogOffset, slots.LogBytes)}
	return raylog.Open(area, slots.LogBytes, raylog.Options{ID: raylog.InstallLogID(id)})
}

// logArea is the place of the log, which is only read.
type logArea struct{ *io.SectionReader }

func (logArea) WriteAt([]byte, int64) (int, error) { return 0, errView }

func (logArea) Sync() error { return nil }
