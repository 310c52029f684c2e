package uefi

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// maxDirEntries bounds a directory; FAT holds 65,536 at most.
const maxDirEntries = 1 << 16

// dirState is how far a directory was listed.
type dirState struct {
	seen int
	done bool
}

// ReadDir lists a directory in its own order, without "." and "..", as
// fs.ReadDirFile has it. A name that cannot be one is reported as an error beside
// the entries that can.
func (f *File) ReadDir(n int) (entries []fs.DirEntry, err error) {
	if err := f.check("readdir"); err != nil {
		return nil, err
	}
	if !f.info.IsDir() {
		return nil, pathError("readdir", f.name, errors.New("is not a directory"))
	}
	p, err := f.sys.AllocatePages(infoBytes)
	if err != nil {
		return nil, pathError("readdir", f.name, err)
	}
	defer func() { err = join(err, p.Free()) }()
	var problems error
	for (n <= 0 || len(entries) < n) && !f.entries.done {
		entry, err := f.nextEntry(p.Bytes())
		if err != nil {
			return entries, pathError("readdir", f.name, errors.Join(problems, err))
		}
		switch {
		case f.entries.done || entry.name == "." || entry.name == "..":
		case entry.validEntry():
			entries = append(entries, entry)
		default:
			problems = errors.Join(problems, fmt.Errorf("entry %q: %w", entry.name, fs.ErrInvalid))
		}
	}
	if problems != nil {
		return entries, pathError("readdir", f.name, problems)
	}
	if n > 0 && len(entries) == 0 {
		return nil, io.EOF
	}
	return entries, nil
}

// nextEntry reads one entry through buffer; at the end it sets done
// (UEFI 2.10 §13.5.5).
func (f *File) nextEntry(buffer []byte) (fileInfo, error) {
	if f.entries.seen == maxDirEntries {
		return fileInfo{}, fmt.Errorf("more than %d entries", maxDirEntries)
	}
	size, err := f.read(buffer)
	if err != nil {
		return fileInfo{}, err
	}
	if size == 0 {
		f.entries.done = true
		return fileInfo{}, nil
	}
	f.entries.seen++
	return decodeFileInfo(buffer[:size])
}
