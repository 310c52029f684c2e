package fat32

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// directory is the stored form of a directory.
type directory struct {
	clusters []uint32
	b        []byte // all its entries
	end      int    // of those that are used, in bytes
}

func (e *Editor) openDirectory(first uint32) (d directory, err error) {
	_, err = e.chain(first, maxDirBytes/e.clusterBytes(), func(n uint32) error {
		b := make([]byte, e.clusterBytes())
		if got, err := e.dev.ReadAt(b, e.clusterOffset(n)); got < len(b) {
			return fmt.Errorf("read directory at cluster %d: %w", n, err)
		}
		d.clusters, d.b = append(d.clusters, n), append(d.b, b...)
		return nil
	})
	for d.end < len(d.b) && d.b[d.end] != entryEnd {
		d.end += direntBytes
	}
	return d, err
}

// offset says where on the volume a byte of the directory lies.
func (e *Editor) offset(d directory, at int) int64 {
	size := int(e.clusterBytes())
	return e.clusterOffset(d.clusters[at/size]) + int64(at%size)
}

// room finds where length bytes of entries fit into one sector of the directory, or len(d.b).
func (d directory) room(length, sectorBytes int) int {
	for s := 0; s < len(d.b); s += sectorBytes {
		free := 0
		for at := s; at < s+sectorBytes; at += direntBytes {
			if at < d.end && d.b[at] != entryFree {
				free = 0
				continue
			}
			if free += direntBytes; free == length {
				return at + direntBytes - length
			}
		}
	}
	return len(d.b)
}

// insert gives a chain a name. The entries of it lie in one sector, whose write makes them
// all be there at once.
func (e *Editor) insert(dir dirent, name string, attr byte, first uint32, size int64) error {
	d, err := e.openDirectory(dir.first)
	if err != nil {
		return err
	}
	set, err := e.entriesFor(dir, name, attr, first, size)
	if err != nil {
		return err
	}
	sector := int(e.sectorBytes)
	at := d.room(len(set), sector)
	if at == len(d.b) {
		if d, err = e.extend(d, set); err != nil {
			return err
		}
	}
	if at+len(set) > d.end && (at+len(set))%sector == 0 {
		if err := e.endAt(d, at+len(set)); err != nil {
			return err
		}
	}
	err = e.changeSector(e.offset(d, at/sector*sector), func(b []byte) {
		copy(b[at%sector:], set)
		if at+len(set) > d.end {
			clear(b[at%sector+len(set):])
		}
	})
	if err != nil {
		return err
	}
	if err := e.dev.Sync(); err != nil {
		return err
	}
	return e.close(d, at)
}

// endAt has nothing follow a byte at which a sector begins.
func (e *Editor) endAt(d directory, at int) error {
	if at >= len(d.b) || d.b[at] == entryEnd {
		return nil
	}
	if err := e.changeSector(e.offset(d, at), func(b []byte) { clear(b) }); err != nil {
		return err
	}
	return e.dev.Sync()
}

// close marks what is left of the last used sector as free entries where the new ones lie
// behind it: up to then the directory ends before them.
func (e *Editor) close(d directory, at int) error {
	if at <= d.end {
		return nil
	}
	sector := int(e.sectorBytes)
	err := e.changeSector(e.offset(d, d.end/sector*sector), func(b []byte) {
		for i := d.end % sector; i < len(b); i += direntBytes {
			b[i] = entryFree
		}
	})
	if err != nil {
		return err
	}
	return e.dev.Sync()
}

// extend adds a cluster to a directory, with the entries at its beginning. Where the
// directory was full, that is what makes them be there.
func (e *Editor) extend(d directory, set []byte) (directory, error) {
	if int64(len(d.b))+e.clusterBytes() > maxDirBytes {
		return d, errors.New("the directory has as many files as FAT allows")
	}
	added, err := e.allocate(1)
	if err != nil {
		return d, err
	}
	b := make([]byte, e.clusterBytes())
	copy(b, set)
	if _, err := e.dev.WriteAt(b, e.clusterOffset(added[0])); err != nil {
		return d, err
	}
	if err := e.setEntries(chainOf(added)); err != nil {
		return d, err
	}
	if err := e.dev.Sync(); err != nil {
		return d, err
	}
	if err := e.setEntries(map[uint32]uint32{d.clusters[len(d.clusters)-1]: added[0]}); err != nil {
		return d, err
	}
	d.clusters, d.b = append(d.clusters, added...), append(d.b, b...)
	return d, e.dev.Sync()
}

