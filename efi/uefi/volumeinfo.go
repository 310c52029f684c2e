package uefi

import (
	"fmt"
	"math"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// VolumeInfo is what a volume says of itself (EFI_FILE_SYSTEM_INFO, UEFI 2.10
// §13.5.17).
type VolumeInfo struct {
	Label      string
	SizeBytes  int64
	FreeBytes  int64
	BlockBytes int // files take up whole blocks of this size
	ReadOnly   bool
}

// Info describes the volume. Firmware may have to read the whole allocation table
// of a large volume to count what is free.
func (f *FileSystem) Info() (info VolumeInfo, err error) {
	root, err := f.open("get volume information", ".", raw.FileModeRead)
	if err != nil {
		return VolumeInfo{}, err
	}
	defer func() { err = join(err, root.Close()) }()
	b, err := root.getInfo(fileSystemInfoID)
	if err == nil {
		info, err = decodeVolumeInfo(b)
	}
	if err != nil {
		return VolumeInfo{}, pathError("get volume information", ".", err)
	}
	return info, nil
}

// labelOffset is where the label begins in EFI_FILE_SYSTEM_INFO.
const labelOffset = 36

// decodeVolumeInfo decodes the used part of a buffer.
func decodeVolumeInfo(b []byte) (VolumeInfo, error) {
	if len(b) < labelOffset {
		return VolumeInfo{}, fmt.Errorf("decode volume information: %d bytes are too few", len(b))
	}
	// The Go struct ends with two characters of the label, which may be shorter.
	r, _ := raw.Decode[raw.FileSystemInfo](append(b[:len(b):len(b)], 0, 0, 0, 0))
	if r.VolumeSize > math.MaxInt64 || r.FreeSpace > r.VolumeSize {
		return VolumeInfo{}, fmt.Errorf("decode volume information: %d bytes are free of %d", r.FreeSpace, r.VolumeSize)
	}
	return VolumeInfo{
		Label: DecodeUTF16(b[labelOffset:]), SizeBytes: int64(r.VolumeSize), FreeBytes: int64(r.FreeSpace),
		BlockBytes: int(r.BlockSize), ReadOnly: r.ReadOnly != 0,
	}, nil
}
