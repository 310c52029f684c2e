package ext4

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Bounds of what is followed on a file system that anybody may have written.
const (
	maxLinks    = 8       // symbolic links on the way to a file
	maxDepth    = 5       // of a tree of extents
	maxDirBytes = 4 << 20 // of a directory
	maxExtents  = 1 << 16 // of a file
	maxName     = 4096    // of a path or a link
)

const rootInode = 2

// inode is a file, a directory or a link.
type inode struct {
	mode  uint16
	size  int64
	flags uint32
	body  []byte // the 60 bytes of i_block
}

const (
	modeType, modeDir, modeRegular, modeLink = 0xf000, 0x4000, 0x8000, 0xa000

	flagExtents, flagInline, flagEncrypted = 0x80000, 0x10000000, 0x800
)

// inode reads an inode.
func (f *FS) inode(n int64) (i inode, err error) {
	if n < 1 || n > f.inodes || (n-1)/f.inodesPG >= f.groups() {
		return i, fmt.Errorf("%w: inode %d of %d", ErrCorrupt, n, f.inodes)
	}
	g, err := f.group((n - 1) / f.inodesPG)
	if err != nil {
		return i, err
	}
	b := make([]byte, 128)
	if _, err := f.r.ReadAt(b, g.inodeTable*f.block+(n-1)%f.inodesPG*f.inodeBytes); err != nil {
		return i, fmt.Errorf("read inode %d: %w", n, err)
	}
	le := binary.LittleEndian
	i = inode{mode: le.Uint16(b), size: int64(le.Uint32(b[4:])) | int64(le.Uint32(b[0x6c:]))<<32, flags: le.Uint32(b[0x20:]), body: b[0x28:0x64]}
	if i.size < 0 {
		return i, fmt.Errorf("%w: inode %d has %d bytes", ErrCorrupt, n, i.size)
	}
	return i, nil
}

// Open opens a regular file by its path, such as "vmlinuz", through symbolic links, which
// cannot lead out of the file system. The error is [fs.ErrNotExist] where there is none.
func (f *FS) Open(name string) (*io.SectionReader, error) {
	i, err := f.walk(name)
	if err == nil && i.mode&modeType != modeRegular {
		err = fmt.Errorf("it is not a file: %w", fs.ErrInvalid)
	}
	var r *io.SectionReader
	if err == nil {
		r, err = f.content(i)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return r, nil
}

// walk finds what a path names.
func (f *FS) walk(name string) (inode, error) {
	parts, links := strings.Split(name, "/"), 0
	way := []int64{rootInode} // from the root to where we are
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			way = way[:max(1, len(way)-1)]
			continue
		}
		n, err := f.lookup(way[len(way)-1], part)
		if err != nil {
			return inode{}, err
		}
		i, err := f.inode(n)
		if err != nil {
			return inode{}, err
		}
		if i.mode&modeType != modeLink {
			way = append(way, n)
			continue
		}
		if links++; links > maxLinks {
			return inode{}, fmt.Errorf("%s: more than %d symbolic links: %w", part, maxLinks, fs.ErrInvalid)
		}
		target, err := f.link(i)
		if err != nil {
			return inode{}, err
		}
		if strings.HasPrefix(target, "/") {
			way = way[:1]
		}
		parts = append(strings.Split(target, "/"), parts...)
	}
	return f.inode(way[len(way)-1])
}

