package uefi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// LoadOptionAttr are the attributes of a load option (UEFI 2.10 §3.1.3).
type LoadOptionAttr uint32

// Attributes of load options.
const (
	LoadOptionActive         LoadOptionAttr = 0x0001
	LoadOptionForceReconnect LoadOptionAttr = 0x0002
	LoadOptionHidden         LoadOptionAttr = 0x0008
)

// LoadOption is EFI_LOAD_OPTION, the contents of the variables Boot####
// (UEFI 2.10 §3.1.3).
type LoadOption struct {
	Attributes   LoadOptionAttr
	Description  string
	FilePaths    []DevicePath // the first is what is loaded
	OptionalData []byte       // passed to the image
}

// ParseLoadOption decodes a load option. It shares no memory with b.
func ParseLoadOption(b []byte) (LoadOption, error) {
	if len(b) < 6 {
		return LoadOption{}, fmt.Errorf("parse load option: %d bytes are too few", len(b))
	}
	o := LoadOption{Attributes: LoadOptionAttr(binary.LittleEndian.Uint32(b))}
	pathBytes := int(binary.LittleEndian.Uint16(b[4:]))
	units := getUnits(b[6:])
	end := slices.Index(units, 0)
	if end < 0 {
		return LoadOption{}, errors.New("parse load option: description has no end")
	}
	o.Description = decodeUCS2(units[:end])
	rest := b[6+2*(end+1):]
	if pathBytes > len(rest) {
		return LoadOption{}, fmt.Errorf("parse load option: %d bytes of file paths in %d", pathBytes, len(rest))
	}
	for paths := rest[:pathBytes]; len(paths) > 0; {
		p, err := ParseDevicePath(paths)
		if err != nil {
			return LoadOption{}, fmt.Errorf("parse load option: %w", err)
		}
		o.FilePaths = append(o.FilePaths, slices.Clone(p))
		paths = paths[len(p):]
	}
	if data := rest[pathBytes:]; len(data) > 0 {
		o.OptionalData = slices.Clone(data)
	}
	return o, nil
}

// Encode is the binary form. It fails if the paths are not well formed or take
// more than 65,535 bytes.
func (o LoadOption) Encode() ([]byte, error) {
	var paths []byte
	for _, p := range o.FilePaths {
		if _, err := ParseDevicePath(p); err != nil {
			return nil, fmt.Errorf("encode load option: %w", err)
		}
		paths = append(paths, p...)
	}
	if len(paths) > math.MaxUint16 {
		return nil, fmt.Errorf("encode load option: file paths take %d bytes, more than %d", len(paths), math.MaxUint16)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(o.Attributes))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(paths)))
	b = putUnits(b, encodeUCS2(o.Description))
	return append(append(b, paths...), o.OptionalData...), nil
}