// entriesFor are the stored entries of a new name.
func (e *Editor) entriesFor(dir dirent, name string, attr byte, first uint32, size int64) ([]byte, error) {
	there, err := e.readDirectory(dir.first, nil)
	if err != nil {
		return nil, err
	}
	names := newShortNames(nil)
	for _, other := range there {
		names.taken[fold(other.name)], names.taken[other.short.String()] = true, true
	}
	short, needsLong := names.assign(name)
	v := &volume{modified: e.modified}
	var b []byte
	if needsLong {
		b = appendLong(b, name, short)
	}
	b = v.appendShort(b, short, attr, first, uint32(size))
	if int64(len(b)) > e.sectorBytes {
		return nil, fmt.Errorf("%w: %q is too long to be added at once", ErrName, name)
	}
	return b, nil
}

// repoint gives an entry another chain and size.
func (e *Editor) repoint(d dirent, first uint32, size int64) error {
	err := e.changeEntry(d.at, func(b []byte) {
		le := binary.LittleEndian
		date, clock := dosTime(e.modified)
		le.PutUint16(b[22:], clock)
		le.PutUint16(b[24:], date)
		le.PutUint16(b[20:], uint16(first>>16))
		le.PutUint16(b[26:], uint16(first))
		le.PutUint32(b[28:], uint32(size))
	})
	if err != nil {
		return err
	}
	return e.dev.Sync()
}

// erase frees the entries of a file, the one with its chain first.
func (e *Editor) erase(d dirent) error {
	sector := d.at / e.sectorBytes
	with := func(same bool) []int64 {
		return slices.DeleteFunc(slices.Clone(d.longAt), func(at int64) bool { return (at/e.sectorBytes == sector) != same })
	}
	err := e.changeSector(sector*e.sectorBytes, func(b []byte) {
		for _, at := range append(with(true), d.at) {
			b[at%e.sectorBytes] = entryFree
		}
	})
	if err != nil {
		return err
	}
	if err := e.dev.Sync(); err != nil {
		return err
	}
	for _, at := range with(false) {
		if err := e.changeEntry(at, func(b []byte) { b[0] = entryFree }); err != nil {
			return err
		}
	}
	return nil
}

func (e *Editor) changeEntry(at int64, change func(b []byte)) error {
	return e.changeSector(at/e.sectorBytes*e.sectorBytes, func(b []byte) { change(b[at%e.sectorBytes:][:direntBytes]) })
}

// makeDirs finds a directory and makes what is missing of it.
func (e *Editor) makeDirs(name string) (dirent, error) {
	at, err := e.lookup(".")
	if err != nil || name == "." {
		return at, err
	}
	parts := strings.Split(name, "/")
	if len(parts) >= maxDepth {
		return dirent{}, fmt.Errorf("more than %d directories deep", maxDepth)
	}
	for i := range parts {
		next, err := e.lookup(strings.Join(parts[:i+1], "/"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			next, err = e.makeDir(at, i == 0, parts[i])
		case err == nil && !next.isDir():
			err = fmt.Errorf("%s is not a directory: %w", parts[i], fs.ErrInvalid)
		}
		if err != nil {
			return dirent{}, err
		}
		at = next
	}
	return at, nil
}

// makeDir makes a directory in another one.
func (e *Editor) makeDir(parent dirent, inRoot bool, name string) (dirent, error) {
	if err := checkName(name); err != nil {
		return dirent{}, err
	}
	if err := e.begin(); err != nil {
		return dirent{}, err
	}
	clusters, err := e.allocate(1)
	if err != nil {
		return dirent{}, err
	}
	up := parent.first
	if inRoot {
		up = 0 // the root is written as cluster 0 (FAT §6.5)
	}
	v := &volume{modified: e.modified}
	b := v.appendShort(nil, pack(".", ""), attrDirectory, clusters[0], 0)
	b = v.appendShort(b, pack("..", ""), attrDirectory, up, 0)
	b = append(b, make([]byte, e.clusterBytes()-int64(len(b)))...)
	if _, err := e.dev.WriteAt(b, e.clusterOffset(clusters[0])); err != nil {
		return dirent{}, err
	}
	if err := e.setEntries(chainOf(clusters)); err != nil {
		return dirent{}, err
	}
	if err := e.dev.Sync(); err != nil {
		return dirent{}, err
	}
	return dirent{name: name, attr: attrDirectory, first: clusters[0]}, e.insert(parent, name, attrDirectory, clusters[0], 0)
}
