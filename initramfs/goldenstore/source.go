package goldenstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/golden"
)

// initrdAlign is where the kernel looks for the next archive after one: several
// files of a part are padded to a multiple of it.
const initrdAlign = 4

// Open opens what the boot manager read a part from. Whether it is still the same
// is not looked at.
func (s Store) Open(p golden.BootedPart) (io.ReadCloser, error) {
	if len(p.Paths) == 0 {
		return s.openSlot(p)
	}
	all := &parts{}
	for _, name := range p.Paths {
		f, err := s.openFile(name)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.files = append(all.files, f)
		all.readers = append(all.readers, f)
		if len(p.Paths) > 1 {
			info, err := f.Stat()
			if err != nil {
				return nil, errors.Join(err, all.Close())
			}
			all.readers = append(all.readers, bytes.NewReader(make([]byte, -info.Size()&(initrdAlign-1))))
		}
	}
	all.Reader = io.MultiReader(all.readers...)
	return all, nil
}

func (s Store) openFile(name string) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return os.Open(filepath.Join(s.Dir, filepath.FromSlash(name)))
}

// openSlot opens a part that lies in a kernel slot.
func (s Store) openSlot(p golden.BootedPart) (io.ReadCloser, error) {
	f, err := s.OpenKernel()
	if err != nil {
		return nil, fmt.Errorf("kernel slot %d: %w", p.Slot, err)
	}
	all := &parts{Reader: io.NewSectionReader(f, p.OffsetBytes, p.LengthBytes), files: []*os.File{f}}
	return all, nil
}

// OpenKernel opens the disk's RayOS Kernel partition.
func (s Store) OpenKernel() (*os.File, error) {
	if s.Kernel == "" {
		return nil, errors.New("the boot disk has no RayOS Kernel partition")
	}
	return os.Open(s.Kernel)
}

// parts are files that are read one after the other.
type parts struct {
	io.Reader
	readers []io.Reader
	files   []*os.File
}

// Close closes all files.
func (p *parts) Close() (err error) {
	for _, f := range p.files {
		err = errors.Join(err, f.Close())
	}
	return err
}