// link is where a symbolic link points to.
func (f *FS) link(i inode) (string, error) {
	if i.size > maxName {
		return "", fmt.Errorf("%w: a link of %d bytes", ErrCorrupt, i.size)
	}
	if i.flags&(flagExtents|flagInline) == 0 && i.size < int64(len(i.body)) {
		return string(i.body[:i.size]), nil
	}
	r, err := f.content(i)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// lookup finds a name in a directory. One with an index has all names in its blocks, too.
func (f *FS) lookup(dir int64, name string) (int64, error) {
	i, err := f.inode(dir)
	if err != nil {
		return 0, err
	}
	if i.mode&modeType != modeDir {
		return 0, fmt.Errorf("%s: what it would lie in is not a directory: %w", name, fs.ErrNotExist)
	}
	if i.size > maxDirBytes {
		return 0, fmt.Errorf("%w: a directory of %d bytes", ErrUnsupported, i.size)
	}
	r, err := f.content(i)
	if err != nil {
		return 0, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return 0, fmt.Errorf("read directory: %w", err)
	}
	le := binary.LittleEndian
	for len(b) >= 8 {
		length, nameLength := int(le.Uint16(b[4:])), int(b[6])
		if length < 8 || length > len(b) || 8+nameLength > length {
			return 0, fmt.Errorf("%w: a directory entry of %d bytes", ErrCorrupt, length)
		}
		if n := le.Uint32(b); n != 0 && string(b[8:8+nameLength]) == name {
			return int64(n), nil
		}
		b = b[length:]
	}
	return 0, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// content is what an inode holds.
func (f *FS) content(i inode) (*io.SectionReader, error) {
	if i.flags&(flagInline|flagEncrypted) != 0 || i.flags&flagExtents == 0 {
		return nil, fmt.Errorf("%w: files within inodes, encrypted ones, and those without extents", ErrUnsupported)
	}
	m := &mapped{fs: f}
	if err := m.tree(i.body, maxDepth); err != nil {
		return nil, err
	}
	return io.NewSectionReader(m, 0, i.size), nil
}

// mapped reads a file through its extents; what none of them has is zero.
type mapped struct {
	fs      *FS
	extents []mapping // in the order of the file
}

// mapping says where blocks of a file lie.
type mapping struct{ file, count, disk int64 }

// tree reads a node of the tree of extents.
func (m *mapped) tree(node []byte, depth int) error {
	le := binary.LittleEndian
	const size = 12
	entries, below := int(le.Uint16(node[2:])), le.Uint16(node[6:])
	if le.Uint16(node) != 0xf30a || (entries+1)*size > len(node) || depth < 0 {
		return fmt.Errorf("%w: a tree of extents", ErrCorrupt)
	}
	for e := node[size : (entries+1)*size]; len(e) > 0; e = e[size:] {
		if below == 0 {
			if err := m.add(e); err != nil {
				return err
			}
			continue
		}
		at := int64(le.Uint32(e[4:])) | int64(le.Uint16(e[8:]))<<32
		if at >= m.fs.blocks {
			return fmt.Errorf("%w: an extent at block %d of %d", ErrCorrupt, at, m.fs.blocks)
		}
		b := make([]byte, m.fs.block)
		if _, err := m.fs.r.ReadAt(b, at*m.fs.block); err != nil {
			return fmt.Errorf("read extents: %w", err)
		}
		if err := m.tree(b, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// add takes an extent.
func (m *mapped) add(e []byte) error {
	const unwritten = 1 << 15 // lengths above it: reserved, reads as zeros
	le := binary.LittleEndian
	x := mapping{file: int64(le.Uint32(e)), count: int64(le.Uint16(e[4:])), disk: int64(le.Uint32(e[8:])) | int64(le.Uint16(e[6:]))<<32}
	if x.count > unwritten {
		return nil
	}
	end := int64(0)
	if n := len(m.extents); n > 0 {
		end = m.extents[n-1].file + m.extents[n-1].count
	}
	if x.file < end || x.disk+x.count > m.fs.blocks || len(m.extents) >= maxExtents {
		return fmt.Errorf("%w: an extent of %d blocks at block %d of the file", ErrCorrupt, x.count, x.file)
	}
	m.extents = append(m.extents, x)
	return nil
}

// ReadAt implements [io.ReaderAt], without an end.
func (m *mapped) ReadAt(p []byte, off int64) (n int, err error) {
	clear(p)
	end := off + int64(len(p))
	for _, x := range m.extents {
		from, to := max(off, x.file*m.fs.block), min(end, (x.file+x.count)*m.fs.block)
		if from >= to {
			continue
		}
		if _, err := m.fs.r.ReadAt(p[from-off:to-off], x.disk*m.fs.block+from-x.file*m.fs.block); err != nil {
			return 0, fmt.Errorf("read byte %d: %w", from, err)
		}
	}
	return len(p), nil
}
