package uefi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// FileSystem is the volume of a device (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL, UEFI
// 2.10 §13.4) as a file system of package io/fs: names have slashes and no
// leading one, "." is the root. The volume's own rules decide on upper and lower
// case; FAT finds a file by either.
//
// A FileSystem holds nothing open. Errors are *fs.PathError with a [Status].
type FileSystem struct {
	sys   *System
	iface uintptr
}

var (
	_ fs.ReadDirFS  = (*FileSystem)(nil)
	_ fs.ReadFileFS = (*FileSystem)(nil)
	_ fs.StatFS     = (*FileSystem)(nil)
)

// FileSystem is the file system on a device.
func (s *System) FileSystem(dev Handle) (*FileSystem, error) {
	iface, err := s.protocol(dev, SimpleFileSystemProtocol)
	if err != nil {
		return nil, fmt.Errorf("open file system of handle %#x: %w", uintptr(dev), err)
	}
	return &FileSystem{s, iface}, nil
}

// Open opens a file or directory for reading. The result is a *[File].
func (f *FileSystem) Open(name string) (fs.File, error) {
	file, err := f.open("open", name, raw.FileModeRead)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Stat describes a file or directory.
func (f *FileSystem) Stat(name string) (info fs.FileInfo, err error) {
	file, err := f.open("stat", name, raw.FileModeRead)
	if err != nil {
		return nil, err
	}
	return file.info, file.Close()
}

// ReadDir lists a directory, sorted by name.
func (f *FileSystem) ReadDir(name string) (entries []fs.DirEntry, err error) {
	file, err := f.open("open", name, raw.FileModeRead)
	if err != nil {
		return nil, err
	}
	defer func() { err = join(err, file.Close()) }()
	entries, err = file.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// ReadFile reads a whole file into Go memory. Large files that are going to be
// started or handed over want [FileSystem.ReadPages].
func (f *FileSystem) ReadFile(name string) (data []byte, err error) {
	p, err := f.ReadPages(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = join(err, p.Free()) }()
	return append([]byte{}, p.Bytes()...), nil
}

// ReadPages reads a whole file into new pages, which the caller frees. A file
// that gives fewer bytes than its size promises is io.ErrUnexpectedEOF.
func (f *FileSystem) ReadPages(name string) (pages *Pages, err error) {
	file, err := f.open("open", name, raw.FileModeRead)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = join(err, file.Close()); err != nil && pages != nil {
			err, pages = join(err, pages.Free()), nil
		}
	}()
	if file.info.IsDir() {
		return nil, pathError("read", name, errIsDirectory)
	}
	if file.info.Size() > maxPagesBytes {
		return nil, pathError("read", name, fmt.Errorf("size of %d bytes is more than %d", file.info.Size(), maxPagesBytes))
	}
	p, err := f.sys.AllocatePages(int(file.info.Size()))
	if err != nil {
		return nil, pathError("read", name, err)
	}
	n, err := file.readInto(p.Bytes())
	if err == nil && n < len(p.Bytes()) {
		err = fmt.Errorf("got %d of %d bytes: %w", n, len(p.Bytes()), io.ErrUnexpectedEOF)
	}
	if err != nil {
		return p, pathError("read", name, err)
	}
	return p, nil
}

// WriteAt writes data into an existing file at a byte offset and flushes it. The
// file keeps its size: data must lie within it, so that nothing but these bytes
// changes on the medium. Whoever must be sure reads it back.
func (f *FileSystem) WriteAt(name string, data []byte, offset int64) (err error) {
	file, err := f.open("write", name, raw.FileModeRead|raw.FileModeWrite)
	if err != nil {
		return err
	}
	defer func() { err = join(err, file.Close()) }()
	if file.info.IsDir() {
		return pathError("write", name, errIsDirectory)
	}
	if offset < 0 || offset > file.info.Size() || int64(len(data)) > file.info.Size()-offset {
		return pathError("write", name, fmt.Errorf("%d bytes at %d do not lie within the file's %d: %w",
			len(data), offset, file.info.Size(), fs.ErrInvalid))
	}
	if err := file.writeAt(data, uint64(offset)); err != nil {
		return pathError("write", name, err)
	}
	return nil
}

// errIsDirectory is the error of reading or writing a directory as a file.
var errIsDirectory = errors.New("is a directory")

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// firmwarePath is a name of io/fs as the firmware wants it.
func firmwarePath(name string) (string, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", fs.ErrInvalid
	}
	if name == "." {
		return `\`, nil
	}
	return `\` + strings.ReplaceAll(name, "/", `\`), nil
}

// open opens a file and reads its information.
func (f *FileSystem) open(op, name string, mode uint64) (*File, error) {
	path, err := firmwarePath(name)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	handle, err := f.openHandle(path, mode)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	file := &File{sys: f.sys, handle: handle, name: name}
	if file.info, err = file.stat(); err != nil {
		return nil, join(pathError(op, name, err), file.Close())
	}
	return file, nil
}

// openHandle opens the volume, then the file in it, and closes the volume.
func (f *FileSystem) openHandle(path string, mode uint64) (handle uintptr, err error) {
	var root uintptr
	open := raw.At[raw.SimpleFileSystemProtocol](f.iface).OpenVolume
	if status := f.sys.call(open, gate.Word(f.iface), gate.Pointer(&root)); status.IsError() {
		return 0, fmt.Errorf("open volume: %w", status)
	}
	if path == `\` {
		return root, nil
	}
	status := f.sys.call(raw.At[raw.FileProtocol](root).Open, gate.Word(root), gate.Pointer(&handle),
		gate.Slice(encodeUCS2(path)), gate.Word(mode), gate.Word(uintptr(0)))
	closed := f.sys.closeFile(root)
	if status.IsError() {
		return 0, join(status, closed)
	}
	if closed != nil {
		return 0, join(closed, f.sys.closeFile(handle))
	}
	return handle, nil
}

func (s *System) closeFile(handle uintptr) error {
	if status := s.call(raw.At[raw.FileProtocol](handle).Close, gate.Word(handle)); status.IsError() {
		return fmt.Errorf("close: %w", status)
	}
	return nil
}
