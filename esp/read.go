package esp

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Resolve returns the path under which fsys has the file or directory name, found
// without regard to case, as FAT has it; what is spelled exactly so comes first.
// The error wraps [fs.ErrNotExist] if there is none.
func Resolve(fsys fs.FS, name string) (string, error) {
	switch _, err := fs.Stat(fsys, name); {
	case err == nil:
		return name, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	found, isDir := ".", true
	for part := range strings.SplitSeq(name, "/") {
		var match fs.DirEntry
		if isDir {
			files, err := fs.ReadDir(fsys, found)
			if err != nil {
				return "", err
			}
			match = matchName(files, part)
		}
		if match == nil {
			return "", &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
		}
		found, isDir = path.Join(found, match.Name()), match.IsDir()
	}
	return found, nil
}

// matchName finds a name in a directory: spelled so, or else in another case. It
// returns nil if there is none.
func matchName(files []fs.DirEntry, name string) fs.DirEntry {
	var match fs.DirEntry
	for _, f := range files {
		if f.Name() == name {
			return f
		}
		if match == nil && strings.EqualFold(f.Name(), name) {
			match = f
		}
	}
	return match
}

// readFile reads a configuration file of at most MaxConfBytes.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxConfBytes+1))
	if err == nil && len(data) > MaxConfBytes {
		size := int64(len(data))
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		return nil, errTooLarge(size, MaxConfBytes)
	}
	return data, err
}

// readerAt makes a file readable at an offset.
func readerAt(f fs.File) (io.ReaderAt, error) {
	switch f := f.(type) {
	case io.ReaderAt:
		return f, nil
	case io.ReadSeeker:
		return seekReaderAt{f}, nil
	}
	return nil, errors.New("cannot be read at an offset")
}

// seekReaderAt is an io.ReaderAt for one reader at a time.
type seekReaderAt struct{ io.ReadSeeker }

// ReadAt implements [io.ReaderAt].
func (s seekReaderAt) ReadAt(b []byte, offset int64) (int, error) {
	if _, err := s.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(s, b)
}
