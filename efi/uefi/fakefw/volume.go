package fakefw

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Files are files by their names with slashes. Directories come with the files
// in them; an empty one is a name with a slash at the end.
type Files map[string]string

// Volume is a partition with a file system, which finds names in either case as
// FAT does.
type Volume struct {
	*Partition
	root     *node
	readOnly bool
}

// node is a file or a directory.
type node struct {
	name     string
	dir      bool
	data     []byte
	children []*node
	claimed  int64 // size that the file claims, -1 for the true one
	flushed  bool  // since the last write
}

// Format puts a file system with files on the partition. The first volume of a
// machine is where the program was loaded from.
func (p *Partition) Format(files Files) *Volume {
	v := &Volume{Partition: p, root: &node{dir: true, claimed: -1}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		v.WriteFile(name, []byte(files[name]))
	}
	fw := p.Disk.fw
	addr, _ := place(fw, raw.SimpleFileSystemProtocol{Revision: 0x10000, OpenVolume: fw.register("OpenVolume", func(args []uintptr) uefi.Status {
		*raw.At[uintptr](args[1]) = fw.newOpenFile(v, v.root, raw.FileModeRead)
		return uefi.Success
	})})
	fw.handle(uintptr(p.Handle)).install(uefi.SimpleFileSystemProtocol, addr)
	if fw.appRecord.DeviceHandle == 0 {
		fw.BootFrom(p, `\EFI\BOOT\BOOTX64.EFI`)
	}
	return v
}

// SetReadOnly makes the volume refuse to be written.
func (v *Volume) SetReadOnly() { v.readOnly = true }

// WriteFile makes or replaces a file with the directories above it; a name with
// a slash at the end is a directory.
func (v *Volume) WriteFile(name string, data []byte) {
	n := v.root
	parts := strings.Split(name, "/")
	for i, part := range parts {
		if part == "" {
			return
		}
		next := n.child(part)
		if next == nil {
			next = &node{name: part, dir: i < len(parts)-1, claimed: -1, flushed: true}
			n.children = append(n.children, next)
		}
		n = next
	}
	n.data = append([]byte(nil), data...)
}

// ReadFile returns what is in a file now. It panics if there is none, and if the
// file was written and never flushed.
func (v *Volume) ReadFile(name string) []byte {
	n := v.find(v.root, name)
	if n == nil || n.dir {
		panic(fmt.Sprintf("fakefw: no file %s", name))
	}
	if !n.flushed {
		panic(fmt.Sprintf("fakefw: %s was written but not flushed", name))
	}
	return append([]byte(nil), n.data...)
}

// Remove takes a file or a directory away.
func (v *Volume) Remove(name string) {
	parent, base := v.root, name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		parent, base = v.find(v.root, name[:i]), name[i+1:]
	}
	parent.children = slices.DeleteFunc(parent.children, func(n *node) bool { return strings.EqualFold(n.name, base) })
}

// ClaimSize makes a file claim a size that it does not have.
func (v *Volume) ClaimSize(name string, size int64) { v.find(v.root, name).claimed = size }

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

// find resolves a name with slashes; nil if there is nothing.
func (v *Volume) find(from *node, name string) *node {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." {
			continue
		}
		if from = from.child(part); from == nil {
			return nil
		}
	}
	return from
}

// size is what the file claims.
func (n *node) size() uint64 {
	if n.claimed >= 0 {
		return uint64(n.claimed)
	}
	return uint64(len(n.data))
}

// info is the node's EFI_FILE_INFO with its name.
func (n *node) info(readOnly bool) []byte {
	name := append(encodeUnits(n.name), 0, 0)
	r := raw.FileInfo{
		Size: uint64(raw.SizeOf[raw.FileInfo]()) + uint64(len(name)), FileSize: n.size(), PhysicalSize: (n.size() + 511) &^ 511,
		CreateTime: rawTime(start), LastAccessTime: rawTime(start), ModificationTime: rawTime(start),
	}
	if n.dir {
		r.FileSize, r.PhysicalSize = 0, 0
		r.Attribute |= raw.FileDirectory
	}
	if readOnly {
		r.Attribute |= raw.FileReadOnly
	}
	return append(raw.Encode(&r), name...)
}
