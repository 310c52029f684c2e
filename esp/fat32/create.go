package fat32

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrNoSpace says that the files do not fit into the volume. Nothing was
// written then.
var ErrNoSpace = errors.New("volume is too small for its files")

// Options describe a volume to be made.
type Options struct {
	SizeBytes     int64  // of the whole volume; what is no full sector stays unused
	SectorSize    int    // logical sector size of the disk in bytes: 512 or 4096
	HiddenSectors uint32 // sectors of the disk in front of the volume
	Serial        uint32 // volume serial number
	Label         string // at most 11 bytes of upper case ASCII
	// Modified is the time stamp of everything; its wall clock is stored as it is.
	// From 1980 to 2107, with a resolution of two seconds.
	Modified time.Time
}

// Usage says how full a volume has become.
type Usage struct {
	ClusterBytes int64 `json:"clusterBytes"`
	Clusters     int64 `json:"clusters"`
	UsedClusters int64 `json:"usedClusters"`
}

// volume is a volume that is being planned and written.
type volume struct {
	geometry
	label    shortName
	serial   uint32
	hidden   uint32
	modified time.Time
	root     *node
	used     int64
}

// Create writes a fresh FAT32 volume that holds files. The content is planned
// first, every file contiguous, so that names that cannot be stored and files that do
// not fit are reported before anything is written. Equal arguments give equal
// bytes, in whatever order the files come.
//
// All of the reserved area, both FATs and all directories are written; the free
// clusters and the ends of the last clusters of files are left as they were.
func Create(w io.WriterAt, opts Options, files []File) (Usage, error) {
	v, err := plan(opts, files)
	if err != nil {
		return Usage{}, fmt.Errorf("create FAT32 volume: %w", err)
	}
	for _, write := range []func(io.WriterAt) error{v.writeReserved, v.writeFATs, v.writeTree} {
		if err := write(w); err != nil {
			return Usage{}, fmt.Errorf("create FAT32 volume: %w", err)
		}
	}
	return Usage{ClusterBytes: v.clusterBytes(), Clusters: v.clusters, UsedClusters: v.used}, nil
}

func plan(opts Options, files []File) (*volume, error) {
	g, err := newGeometry(opts.SizeBytes, opts.SectorSize)
	if err != nil {
		return nil, err
	}
	label, err := checkLabel(opts.Label)
	if err != nil {
		return nil, err
	}
	if y := opts.Modified.Year(); y < 1980 || y > 2107 {
		return nil, fmt.Errorf("time stamp %v is not from 1980 to 2107", opts.Modified)
	}
	root, err := newTree(files)
	if err != nil {
		return nil, err
	}
	v := &volume{
		geometry: g, label: label, serial: opts.Serial, hidden: opts.HiddenSectors,
		modified: opts.Modified, root: root,
	}
	return v, v.allocate()
}

func checkLabel(label string) (shortName, error) {
	if label == "" || len(label) > len(shortName{}) || oem(label) != label {
		return shortName{}, fmt.Errorf("volume label %q is not 1 to 11 characters of A-Z, 0-9, _ or -", label)
	}
	n := pack("", "")
	copy(n[:], label)
	return n, nil
}

// allocate gives every node its clusters, one after the other from the root
// directory on.
func (v *volume) allocate() error {
	next := int64(rootCluster)
	err := v.root.walk(func(n *node) error {
		size := n.file.Size
		if n.dir {
			count, err := n.countEntries()
			if err != nil {
				return err
			}
			size = int64(count) * direntBytes
		}
		if n.clusters = v.clustersFor(size); n.clusters > 0 {
			n.first = uint32(min(next, maxClusters))
			next += n.clusters
		}
		return nil
	})
	if err != nil {
		return err
	}
	if v.used = next - rootCluster; v.used > v.clusters {
		return fmt.Errorf("%w: they need %d MiB, there are %d MiB", ErrNoSpace,
			ceilDiv(v.used*v.clusterBytes(), 1<<20), v.clusters*v.clusterBytes()>>20)
	}
	return nil
}

// writeFATs writes both FATs in full.
func (v *volume) writeFATs(w io.WriterAt) error {
	for i := range int64(fatCopies) {
		out := bufio.NewWriterSize(io.NewOffsetWriter(w, v.fatOffset(i)), 64<<10)
		put := func(n uint32) { // an error stays in out until Flush
			_, _ = out.Write(binary.LittleEndian.AppendUint32(out.AvailableBuffer(), n))
		}
		put(fatEntry0)
		put(fatEntry1)
		next := uint32(rootCluster)
		_ = v.root.walk(func(n *node) error {
			for left := n.clusters; left > 0; left-- {
				next++
				if left == 1 {
					put(endOfChain)
				} else {
					put(next)
				}
			}
			return nil
		})
		for n := rootCluster + v.used; n < v.fatSectors*v.sectorBytes/entryBytes; n++ {
			put(0)
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("write FAT %d: %w", i, err)
		}
	}
	return nil
}

// writeTree writes directories and files.
func (v *volume) writeTree(w io.WriterAt) error {
	buf := make([]byte, 1<<20)
	return v.root.walk(func(n *node) error {
		if n.dir {
			if _, err := w.WriteAt(v.encodeDirectory(n), v.clusterOffset(n.first)); err != nil {
				return fmt.Errorf("write directory %q: %w", n.name, err)
			}
			return nil
		}
		if err := v.writeFile(w, n, buf); err != nil {
			return fmt.Errorf("write %s: %w", n.file.Path, err)
		}
		return nil
	})
}

// writeFile copies the content, which must have the announced size.
func (v *volume) writeFile(w io.WriterAt, n *node, buf []byte) (err error) {
	in, err := n.file.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	off := v.clusterOffset(n.first)
	for left := n.file.Size; left > 0; {
		chunk := buf[:min(left, int64(len(buf)))]
		if _, err := io.ReadFull(in, chunk); err != nil {
			return fmt.Errorf("content ends %d bytes early: %w", left, err)
		}
		if _, err := w.WriteAt(chunk, off); err != nil {
			return err
		}
		off += int64(len(chunk))
		left -= int64(len(chunk))
	}
	switch extra, err := in.Read(buf[:1]); {
	case extra != 0:
		return fmt.Errorf("content goes on behind its %d bytes", n.file.Size)
	case err != nil && err != io.EOF:
		return err
	}
	return nil
}
