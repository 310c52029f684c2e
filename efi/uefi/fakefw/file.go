package fakefw

import (
	"bytes"
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
		SetPosition: method("SetPosition", fileSetPosition), GetInfo: method("GetInfo", fileGetInfo),
		Flush: method("Flush", fileFlush),
	}
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
	case mode != raw.FileModeRead && mode != raw.FileModeRead|raw.FileModeWrite:
		return uefi.ErrInvalidParameter
	case n == nil:
		return uefi.ErrNotFound
	case mode&raw.FileModeWrite != 0 && f.volume.readOnly:
		return uefi.ErrWriteProtected
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
	end := f.position + uint64(len(data))
	if missing := int(end) - len(f.node.data); missing > 0 {
		f.node.data = append(f.node.data, bytes.Repeat([]byte{0}, missing)...)
	}
	copy(f.node.data[f.position:], data)
	f.position, f.node.flushed = end, false
	return uefi.Success
}

func fileSetPosition(f *openFile, args []uintptr) uefi.Status {
	f.position = uint64(args[1])
	if f.position == ^uint64(0) {
		f.position = f.node.size()
	}
	return uefi.Success
}

// fileInfoID is EFI_FILE_INFO_ID.
var fileInfoID = uefi.MustParseGUID("09576e92-6d3f-11d2-8e39-00a0c969723b")

func fileGetInfo(f *openFile, args []uintptr) uefi.Status {
	if guidAt(args[1]) != fileInfoID {
		return uefi.ErrUnsupported
	}
	size := raw.At[uintptr](args[2])
	return answer(raw.Bytes(args[3], int(*size)), size, f.node.info(f.volume.readOnly))
}

func fileFlush(f *openFile, _ []uintptr) uefi.Status {
	f.node.flushed = true
	return uefi.Success
}
