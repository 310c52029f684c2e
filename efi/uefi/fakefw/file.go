package fakefw

import (
	"strings"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// openFile is an open EFI_FILE_PROTOCOL.
type openFile struct {
	volume   *Volume
	node     *node
	mode     uint64
	position uint64 // in bytes, for a directory in entries
}

// newOpenFile makes a protocol for a node.
func (fw *Firmware) newOpenFile(v *Volume, n *node, mode uint64) uintptr {
	addr := fw.newPool(nil)
	*raw.At[raw.FileProtocol](addr) = fw.files
	fw.openFiles[addr] = &openFile{volume: v, node: n, mode: mode}
	return addr
}

// fileProtocol is the same for all files: its functions find them by address.
func (fw *Firmware) fileProtocol() raw.FileProtocol {
	method := func(name string, f func(file *openFile, args []uintptr) uefi.Status) uintptr {
		return fw.register("File."+name, func(args []uintptr) uefi.Status {
			file := fw.openFiles[args[0]]
			if file == nil {
				panic("fakefw: File." + name + " on a file that is not open")
			}
			return f(file, args)
		})
	}
	return raw.FileProtocol{
		Revision: 0x10000,
		Open:     method("Open", fw.fileOpen), Close: method("Close", fw.fileClose),
		Read: method("Read", fw.fileRead), Write: method("Write", fw.fileWrite),
		SetPosition: method("SetPosition", fileSetPosition),
		GetInfo:     method("GetInfo", fileGetInfo), SetInfo: method("SetInfo", fileSetInfo),
		Flush: method("Flush", fileFlush), Delete: method("Delete", fw.fileDelete),
	}
}

// openModes are those that the specification allows.
var openModes = map[uint64]bool{
	raw.FileModeRead: true, raw.FileModeRead | raw.FileModeWrite: true,
	raw.FileModeRead | raw.FileModeWrite | raw.FileModeCreate: true,
}

func (fw *Firmware) fileOpen(f *openFile, args []uintptr) uefi.Status {
	mode := uint64(args[3])
	name := strings.ReplaceAll(textAt(args[2]), `\`, "/")
	from := f.node
	if strings.HasPrefix(name, "/") {
		from = f.volume.root
	}
	n := f.volume.find(from, name)
	switch {
	case !openModes[mode] || args[4] != 0:
		return uefi.ErrInvalidParameter
	case mode&raw.FileModeWrite != 0 && f.volume.readOnly:
		return uefi.ErrWriteProtected
	case n == nil && mode&raw.FileModeCreate != 0:
		if n = f.volume.create(from, name); n == nil {
			return uefi.ErrNotFound
		}
	case n == nil:
		return uefi.ErrNotFound
	}
	*raw.At[uintptr](args[1]) = fw.newOpenFile(f.volume, n, mode)
	return uefi.Success
}

func (fw *Firmware) fileClose(_ *openFile, args []uintptr) uefi.Status {
	delete(fw.openFiles, args[0])
	return fw.memory.free(fw.memory.pool, args[0])
}

func (fw *Firmware) fileRead(f *openFile, args []uintptr) uefi.Status {
	size := raw.At[uintptr](args[1])
	buffer := fw.deviceMemory("File.Read", args[2], *size)
	if f.node.dir {
		return f.readEntry(buffer, size)
	}
	if f.position > f.node.size() {
		return uefi.ErrDeviceError
	}
	n := 0
	if f.position < uint64(len(f.node.data)) {
		n = copy(buffer, f.node.data[f.position:])
	}
	f.position += uint64(n)
	*size = uintptr(n)
	return uefi.Success
}

// readEntry lists a directory, "." and ".." first where it is not the root.
func (f *openFile) readEntry(buffer []byte, size *uintptr) uefi.Status {
	list := f.node.children
	if f.node != f.volume.root {
		list = append([]*node{{name: ".", dir: true}, {name: "..", dir: true}}, list...)
	}
	if f.position >= uint64(len(list)) {
		*size = 0
		return uefi.Success
	}
	status := answer(buffer, size, list[f.position].info(f.volume.readOnly))
	if status == uefi.Success {
		f.position++
	}
	return status
}

// answer copies an answer to a buffer, or says how large that must be.
func answer(buffer []byte, size *uintptr, b []byte) uefi.Status {
	*size = uintptr(len(b))
	if len(buffer) < len(b) {
		return uefi.ErrBufferTooSmall
	}
	copy(buffer, b)
	return uefi.Success
}

func (fw *Firmware) fileWrite(f *openFile, args []uintptr) uefi.Status {
	size := raw.At[uintptr](args[1])
	data := fw.deviceMemory("File.Write", args[2], *size)
	if f.node.dir {
		return uefi.ErrUnsupported
	}
	if f.mode&raw.FileModeWrite == 0 {
		return uefi.ErrAccessDenied
	}
	// What fits is written even if not all does, as by a driver that allocates
	// while it goes.
	grown := f.volume.grow(f.node, int(f.position)+len(data))
	n := 0
	if f.position < uint64(len(f.node.data)) {
		n = copy(f.node.data[f.position:], data)
	}
	f.position, f.node.flushed = f.position+uint64(n), false
	*size = uintptr(n)
	if !grown {
		return uefi.ErrVolumeFull
	}
	return uefi.Success
}

func (fw *Firmware) fileDelete(f *openFile, args []uintptr) uefi.Status {
	status := uefi.Success
	switch {
	case f.mode&raw.FileModeWrite == 0, f.node.parent == nil, len(f.node.children) > 0:
		status = uefi.WarnDeleteFailure
	default:
		f.node.unlink()
	}
	if closed := fw.fileClose(f, args); closed != uefi.Success {
		return closed
	}
	return status
}

func fileSetPosition(f *openFile, args []uintptr) uefi.Status {
	f.position = uint64(args[1])
	if f.position == ^uint64(0) {
		f.position = f.node.size()
	}
	return uefi.Success
}

// Records that GetInfo and SetInfo exchange: EFI_FILE_INFO_ID and
// EFI_FILE_SYSTEM_INFO_ID.
var (
	fileInfoID       = uefi.MustParseGUID("09576e92-6d3f-11d2-8e39-00a0c969723b")
	fileSystemInfoID = uefi.MustParseGUID("09576e93-6d3f-11d2-8e39-00a0c969723b")
)

func fileGetInfo(f *openFile, args []uintptr) uefi.Status {
	size := raw.At[uintptr](args[2])
	buffer := raw.Bytes(args[3], int(*size))
	switch guidAt(args[1]) {
	case fileInfoID:
		return answer(buffer, size, f.node.info(f.volume.readOnly))
	case fileSystemInfoID:
		return answer(buffer, size, f.volume.info())
	}
	return uefi.ErrUnsupported
}

// fileSetInfo changes the name. Times of zero mean the old ones; anything else
// that would change is refused.
func fileSetInfo(f *openFile, args []uintptr) uefi.Status {
	b := raw.Bytes(args[3], int(args[2]))
	r, ok := raw.Decode[raw.FileInfo](b)
	old, _ := raw.Decode[raw.FileInfo](f.node.info(f.volume.readOnly))
	old.Size, old.CreateTime, old.LastAccessTime, old.ModificationTime = r.Size, raw.Time{}, raw.Time{}, raw.Time{}
	switch {
	case guidAt(args[1]) != fileInfoID:
		return uefi.ErrUnsupported
	case !ok || r.Size != uint64(len(b)):
		return uefi.ErrBadBufferSize
	case r != old:
		return uefi.ErrInvalidParameter
	case f.mode&raw.FileModeWrite == 0 || f.node.parent == nil:
		return uefi.ErrAccessDenied
	}
	name := uefi.DecodeUTF16(b[raw.SizeOf[raw.FileInfo]():])
	if other := f.node.parent.child(name); name == "" || strings.ContainsAny(name, illegal) || other != nil && other != f.node {
		return uefi.ErrAccessDenied
	}
	f.node.name, f.node.flushed = name, false
	return uefi.Success
}

func fileFlush(f *openFile, _ []uintptr) uefi.Status {
	f.node.flushed = true
	return uefi.Success
}
