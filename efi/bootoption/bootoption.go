// Package bootoption is the boot option of UEFI, the content of the variables Boot####
// (UEFI 2.10 §3.1.3), as an installer needs it: a file on a partition of a disk with a GPT,
// under a title. It also decides how the variables change when such an option is registered.
//
// The package is pure: reading and writing variables is left to others. Boot options of any
// kind, as the firmware's side meets them, are package uefi's.
package bootoption

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/rayos/rayboot/gpt"
)

// active is LOAD_OPTION_ACTIVE: the firmware tries the option by itself.
const active = 1

// Types and sub-types of device path nodes (UEFI 2.10 §10.3).
const (
	typeMedia     = 4
	typeEnd       = 0x7f
	subHardDrive  = 1
	subFilePath   = 4
	subEndEntire  = 0xff
	formatGPT     = 2
	signatureGUID = 2

	nodeHeaderBytes   = 4
	optionHeaderBytes = 6
	hardDriveBytes    = 38
)

// ErrFormat says that a variable is not a boot option.
var ErrFormat = errors.New("not a boot option")

// Partition names a partition as a Hard Drive node does (UEFI 2.10 §10.3.5.1).
type Partition struct {
	Number            uint32   // in the table, from 1
	StartLBA, SizeLBA uint64   // in logical sectors of the disk
	ID                gpt.GUID // PARTUUID
}

// Option is a boot option.
type Option struct {
	Active    bool
	Title     string
	Partition Partition // zero where the option does not begin with a partition of a GPT
	Path      string    // of the file, with backslashes, from the root; empty where there is none
	Data      []byte    // passed to the program
}

// Encode is the option in its binary form. The path of the device is the short form that
// begins with the partition, which firmware finds on whatever controller the disk hangs.
func (o Option) Encode() ([]byte, error) {
	if strings.ContainsRune(o.Title, 0) || strings.ContainsRune(o.Path, 0) || o.Path == "" {
		return nil, errors.New("encode boot option: its title or its path cannot be stored")
	}
	le := binary.LittleEndian
	drive := le.AppendUint32(nil, o.Partition.Number)
	drive = le.AppendUint64(drive, o.Partition.StartLBA)
	drive = le.AppendUint64(drive, o.Partition.SizeLBA)
	drive = append(append(drive, o.Partition.ID[:]...), formatGPT, signatureGUID)
	file := encodeText(o.Path)
	if len(file) > math.MaxUint16/2 {
		return nil, fmt.Errorf("encode boot option: its path has %d bytes", len(file))
	}
	path := slices.Concat(node(typeMedia, subHardDrive, drive), node(typeMedia, subFilePath, file), node(typeEnd, subEndEntire, nil))
	var attributes uint32
	if o.Active {
		attributes = active
	}
	b := le.AppendUint32(nil, attributes)
	b = le.AppendUint16(b, uint16(len(path)))
	return slices.Concat(b, encodeText(o.Title), path, o.Data), nil
}

func node(kind, subtype byte, data []byte) []byte {
	n := []byte{kind, subtype}
	return append(binary.LittleEndian.AppendUint16(n, uint16(nodeHeaderBytes+len(data))), data...)
}

// encodeText is text in UTF-16 with a final NUL.
func encodeText(s string) (b []byte) {
	for _, unit := range append(utf16.Encode([]rune(s)), 0) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// Decode reads a boot option of whatever kind. What it does not know of the path of the
// device it passes over. It shares no memory with b.
func Decode(b []byte) (Option, error) {
	if len(b) < optionHeaderBytes {
		return Option{}, fmt.Errorf("%w: %d bytes are too few", ErrFormat, len(b))
	}
	o := Option{Active: binary.LittleEndian.Uint32(b)&active != 0}
	pathBytes := int(binary.LittleEndian.Uint16(b[4:]))
	title, rest, ok := cutText(b[optionHeaderBytes:])
	if !ok || pathBytes > len(rest) {
		return Option{}, fmt.Errorf("%w: its title or its path has no end", ErrFormat)
	}
	o.Title = title
	if err := o.decodePath(rest[:pathBytes]); err != nil {
		return Option{}, err
	}
	if data := rest[pathBytes:]; len(data) > 0 {
		o.Data = slices.Clone(data)
	}
	return o, nil
}

// decodePath looks at the first path; others, if any, say nothing of what is started.
func (o *Option) decodePath(path []byte) error {
	for first := true; len(path) > 0; first = false {
		if len(path) < nodeHeaderBytes {
			return fmt.Errorf("%w: its path ends within a node", ErrFormat)
		}
		size := int(binary.LittleEndian.Uint16(path[2:]))
		if size < nodeHeaderBytes || size > len(path) {
			return fmt.Errorf("%w: a node of its path has %d bytes, of %d", ErrFormat, size, len(path))
		}
		kind, subtype, data := path[0], path[1], path[nodeHeaderBytes:size]
		path = path[size:]
		switch {
		case kind == typeEnd && subtype == subEndEntire:
			return nil
		case first && kind == typeMedia && subtype == subHardDrive:
			o.Partition = decodeHardDrive(data)
		case kind == typeMedia && subtype == subFilePath:
			text, _, _ := cutText(data)
			o.Path += text
		}
	}
	return nil
}

func decodeHardDrive(b []byte) Partition {
	if len(b) != hardDriveBytes || b[36] != formatGPT || b[37] != signatureGUID {
		return Partition{}
	}
	le := binary.LittleEndian
	return Partition{Number: le.Uint32(b), StartLBA: le.Uint64(b[4:]), SizeLBA: le.Uint64(b[12:]), ID: gpt.GUID(b[20:36])}
}

// cutText reads text in UTF-16 up to its NUL, which ok says that there is.
func cutText(b []byte) (text string, rest []byte, ok bool) {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		unit := binary.LittleEndian.Uint16(b)
		if unit == 0 {
			return string(utf16.Decode(units)), b[2:], true
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units)), b, false
}
