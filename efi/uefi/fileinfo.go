package uefi

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"
	"time"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// fileInfo is EFI_FILE_INFO as fs.FileInfo and fs.DirEntry
// (UEFI 2.10 §13.5.16).
type fileInfo struct {
	name     string
	size     int64
	modified time.Time
	dir      bool
	readOnly bool
}

func (i fileInfo) Name() string               { return i.name }
func (i fileInfo) Size() int64                { return i.size }
func (i fileInfo) ModTime() time.Time         { return i.modified }
func (i fileInfo) IsDir() bool                { return i.dir }
func (i fileInfo) Sys() any                   { return nil }
func (i fileInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) String() string             { return fs.FormatFileInfo(i) }

// Mode has the directory bit, and the write bits of files that are not read-only.
func (i fileInfo) Mode() fs.FileMode {
	mode := fs.FileMode(0o444)
	if i.dir {
		mode = fs.ModeDir | 0o555
	}
	if !i.readOnly {
		mode |= 0o200
	}
	return mode
}

// infoBytes is the buffer for EFI_FILE_INFO: room for a name of 2,000 characters
// where FAT has 255 at most.
const infoBytes = 4096

// decodeFileInfo decodes the used part of a buffer.
func decodeFileInfo(b []byte) (fileInfo, error) {
	r, ok := raw.Decode[raw.FileInfo](b)
	if !ok {
		return fileInfo{}, fmt.Errorf("decode file information: %d bytes are too few", len(b))
	}
	if r.FileSize > math.MaxInt64 {
		return fileInfo{}, fmt.Errorf("decode file information: file size is %d", r.FileSize)
	}
	modified, _ := decodeTime(r.ModificationTime) // the zero time where a volume keeps none
	i := fileInfo{
		name:     DecodeUTF16(b[raw.SizeOf[raw.FileInfo]():]),
		size:     int64(r.FileSize),
		modified: modified,
		dir:      r.Attribute&raw.FileDirectory != 0,
		readOnly: r.Attribute&raw.FileReadOnly != 0,
	}
	if i.dir {
		i.size = 0
	}
	return i, nil
}

// validEntry reports whether the name can stand in a directory of io/fs.
func (i fileInfo) validEntry() bool {
	return fs.ValidPath(i.name) && !strings.ContainsAny(i.name, `/\`) && i.name != "."
}

// stat asks for the file's information; its name is the last element of the name
// by which it was opened, whatever the volume's spelling.
func (f *File) stat() (fileInfo, error) {
	b, err := f.getInfo(fileInfoID)
	if err != nil {
		return fileInfo{}, err
	}
	i, err := decodeFileInfo(b)
	i.name = path.Base(f.name)
	return i, err
}

// getInfo is EFI_FILE_PROTOCOL.GetInfo (UEFI 2.10 §13.5.13).
func (f *File) getInfo(id GUID) ([]byte, error) {
	buffer := make([]byte, infoBytes)
	size := uintptr(len(buffer))
	status := f.sys.call(f.protocol().GetInfo, gate.Word(f.handle), gate.Pointer(&id), gate.Pointer(&size), gate.Slice(buffer))
	if status.IsError() {
		return nil, fmt.Errorf("get information: %w", status)
	}
	if size > uintptr(len(buffer)) {
		return nil, fmt.Errorf("get information: the firmware claims %d bytes in a buffer of %d", size, len(buffer))
	}
	return buffer[:size], nil
}

// rename is EFI_FILE_PROTOCOL.SetInfo with everything as it is but the name,
// which is one within the file's directory (UEFI 2.10 §13.5.14, §13.5.16). Times
// of zero leave the file's as they are, which need not be valid ones.
func (f *File) rename(name string) error {
	b, err := f.getInfo(fileInfoID)
	if err != nil {
		return err
	}
	r, ok := raw.Decode[raw.FileInfo](b)
	if !ok {
		return fmt.Errorf("decode file information: %d bytes are too few", len(b))
	}
	units := putUnits(nil, encodeUCS2(name))
	r.Size = uint64(raw.SizeOf[raw.FileInfo]()) + uint64(len(units))
	r.CreateTime, r.LastAccessTime, r.ModificationTime = raw.Time{}, raw.Time{}, raw.Time{}
	b = append(raw.Encode(&r), units...)
	id := fileInfoID
	status := f.sys.call(f.protocol().SetInfo, gate.Word(f.handle), gate.Pointer(&id), gate.Word(len(b)), gate.Slice(b))
	if status.IsError() {
		return fmt.Errorf("set information: %w", status)
	}
	return nil
}
