package fat32

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"time"
)

// Device is a volume that can be written.
type Device interface {
	io.ReaderAt
	io.WriterAt
	// Sync makes durable what was written.
	Sync() error
}

// ErrDamaged says that a volume is not changed because its structure is damaged.
var ErrDamaged = errors.New("the volume is damaged and is not changed")

// Editor changes the files of a volume that nobody has mounted, so that a cut of the
// power at any moment leaves every file as it was or as it is to be:
//
//   - Content is written into free clusters, and their chain into the FATs; both are
//     durable before a directory names them.
//   - One write of one sector gives a file its name, its new content, or takes it away.
//   - What is not needed any more is given back when that is durable.
//
// What a cut can leave besides are clusters that belong to no file and FATs that differ
// in those; [Edit] mends that. Every method is durable when it returns. After an error
// of the device the Editor must not be used any more.
type Editor struct {
	*FS
	dev      Device
	used     clusterSet // also the bad clusters
	free     int64      // clusters
	modified time.Time
	mend     bool // the FATs have to be mended
	begun    bool // something was written
}

// tolerated are other findings that do not keep a volume from being changed.
var tolerated = []string{"fat-backup-boot", "fat-too-small"}

// mendable are those that are mended with the first change, or by [Editor.Mend].
var mendable = []string{codeLost, codeDiffer, codeInfo, codeDirty}

// Edit opens a volume to change it; nothing is written before something is changed.
// What is new gets the time stamp modified. The error is ErrDamaged, or that of [Check].
func Edit(dev Device, sizeBytes int64, modified time.Time) (*Editor, error) {
	f, err := Open(dev, sizeBytes)
	if err != nil {
		return nil, err
	}
	if y := modified.Year(); y < 1980 || y > 2107 {
		return nil, fmt.Errorf("time stamp %v is not from 1980 to 2107", modified)
	}
	c, err := f.check()
	if err != nil {
		return nil, err
	}
	e := &Editor{FS: f, dev: dev, used: c.used, modified: modified}
	for _, found := range c.findings {
		if !found.Harmless() && !slices.Contains(tolerated, found.Code) {
			return nil, fmt.Errorf("%w: %s", ErrDamaged, found.Text)
		}
		e.mend = e.mend || slices.Contains(mendable, found.Code)
	}
	return e, e.count()
}

// count finds the free clusters. Bad ones are neither free nor given back.
func (e *Editor) count() error {
	fr := e.newFATReader(e.boot.activeFAT)
	for n := uint32(rootCluster); e.inRange(n); n++ {
		entry, err := fr.entry(n)
		if err != nil {
			return err
		}
		if entry == badCluster {
			e.used.add(n)
		}
		if !e.used.has(n) {
			e.free++
		}
	}
	return nil
}

// Mend mends what an interrupted change left, where there is nothing else to change.
func (e *Editor) Mend() error {
	if !e.mend {
		return nil
	}
	return e.begin()
}

// FreeBytes is how much room there is for content.
func (e *Editor) FreeBytes() (int64, error) { return e.free * e.clusterBytes(), nil }

// Create makes a file of size bytes, which r must have exactly, and the directories
// above it. A file that exists is fs.ErrExist.
func (e *Editor) Create(name string, size int64, r io.Reader) error {
	return pathError("create", name, e.create(name, size, r))
}

func (e *Editor) create(name string, size int64, r io.Reader) error {
	if !fs.ValidPath(name) || name == "." {
		return fs.ErrInvalid
	}
	switch _, err := e.lookup(name); {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	dir, err := e.makeDirs(path.Dir(name))
	if err != nil {
		return err
	}
	if err := checkName(path.Base(name)); err != nil {
		return err
	}
	first, err := e.store(size, r)
	if err != nil {
		return err
	}
	return e.insert(dir, path.Base(name), attrArchive, first, size)
}

// Replace gives a file that exists another content, of size bytes. There is no moment at
// which the file has neither.
func (e *Editor) Replace(name string, size int64, r io.Reader) error {
	return pathError("replace", name, e.replace(name, size, r))
}

func (e *Editor) replace(name string, size int64, r io.Reader) error {
	old, err := e.lookupFile(name)
	if err != nil {
		return err
	}
	first, err := e.store(size, r)
	if err != nil {
		return err
	}
	if err := e.repoint(old, first, size); err != nil {
		return err
	}
	return e.release(old.first)
}

// Remove removes a file.
func (e *Editor) Remove(name string) error {
	return pathError("remove", name, e.remove(name))
}

func (e *Editor) remove(name string) error {
	old, err := e.lookupFile(name)
	if err != nil {
		return err
	}
	if err := e.begin(); err != nil {
		return err
	}
	if err := e.erase(old); err != nil {
		return err
	}
	return e.release(old.first)
}

func (e *Editor) lookupFile(name string) (dirent, error) {
	if !fs.ValidPath(name) {
		return dirent{}, fs.ErrInvalid
	}
	d, err := e.lookup(name)
	if err == nil && d.isDir() {
		err = fmt.Errorf("is a directory: %w", fs.ErrInvalid)
	}
	return d, err
}

// Close says in FSInfo how many clusters are free, if anything was changed.
func (e *Editor) Close() error {
	if !e.begun {
		return nil
	}
	e.begun = false
	if err := e.writeInfo(uint32(e.free)); err != nil {
		return err
	}
	return e.dev.Sync()
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// store writes content into free clusters and makes a chain of them. It returns the first
// one, 0 for an empty file. No directory names it yet.
func (e *Editor) store(size int64, r io.Reader) (uint32, error) {
	if size < 0 || size > math.MaxUint32 {
		return 0, fmt.Errorf("%d bytes; a FAT32 file has at most 4 GiB - 1", size)
	}
	if err := e.begin(); err != nil {
		return 0, err
	}
	clusters, err := e.allocate(e.clustersFor(size))
	if err != nil {
		return 0, err
	}
	if err := e.writeContent(clusters, size, r); err != nil {
		return 0, err
	}
	if len(clusters) == 0 {
		return 0, nil
	}
	if err := e.setEntries(chainOf(clusters)); err != nil {
		return 0, err
	}
	return clusters[0], e.dev.Sync()
}

// writeContent writes the content of a file, in pieces as large as its clusters allow.
func (e *Editor) writeContent(clusters []uint32, size int64, r io.Reader) error {
	var x extents
	x.f, x.size = e.FS, e.clustersFor(size)*e.clusterBytes()
	for _, n := range clusters {
		if err := x.add(n); err != nil {
			return err
		}
	}
	buf := make([]byte, 1<<20)
	for off := int64(0); off < size; {
		at, length := x.locate(off)
		chunk := buf[:min(length, int64(len(buf)))]
		n := min(int64(len(chunk)), size-off)
		if _, err := io.ReadFull(r, chunk[:n]); err != nil {
			return fmt.Errorf("content ends %d bytes early: %w", size-off, err)
		}
		whole := ceilDiv(n, e.sectorBytes) * e.sectorBytes
		clear(chunk[n:whole])
		if _, err := e.dev.WriteAt(chunk[:whole], at); err != nil {
			return err
		}
		off += n
	}
	switch extra, err := r.Read(buf[:1]); {
	case extra != 0:
		return fmt.Errorf("content goes on behind its %d bytes", size)
	case err != nil && err != io.EOF:
		return err
	}
	return nil
}
