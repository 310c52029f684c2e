package ext4

import (
	"fmt"
	"math/bits"
)

// Extent is a range of bytes.
type Extent struct{ OffsetBytes, LengthBytes int64 }

// granule is the unit in which [FS.Used] tells what is in use: some bytes more are
// copied, and the list stays short.
const granule = 64 << 10

// maxBytes bounds the file systems for which the map of granules is made.
const maxBytes = 64 << 40

// Used returns what has to be copied for a copy of the file system, in order: all blocks
// in use, but of the tables of inodes only what was written. For a file system that has
// something left in its journal, or a feature that this package does not know, that is all of it:
// what its maps say is not all that counts then.
func (f *FS) Used() ([]Extent, error) {
	if f.SizeBytes > maxBytes {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d can be copied", ErrUnsupported, f.SizeBytes, int64(maxBytes))
	}
	if !f.Clean || f.incompat&^incompatKnown != 0 || f.ro&roBigalloc != 0 {
		return []Extent{{0, f.SizeBytes}}, nil
	}
	u := &usage{fs: f, granules: make([]uint64, (f.SizeBytes+64*granule-1)/(64*granule))}
	u.mark(0, f.first+1) // what lies before group 0, too
	var groups []group
	for n := range f.groups() {
		g, err := f.group(n)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	u.findUnwritten(groups)
	for n, g := range groups {
		if err := u.group(int64(n), g); err != nil {
			return nil, err
		}
	}
	return u.extents(), nil
}

// usage collects what is in use.
type usage struct {
	fs        *FS
	granules  []uint64        // a bit for each
	unwritten map[int64]int64 // block in a table of inodes that was not written -> end of these
}

// mark adds blocks.
func (u *usage) mark(from, to int64) {
	for g := from * u.fs.block / granule; g*granule < to*u.fs.block; g++ {
		u.granules[g/64] |= 1 << (g % 64)
	}
}

// findUnwritten notes the parts of tables of inodes that hold anything, as nothing was
// written there yet; the kernel does when it needs them. Where a group says that they are
// zero, they have to be.
func (u *usage) findUnwritten(groups []group) {
	f := u.fs
	u.unwritten = make(map[int64]int64)
	for _, g := range groups {
		if g.flags&tableZeroed != 0 {
			continue
		}
		written := ((f.inodesPG-g.unusedInodes)*f.inodeBytes + f.block - 1) / f.block
		if end := g.inodeTable + f.tableBlocks(); g.inodeTable+written < end {
			u.unwritten[g.inodeTable+written] = end
		}
	}
}

// group adds the blocks in use of a group.
func (u *usage) group(n int64, g group) error {
	f := u.fs
	start := f.first + n*f.perGroup
	count := min(f.perGroup, f.blocks-start)
	if g.flags&blocksUninit != 0 {
		if f.hasBackup(n) {
			table := (f.groups()*f.descBytes + f.block - 1) / f.block
			u.mark(start, start+min(count, 1+table+f.reserved))
		}
		return nil
	}
	bitmap := make([]byte, f.block)
	if _, err := f.r.ReadAt(bitmap, g.blockBitmap*f.block); err != nil {
		return fmt.Errorf("read the block bitmap of group %d: %w", n, err)
	}
	for i := int64(0); i < count; {
		if end, ok := u.unwritten[start+i]; ok {
			i = end - start // maybe behind this group, which then has no more
			continue
		}
		if bitmap[i/8]&(1<<(i%8)) != 0 {
			u.mark(start+i, start+i+1)
		}
		i++
	}
	return nil
}

// hasBackup reports whether a group begins with a copy of superblock and descriptors.
func (f *FS) hasBackup(n int64) bool {
	switch {
	case n == 0:
		return true
	case f.compat&compatSparse2 != 0:
		return n == int64(f.backups[0]) || n == int64(f.backups[1])
	case f.ro&roSparseSuper == 0 || n == 1:
		return true
	}
	for _, base := range []int64{3, 5, 7} {
		p := base
		for p < n {
			p *= base
		}
		if p == n {
			return true
		}
	}
	return false
}

// extents lists what was marked.
func (u *usage) extents() (list []Extent) {
	for i, word := range u.granules {
		for word != 0 {
			bit := bits.TrailingZeros64(word)
			word &= word - 1
			at := (int64(i)*64 + int64(bit)) * granule
			length := min(granule, u.fs.SizeBytes-at)
			if n := len(list); n > 0 && list[n-1].OffsetBytes+list[n-1].LengthBytes == at {
				list[n-1].LengthBytes += length
			} else {
				list = append(list, Extent{at, length})
			}
		}
	}
	return list
}
