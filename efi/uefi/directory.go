package uefi

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Create makes a file that holds exactly data, in a directory that exists: it is
// written, flushed, closed, opened again and compared. A name that is taken is
// fs.ErrExist. After any other error there is no such file: what was begun is
// removed, and the error tells if that was not possible either.
func (f *FileSystem) Create(name string, data []byte) error {
	if err := f.absent(name); err != nil {
		return pathError("create", name, err)
	}
	err := f.writeNew(name, data)
	if err == nil {
		err = f.holds(name, data)
	}
	if err != nil {
		return join(pathError("create", name, err), f.undoCreate(name))
	}
	return nil
}

// writeNew creates the file, writes it and flushes it.
func (f *FileSystem) writeNew(name string, data []byte) (err error) {
	file, err := f.open("open", name, raw.FileModeRead|raw.FileModeWrite|raw.FileModeCreate)
	if err != nil {
		return bare(err)
	}
	defer func() { err = join(err, bare(file.Close())) }()
	if file.info.IsDir() || file.info.Size() != 0 {
		return fmt.Errorf("the firmware calls %v a new file", file.info)
	}
	if len(data) == 0 {
		return file.flush()
	}
	return file.writeAt(data, 0)
}

// holds reads the file back.
func (f *FileSystem) holds(name string, data []byte) error {
	got, err := f.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read back: %w", bare(err))
	}
	if !bytes.Equal(got, data) {
		return errors.New("read back: the file does not hold what was written")
	}
	return nil
}

// undoCreate removes what a Create that failed has left, if anything.
func (f *FileSystem) undoCreate(name string) error {
	if f.absent(name) == nil {
		return nil
	}
	return f.Remove(name)
}

// Remove deletes a file or an empty directory, and makes sure that it is gone
// (EFI_FILE_PROTOCOL.Delete, UEFI 2.10 §13.5.4).
func (f *FileSystem) Remove(name string) error {
	if name == "." {
		return pathError("remove", name, fs.ErrInvalid)
	}
	file, err := f.open("remove", name, raw.FileModeRead|raw.FileModeWrite)
	if err != nil {
		return err
	}
	status := f.sys.call(file.protocol().Delete, gate.Word(file.handle))
	file.handle = 0 // which Delete closes, whatever becomes of the file
	if status != Success {
		return pathError("remove", name, status)
	}
	if err := f.absent(name); err != nil {
		return pathError("remove", name, fmt.Errorf("after deleting it: %w", err))
	}
	return nil
}

// Rename gives a file another name in the same directory, flushes that and makes
// sure of it. A name that is taken is fs.ErrExist, even if the volume takes the
// two for one, as FAT does if they differ only in case. A device that fails
// meanwhile may lose the file: EDK2 takes the old directory entry away before it
// makes the new one, though both usually reach the medium in one write.
func (f *FileSystem) Rename(from, to string) error {
	if _, err := firmwarePath(to); err != nil || path.Dir(from) != path.Dir(to) || from == "." || to == "." {
		return renameError(from, to, fs.ErrInvalid)
	}
	if err := f.absent(to); err != nil {
		return renameError(from, to, err)
	}
	size, err := f.setName(from, path.Base(to))
	if err == nil {
		err = f.renamed(from, to, size)
	}
	if err != nil {
		return renameError(from, to, err)
	}
	return nil
}

func renameError(from, to string, err error) error {
	return pathError("rename", from, fmt.Errorf("to %s: %w", to, err))
}

// setName renames the file and returns its size.
func (f *FileSystem) setName(name, base string) (size int64, err error) {
	file, err := f.open("open", name, raw.FileModeRead|raw.FileModeWrite)
	if err != nil {
		return 0, bare(err)
	}
	defer func() { err = join(err, bare(file.Close())) }()
	if file.info.IsDir() {
		return 0, errIsDirectory
	}
	if err := file.rename(base); err != nil {
		return 0, err
	}
	return file.info.Size(), file.flush()
}

// renamed makes sure that the file is there under its new name only.
func (f *FileSystem) renamed(from, to string, size int64) error {
	info, err := f.Stat(to)
	if err != nil {
		return fmt.Errorf("under the new name: %w", bare(err))
	}
	if info.IsDir() || info.Size() != size {
		return fmt.Errorf("under the new name there is %v, not a file of %d bytes", info, size)
	}
	if err := f.absent(from); err != nil {
		return fmt.Errorf("under the old name: %w", err)
	}
	return nil
}

// absent is nil if nothing has the name, fs.ErrExist if something has, or why
// that cannot be told.
func (f *FileSystem) absent(name string) error {
	_, err := f.Stat(name)
	switch err = bare(err); err {
	case nil:
		return fs.ErrExist
	case ErrNotFound: // and nothing besides, such as a volume that cannot be closed
		return nil
	}
	return err
}

// bare takes the operation and the name off an error that gets others.
func bare(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
