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
	capacity int // bytes that all files together can take up
}

// clusterBytes is what files take up a multiple of.
const clusterBytes = 512

// illegal are characters that names on FAT do not have.
const illegal = `\/:*?"<>|`

// node is a file or a directory.
type node struct {
	name     string
	parent   *node // nil in the root
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
	v.capacity = p.sizeBytes()
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

// Files returns what is on the volume now, as Format takes it.
func (v *Volume) Files() Files {
	files := make(Files)
	v.root.collect("", files)
	return files
}

func (n *node) collect(path string, files Files) {
	for _, c := range n.children {
		switch name := path + c.name; {
		case !c.dir:
			files[name] = string(c.data)
		case len(c.children) == 0:
			files[name+"/"] = ""
		default:
			c.collect(name+"/", files)
		}
	}
}

// SetReadOnly makes the volume refuse to be written.
func (v *Volume) SetReadOnly() { v.readOnly = true }

// SetFree leaves room on the volume for so many bytes, in whole clusters of 512.
func (v *Volume) SetFree(bytes int) { v.capacity = v.root.used() + bytes/clusterBytes*clusterBytes }

// free is how many bytes are free.
func (v *Volume) free() int { return v.capacity - v.root.used() }

// used is the room that the files from n down take up.
func (n *node) used() int {
	sum := clusters(len(n.data))
	for _, c := range n.children {
		sum += c.used()
	}
	return sum
}

func clusters(bytes int) int { return (bytes + clusterBytes - 1) / clusterBytes * clusterBytes }

// sizeBytes is the size of the partition.
func (p *Partition) sizeBytes() int {
	return int(p.Info.EndLBA-p.Info.StartLBA+1) * p.Disk.BlockSize
}

// grow makes a file at least size bytes long, as far as there is room, and
// reports whether there was.
func (v *Volume) grow(n *node, size int) bool {
	fits := min(size, clusters(len(n.data))+v.free())
	if missing := fits - len(n.data); missing > 0 {
		n.data = append(n.data, make([]byte, missing)...)
	}
	return fits == size
}

// create makes an empty file, nil if its directory does not exist or its name is
// none.
func (v *Volume) create(from *node, name string) *node {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		from, name = v.find(from, name[:i]), name[i+1:]
	}
	if from == nil || !from.dir || name == "" || strings.ContainsAny(name, illegal) {
		return nil
	}
	n := &node{name: name, parent: from, claimed: -1}
	from.children = append(from.children, n)
	return n
}

// unlink takes the node out of its directory.
func (n *node) unlink() {
	n.parent.children = slices.DeleteFunc(n.parent.children, func(c *node) bool { return c == n })
}

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
			next = &node{name: part, parent: n, dir: i < len(parts)-1, claimed: -1, flushed: true}
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
func (v *Volume) Remove(name string) { v.find(v.root, name).unlink() }

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

// info is the volume's EFI_FILE_SYSTEM_INFO with its label.
func (v *Volume) info() []byte {
	label := append(encodeUnits("ESP"), 0, 0)
	r := raw.FileSystemInfo{
		ReadOnly: toByte(v.readOnly), VolumeSize: uint64(v.sizeBytes()), FreeSpace: uint64(v.free()), BlockSize: clusterBytes,
	}
	b := raw.Encode(&r)[:36] // the Go struct includes the start of the label
	r.Size = uint64(len(b) + len(label))
	return append(raw.Encode(&r)[:len(b)], label...)
}
