package uefi

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Append makes a new path: the nodes of p, then the given ones, then the end
// node. It fails if a node or the whole is too long.
func (p DevicePath) Append(nodes ...Node) (DevicePath, error) {
	var out DevicePath
	for _, n := range append(p.Nodes(), nodes...) {
		size := nodeHeader + len(n.Data)
		if size > math.MaxUint16 || len(out)+size+nodeHeader > maxDevicePathBytes {
			return nil, fmt.Errorf("build device path: more than %d bytes", maxDevicePathBytes)
		}
		if n.Type == typeEnd && n.SubType == subEndEntire {
			return nil, fmt.Errorf("build device path: an end node among the others")
		}
		out = append(out, n.Type, n.SubType)
		out = binary.LittleEndian.AppendUint16(out, uint16(size))
		out = append(out, n.Data...)
	}
	return append(out, typeEnd, subEndEntire, nodeHeader, 0), nil
}

// AppendFile appends a File Path node: the file, named with slashes or
// backslashes from the root of its volume, on the device of p.
func (p DevicePath) AppendFile(name string) (DevicePath, error) {
	return p.Append(FileNode(name))
}

// FileNode is a File Path node; slashes become backslashes, and a path that does
// not begin with one gets it.
func FileNode(name string) Node {
	path := `\` + strings.TrimLeft(strings.ReplaceAll(name, "/", `\`), `\`)
	return Node{typeMedia, subMediaFilePath, putUnits(nil, encodeUCS2(path))}
}

// VendorMediaNode is a Vendor-Defined media node (UEFI 2.10 §10.3.5.3).
func VendorMediaNode(vendor GUID, data []byte) Node {
	return Node{typeMedia, subMediaVendor, append(vendor[:], data...)}
}

// Node is the partition as a Hard Drive node.
func (h HardDrive) Node() Node {
	b := make([]byte, 0, hardDriveSize)
	b = binary.LittleEndian.AppendUint32(b, h.PartitionNumber)
	b = binary.LittleEndian.AppendUint64(b, h.StartLBA)
	b = binary.LittleEndian.AppendUint64(b, h.SizeLBA)
	b = append(b, h.Signature[:]...)
	return Node{typeMedia, subMediaHardDrive, append(b, h.Format, h.SignatureType)}
}
