package uefi

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// chunkBytes is the most that one call reads or writes. Some firmware fails on
// larger reads of a file and leaves the volume unusable; at this size the number
// of calls does not show in the time.
const chunkBytes = 1 << 20

// bounceBytes is the size of the pages through which an open file reads into Go
// memory.
const bounceBytes = 64 << 10

// File is an open file or directory (EFI_FILE_PROTOCOL, UEFI 2.10 §13.5). It must
// be closed.
type File struct {
	sys     *System
	handle  uintptr // 0 once closed
	name    string
	info    fileInfo
	offset  int64  // of Read, within the file
	bounce  *Pages // from the first Read on
	ahead   window // what of the file the bounce pages hold
	entries dirState
}

// window is a range of a file.
type window struct{ start, end int64 }

var (
	_ fs.ReadDirFile = (*File)(nil)
	_ io.ReaderAt    = (*File)(nil)
	_ io.Seeker      = (*File)(nil)
)

func (f *File) protocol() *raw.FileProtocol { return raw.At[raw.FileProtocol](f.handle) }

// check is the error of using the file for op, nil if it may be used.
func (f *File) check(op string) error {
	switch {
	case f.handle == 0:
		return pathError(op, f.name, fs.ErrClosed)
	case f.info.IsDir() && op != "readdir":
		return pathError(op, f.name, errIsDirectory)
	}
	return nil
}

// Stat describes the file as it was when it was opened.
func (f *File) Stat() (fs.FileInfo, error) {
	if f.handle == 0 {
		return nil, pathError("stat", f.name, fs.ErrClosed)
	}
	return f.info, nil
}

// Close closes the file and frees its memory.
func (f *File) Close() error {
	if f.handle == 0 {
		return pathError("close", f.name, fs.ErrClosed)
	}
	err := f.sys.closeFile(f.handle)
	f.handle = 0
	if f.bounce != nil {
		err = join(err, f.bounce.Free())
		f.bounce = nil
	}
	if err != nil {
		return pathError("close", f.name, err)
	}
	return nil
}

// Read reads on from where the last Read or Seek ended. A file may hold up to
// 64 KiB ahead: it need not show what is written to it while it is open.
func (f *File) Read(b []byte) (int, error) {
	if err := f.check("read"); err != nil {
		return 0, err
	}
	n, err := f.readSome(b, f.offset)
	f.offset += int64(n)
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(b []byte, offset int64) (int, error) {
	if err := f.check("read"); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	for done := 0; ; {
		n, err := f.readSome(b[done:], offset+int64(done))
		if done += n; err != nil || done == len(b) {
			return done, err
		}
	}
}

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if err := f.check("seek"); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.offset
	case io.SeekEnd:
		offset += f.info.Size()
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, pathError("seek", f.name, fs.ErrInvalid)
	}
	f.offset = offset
	return offset, nil
}

// readSome reads at most what the bounce pages hold, at offset; io.EOF at the
// end.
func (f *File) readSome(b []byte, offset int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if offset >= f.info.Size() {
		return 0, io.EOF
	}
	if offset < f.ahead.start || offset >= f.ahead.end {
		if err := f.fill(offset); err != nil {
			return 0, pathError("read", f.name, err)
		}
	}
	return copy(b, f.bounce.Bytes()[offset-f.ahead.start:f.ahead.end-f.ahead.start]), nil
}

// fill reads at least one byte at offset, which lies within the file, into the
// bounce pages.
func (f *File) fill(offset int64) error {
	f.ahead = window{}
	if f.bounce == nil {
		p, err := f.sys.AllocatePages(int(min(f.info.Size(), bounceBytes)))
		if err != nil {
			return err
		}
		f.bounce = p
	}
	if err := f.setPosition(uint64(offset)); err != nil {
		return err
	}
	buffer := f.bounce.Bytes()
	n, err := f.read(buffer[:min(int64(len(buffer)), f.info.Size()-offset)])
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("file ends at %d of %d bytes: %w", offset, f.info.Size(), io.ErrUnexpectedEOF)
	}
	f.ahead = window{offset, offset + int64(n)}
	return nil
}

// readInto fills b, which lies in pages, from the start of the file. It stops
// early if the file ends.
func (f *File) readInto(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := f.read(b[done:min(done+chunkBytes, len(b))])
		if err != nil {
			return done, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	return done, nil
}

// writeAt writes data at offset through pages and flushes the file.
func (f *File) writeAt(data []byte, offset uint64) (err error) {
	if err := f.setPosition(offset); err != nil {
		return err
	}
	p, err := f.sys.AllocatePages(min(len(data), chunkBytes))
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.Free()) }()
	for len(data) > 0 {
		n := copy(p.Bytes(), data)
		if err := f.write(p.Bytes()[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return f.flush()
}

// flush is EFI_FILE_PROTOCOL.Flush (UEFI 2.10 §13.5.15).
func (f *File) flush() error {
	if status := f.sys.call(f.protocol().Flush, gate.Word(f.handle)); status.IsError() {
		return fmt.Errorf("flush: %w", status)
	}
	return nil
}

// read is EFI_FILE_PROTOCOL.Read into pages (UEFI 2.10 §13.5.5).
func (f *File) read(b []byte) (int, error) {
	size := uintptr(len(b))
	status := f.sys.call(f.protocol().Read, gate.Word(f.handle), gate.Pointer(&size), gate.Slice(b))
	if err := status.Err(); err != nil {
		return 0, err
	}
	if size > uintptr(len(b)) {
		return 0, fmt.Errorf("the firmware claims %d bytes in a buffer of %d", size, len(b))
	}
	return int(size), nil
}

// write is EFI_FILE_PROTOCOL.Write from pages (UEFI 2.10 §13.5.6).
func (f *File) write(b []byte) error {
	size := uintptr(len(b))
	status := f.sys.call(f.protocol().Write, gate.Word(f.handle), gate.Pointer(&size), gate.Slice(b))
	if err := status.Err(); err != nil {
		return err
	}
	if size != uintptr(len(b)) {
		return fmt.Errorf("wrote %d of %d bytes: %w", size, len(b), io.ErrShortWrite)
	}
	return nil
}

// setPosition is EFI_FILE_PROTOCOL.SetPosition (UEFI 2.10 §13.5.11).
func (f *File) setPosition(offset uint64) error {
	if status := f.sys.call(f.protocol().SetPosition, gate.Word(f.handle), gate.Word(offset)); status.IsError() {
		return fmt.Errorf("set position to %d: %w", offset, status)
	}
	return nil
}
