package uefi

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// maxDevicePathBytes bounds a device path, which in practice has some 100 bytes.
const maxDevicePathBytes = 16 << 10

// nodeHeader is the size of EFI_DEVICE_PATH_PROTOCOL: type, sub-type, length.
const nodeHeader = 4

// Types of device path nodes and the sub-types used here (UEFI 2.10 §10.3).
const (
	typeHardware  = 0x01
	typeACPI      = 0x02
	typeMessaging = 0x03
	typeMedia     = 0x04
	typeEnd       = 0x7f

	subMediaHardDrive = 0x01
	subMediaVendor    = 0x03
	subMediaFilePath  = 0x04
	subEndInstance    = 0x01
	subEndEntire      = 0xff
)

// DevicePath is a device path in its binary form, from the first node to the
// final End Entire Device Path node (UEFI 2.10 §10.2). The paths that this package
// returns are well formed; the zero value is the empty path, which has no bytes.
type DevicePath []byte

// Node is one node of a device path. Data is what follows the node's header.
type Node struct {
	Type, SubType byte
	Data          []byte
}

// ParseDevicePath cuts the device path off the start of b: all nodes up to the
// first End Entire Device Path node. It shares memory with b.
func ParseDevicePath(b []byte) (DevicePath, error) {
	for offset := 0; ; {
		size, err := nodeSize(b[offset:])
		if err != nil {
			return nil, fmt.Errorf("parse device path: node at byte %d: %w", offset, err)
		}
		typ, sub := b[offset], b[offset+1]
		offset += size
		if offset > maxDevicePathBytes {
			return nil, fmt.Errorf("parse device path: more than %d bytes", maxDevicePathBytes)
		}
		if typ == typeEnd && sub == subEndEntire {
			return DevicePath(b[:offset:offset]), nil
		}
	}
}

// nodeSize checks the header of the node at the start of b.
func nodeSize(b []byte) (int, error) {
	if len(b) < nodeHeader {
		return 0, errors.New("path ends without an end node")
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if size < nodeHeader || size > len(b) {
		return 0, fmt.Errorf("length %d is not within %d to %d", size, nodeHeader, len(b))
	}
	if b[0] == typeEnd && b[1] == subEndEntire && size != nodeHeader {
		return 0, fmt.Errorf("end node has length %d instead of %d", size, nodeHeader)
	}
	return size, nil
}

// devicePathAt copies the device path at an address in firmware memory, looking
// at no more bytes than its nodes claim and the bound allows.
func devicePathAt(addr uintptr) (DevicePath, error) {
	if addr == 0 {
		return nil, nil
	}
	for size := 0; size+nodeHeader <= maxDevicePathBytes; {
		header := raw.Bytes(addr+uintptr(size), nodeHeader)
		length := int(binary.LittleEndian.Uint16(header[2:]))
		if length < nodeHeader {
			return nil, fmt.Errorf("parse device path: node at byte %d: length %d is less than %d", size, length, nodeHeader)
		}
		if header[0] == typeEnd && header[1] == subEndEntire {
			return ParseDevicePath(append([]byte(nil), raw.Bytes(addr, size+nodeHeader)...))
		}
		size += length
	}
	return nil, fmt.Errorf("parse device path: more than %d bytes", maxDevicePathBytes)
}

// DevicePath is the device path of a handle.
func (s *System) DevicePath(h Handle) (DevicePath, error) {
	addr, err := s.protocol(h, DevicePathProtocol)
	if err != nil {
		return nil, fmt.Errorf("get device path of handle %#x: %w", uintptr(h), err)
	}
	p, err := devicePathAt(addr)
	if err != nil {
		return nil, fmt.Errorf("get device path of handle %#x: %w", uintptr(h), err)
	}
	return p, nil
}

// Nodes are the nodes without the final end node. They share the path's memory. A
// path that is not well formed has none.
func (p DevicePath) Nodes() []Node {
	well, err := ParseDevicePath(p)
	if err != nil {
		return nil
	}
	var nodes []Node
	for len(well) > nodeHeader {
		size := int(binary.LittleEndian.Uint16(well[2:]))
		nodes = append(nodes, Node{well[0], well[1], well[nodeHeader:size:size]})
		well = well[size:]
	}
	return nodes
}

// HardDrive is a partition as a Hard Drive media node names it
// (UEFI 2.10 §10.3.5.1).
type HardDrive struct {
	PartitionNumber uint32 // 1 is the first
	StartLBA        uint64 // in blocks of the disk
	SizeLBA         uint64
	Signature       [16]byte // the GPT's unique partition GUID, or an MBR signature in 4 bytes
	Format          uint8    // 1 MBR, 2 GPT
	SignatureType   uint8    // 0 none, 1 MBR signature, 2 GUID
}

// GUID is the unique GUID of a GPT partition; false for other partitions.
func (h HardDrive) GUID() (GUID, bool) { return GUID(h.Signature), h.SignatureType == 2 }

const hardDriveSize = 38

// HardDrive finds the last Hard Drive node; false if there is none.
func (p DevicePath) HardDrive() (HardDrive, bool) {
	nodes := p.Nodes()
	for i := len(nodes) - 1; i >= 0; i-- {
		if hd, ok := nodes[i].hardDrive(); ok {
			return hd, true
		}
	}
	return HardDrive{}, false
}

func (n Node) hardDrive() (HardDrive, bool) {
	if n.Type != typeMedia || n.SubType != subMediaHardDrive || len(n.Data) != hardDriveSize {
		return HardDrive{}, false
	}
	return HardDrive{
		PartitionNumber: binary.LittleEndian.Uint32(n.Data),
		StartLBA:        binary.LittleEndian.Uint64(n.Data[4:]),
		SizeLBA:         binary.LittleEndian.Uint64(n.Data[12:]),
		Signature:       [16]byte(n.Data[20:36]),
		Format:          n.Data[36],
		SignatureType:   n.Data[37],
	}, true
}

// FilePath is the path in the File Path nodes, which follow each other with a
// backslash between them; empty if there is none (UEFI 2.10 §10.3.5.4).
func (p DevicePath) FilePath() string {
	path := ""
	for _, n := range p.Nodes() {
		if n.Type == typeMedia && n.SubType == subMediaFilePath {
			path = joinFilePath(path, DecodeUTF16(n.Data))
		}
	}
	return path
}

func joinFilePath(a, b string) string {
	switch {
	case a == "" || b == "":
		return a + b
	case a[len(a)-1] == '\\' && b[0] == '\\':
		return a + b[1:]
	case a[len(a)-1] != '\\' && b[0] != '\\':
		return a + `\` + b
	}
	return a + b
}
