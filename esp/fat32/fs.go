package fat32

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

var (
	_ fs.ReadDirFS = (*FS)(nil)
	_ fs.StatFS    = (*FS)(nil)
)

// Open implements [fs.FS].
func (f *FS) Open(name string) (fs.File, error) {
	d, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if d.isDir() {
		list, err := f.readDir(d)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &openDir{d: d, list: list}, nil
	}
	e, err := f.extents(d.first, d.size)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{SectionReader: io.NewSectionReader(e, 0, d.size), d: d}, nil
}

// Stat implements [fs.StatFS].
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	d, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{d}, nil
}

// ReadDir implements [fs.ReadDirFS].
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	d, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	list, err := f.readDir(d)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return list, nil
}

func (f *FS) find(op, name string) (dirent, error) {
	if !fs.ValidPath(name) {
		return dirent{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	d, err := f.lookup(name)
	if err != nil {
		return dirent{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return d, nil
}

func (f *FS) readDir(d dirent) ([]fs.DirEntry, error) {
	if !d.isDir() {
		return nil, fmt.Errorf("%w: not a directory", fs.ErrInvalid)
	}
	files, err := f.list(d)
	if err != nil {
		return nil, err
	}
	list := make([]fs.DirEntry, len(files))
	for i, e := range files {
		list[i] = info{e}
	}
	slices.SortStableFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, nil
}

// info implements [fs.FileInfo] and [fs.DirEntry].
type info struct{ d dirent }

func (i info) Name() string               { return i.d.name }
func (i info) ModTime() time.Time         { return i.d.modified }
func (i info) IsDir() bool                { return i.d.isDir() }
func (i info) Type() fs.FileMode          { return i.Mode().Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) String() string             { return fs.FormatFileInfo(i) }

// Sys returns nil.
func (i info) Sys() any { return nil }

func (i info) Size() int64 {
	if i.d.isDir() {
		return 0
	}
	return i.d.size
}

func (i info) Mode() fs.FileMode {
	mode := fs.FileMode(0o644)
	if i.d.isDir() {
		mode = fs.ModeDir | 0o755
	}
	if i.d.attr&attrReadOnly != 0 {
		mode &^= 0o222
	}
	return mode
}

// openFile is an opened file: [io.Reader], [io.ReaderAt] and [io.Seeker].
type openFile struct {
	*io.SectionReader
	d dirent
}

func (o *openFile) Stat() (fs.FileInfo, error) { return info{o.d}, nil }
func (o *openFile) Close() error               { return nil }

// openDir is an opened directory.
type openDir struct {
	d    dirent
	list []fs.DirEntry // what ReadDir has not returned yet
}

func (o *openDir) Stat() (fs.FileInfo, error) { return info{o.d}, nil }
func (o *openDir) Close() error               { return nil }

func (o *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.d.name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(o.list)
	} else if len(o.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(o.list))
	list := o.list[:n]
	o.list = o.list[n:]
	return list, nil
}
