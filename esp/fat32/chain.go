package fat32

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
)

// FAT entry values (FAT §4).
const (
	badCluster  = 0x0ffffff7
	endOfChains = 0x0ffffff8 // this and all above end a chain
)

// maxRuns bounds the memory for the place of one file: 6 MiB.
const maxRuns = 1 << 19

// run are clusters that follow each other, from the one with that index in the
// file on.
type run struct{ index, first, count uint32 }

// fatReader reads entries of one FAT through a window.
type fatReader struct {
	f      *FS
	copy   int64
	window [4096]byte
	start  int64 // byte offset of the window in the FAT, -1 while it is empty
}

func (f *FS) newFATReader(copy int64) *fatReader { return &fatReader{f: f, copy: copy, start: -1} }

// entry returns the FAT entry of cluster n, which is below clusters+2.
func (fr *fatReader) entry(n uint32) (uint32, error) {
	size := int64(len(fr.window))
	off := int64(n) * entryBytes
	if start := off / size * size; start != fr.start {
		length := min(size, fr.f.fatSectors*fr.f.sectorBytes-start)
		got, err := fr.f.r.ReadAt(fr.window[:length], fr.f.fatOffset(fr.copy)+start)
		if int64(got) < length {
			fr.start = -1
			return 0, fmt.Errorf("read FAT %d: %w", fr.copy, err)
		}
		fr.start = start
	}
	return binary.LittleEndian.Uint32(fr.window[off-fr.start:]) & entryMask, nil
}

// errLongChain says that a chain goes on behind the limit.
var errLongChain = fmt.Errorf("%w: chain is too long", ErrCorrupt)

// chain follows the clusters from first on and calls visit for each of them, at
// most limit ones. It returns their number, and [errLongChain] where the chain
// does not end there.
func (f *FS) chain(first uint32, limit int64, visit func(n uint32) error) (count int64, err error) {
	fr := f.newFATReader(f.boot.activeFAT)
	for n := first; ; count++ {
		switch {
		case n >= endOfChains && count > 0:
			return count, nil
		case !f.inRange(n):
			return count, fmt.Errorf("%w: the chain from cluster %d leads to cluster %#x", ErrCorrupt, first, n)
		case count == limit:
			return count, errLongChain
		}
		if err := visit(n); err != nil {
			return count, err
		}
		if n, err = fr.entry(n); err != nil {
			return count, err
		}
	}
}

// extents is where the content of a file lies.
type extents struct {
	f    *FS
	runs []run
	size int64
}

// extents finds the clusters of a file. A chain that is too short for size is
// an error; clusters behind size are left to [Check].
func (f *FS) extents(first uint32, size int64) (extents, error) {
	e := extents{f: f, size: size}
	need := f.clustersFor(size)
	if need == 0 {
		return e, nil
	}
	if need > f.clusters {
		return extents{}, fmt.Errorf("%w: %d bytes are more than the volume has", ErrCorrupt, size)
	}
	count, err := f.chain(first, need, e.add)
	switch {
	case err != nil && !errors.Is(err, errLongChain):
		return extents{}, err
	case count < need:
		return extents{}, fmt.Errorf("%w: the file has %d clusters, its size asks for %d", ErrCorrupt, count, need)
	}
	return e, nil
}

// add appends cluster n.
func (e *extents) add(n uint32) error {
	var index uint32
	if last := len(e.runs) - 1; last >= 0 {
		r := &e.runs[last]
		if r.first+r.count == n {
			r.count++
			return nil
		}
		index = r.index + r.count
	}
	if len(e.runs) == maxRuns {
		return fmt.Errorf("%w: file in more than %d pieces", ErrCorrupt, maxRuns)
	}
	e.runs = append(e.runs, run{index: index, first: n, count: 1})
	return nil
}

// locate says where on the volume the file's byte off lies, and how many bytes of
// the file follow there in one piece. off must lie within the file.
func (e extents) locate(off int64) (at, length int64) {
	cluster := uint32(off / e.f.clusterBytes())
	r := e.runs[sort.Search(len(e.runs), func(i int) bool { return e.runs[i].index+e.runs[i].count > cluster })]
	into := off - int64(r.index)*e.f.clusterBytes()
	return e.f.clusterOffset(r.first) + into, min(int64(r.count)*e.f.clusterBytes()-into, e.size-off)
}

// ReadAt implements [io.ReaderAt].
func (e extents) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("read at offset %d: %w", off, fs.ErrInvalid)
	}
	for n < len(p) && off < e.size {
		at, length := e.locate(off)
		length = min(length, int64(len(p)-n))
		got, err := e.f.r.ReadAt(p[n:n+int(length)], at)
		n += got
		off += int64(got)
		if int64(got) < length {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Usage counts the clusters in use; FSInfo is not trusted.
func (f *FS) Usage() (Usage, error) {
	fr := f.newFATReader(f.boot.activeFAT)
	u := Usage{ClusterBytes: f.clusterBytes(), Clusters: f.clusters}
	for n := uint32(rootCluster); f.inRange(n); n++ {
		e, err := fr.entry(n)
		if err != nil {
			return Usage{}, err
		}
		if e != 0 {
			u.UsedClusters++
		}
	}
	return u, nil
}
