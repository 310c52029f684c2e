package fat32

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// maxDepth bounds how deep directories may be nested, for writing and reading.
const maxDepth = 32

// maxDirBytes is the largest directory that FAT allows (FAT §6).
const maxDirBytes = 65536 * direntBytes

// File is one file of a volume to be made. The directories that its path
// needs are made as well.
type File struct {
	// Path is relative to the root, with slashes. A path which ends in a slash makes
	// a directory, which may stay empty; Size and Open are not used then.
	Path string
	// Size is the length in bytes, at most 4 GiB - 1.
	Size int64
	// Open opens the content, which must have exactly Size bytes.
	Open func() (io.ReadCloser, error)
}

// Bytes makes a File of content held in memory.
func Bytes(path string, content []byte) File {
	return File{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// node is a file or a directory of the planned volume.
type node struct {
	name     string
	dir      bool
	file     File
	parent   *node
	children []*node // sorted by name
	first    uint32  // first cluster, 0 where there is none
	clusters int64
}

// newTree arranges files in a tree whose order depends on the names only.
func newTree(files []File) (*node, error) {
	root := &node{dir: true}
	index := map[string]*node{"": root}
	for _, f := range files {
		if err := root.add(index, f); err != nil {
			return nil, err
		}
	}
	root.sort()
	return root, nil
}

func (root *node) add(index map[string]*node, f File) error {
	isDir := strings.HasSuffix(f.Path, "/")
	if !isDir && (f.Size < 0 || f.Size > math.MaxUint32) {
		return fmt.Errorf("add %s: %d bytes; a FAT32 file has at most 4 GiB - 1", f.Path, f.Size)
	}
	parts := strings.Split(strings.TrimSuffix(f.Path, "/"), "/")
	if len(parts) > maxDepth {
		return fmt.Errorf("add %s: more than %d directories deep", f.Path, maxDepth)
	}
	at, key := root, ""
	for i, name := range parts {
		key += "/" + fold(name)
		last := i == len(parts)-1
		next := index[key]
		switch {
		case next == nil:
			if err := checkName(name); err != nil {
				return fmt.Errorf("add %s: %w", f.Path, err)
			}
			next = &node{name: name, dir: !last || isDir, file: f, parent: at}
			at.children = append(at.children, next)
			index[key] = next
		case !next.dir || (last && !isDir):
			return fmt.Errorf("add %s: %w: there is another file or directory of that name", f.Path, ErrName)
		}
		at = next
	}
	return nil
}

func (n *node) sort() {
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(fold(a.name), fold(b.name)), cmp.Compare(a.name, b.name))
	})
	for _, c := range n.children {
		c.sort()
	}
}

// walk calls f for n and all below it, directories in front of their content.
func (n *node) walk(f func(*node) error) error {
	if err := f(n); err != nil {
		return err
	}
	for _, c := range n.children {
		if err := c.walk(f); err != nil {
			return err
		}
	}
	return nil
}
