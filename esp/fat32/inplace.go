package fat32

import (
	"fmt"
	"io"
	"io/fs"
)

// WriteAt writes data into an existing file at a byte offset, through w, the
// volume that f reads. All of data must lie within the file: nothing but these
// bytes changes, no time, no size, no table, so that a cut of the power at any
// moment leaves the volume as it was but for them. The clusters are looked up at
// each call; flushing is the caller's business.
func (f *FS) WriteAt(w io.WriterAt, name string, data []byte, offset int64) error {
	d, err := f.find("write", name)
	if err != nil {
		return err
	}
	if err := f.writeAt(w, d, data, offset); err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

func (f *FS) writeAt(w io.WriterAt, d dirent, data []byte, offset int64) error {
	if d.isDir() {
		return fmt.Errorf("is a directory: %w", fs.ErrInvalid)
	}
	if offset < 0 || offset > d.size || int64(len(data)) > d.size-offset {
		return fmt.Errorf("%d bytes at %d do not lie within the file's %d: %w", len(data), offset, d.size, fs.ErrInvalid)
	}
	e, err := f.extents(d.first, d.size)
	if err != nil {
		return err
	}
	for len(data) > 0 {
		at, length := e.locate(offset)
		length = min(length, int64(len(data)))
		if _, err := w.WriteAt(data[:length], at); err != nil {
			return err
		}
		data, offset = data[length:], offset+length
	}
	return nil
}
