// Package volume reads and writes the boot-state record on a FAT32 volume that
// is not mounted, or mounted read-only: it finds the file's clusters and changes
// nothing but its bytes, so that no cut of the power can hurt the file system.
package volume

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
)

// Device is the partition or image that holds the volume.
type Device interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when all that was written is on the medium, and what is read
	// from then on comes from there.
	Sync() error
}

// File is the record's file on a volume.
type File struct {
	device    Device
	sizeBytes int64
}

var _ record.Medium = File{}

// On returns the record's file on the volume of a device.
func On(device Device, sizeBytes int64) File { return File{device, sizeBytes} }

// Read implements [record.Medium].
func (f File) Read() ([]byte, error) {
	volume, err := fat32.Open(f.device, f.sizeBytes)
	if err != nil {
		return nil, err
	}
	info, err := volume.Stat(esp.BootStatePath)
	if err != nil {
		return nil, err
	}
	if info.Size() != record.FileBytes {
		return nil, fmt.Errorf("%s has %d bytes, want %d", esp.BootStatePath, info.Size(), record.FileBytes)
	}
	return fs.ReadFile(volume, esp.BootStatePath)
}

// WriteAt implements [record.Medium].
func (f File) WriteAt(data []byte, offset int64) error {
	volume, err := fat32.Open(f.device, f.sizeBytes)
	if err != nil {
		return err
	}
	if err := volume.WriteAt(f.device, esp.BootStatePath, data, offset); err != nil {
		return err
	}
	return f.device.Sync()
}
