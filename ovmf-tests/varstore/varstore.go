// Package varstore reads and extends the variable store of EDK2-based firmware, the file OVMF_VARS*.fd, so that a
// machine can start with a boot option of its own and a test can see what a machine has left in its variables.
//
// The format is that of EDK2's MdeModulePkg/Include/Guid/VariableFormat.h (authenticated variables) inside a firmware
// volume (PI 1.7, volume 3, §3.2.1). Only what is described there as of EDK2 stable202211 is accepted.
package varstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// Variable is one UEFI variable (UEFI 2.10 §8.2).
type Variable struct {
	Name       string
	Vendor     [16]byte // GUID as it lies in memory
	Attributes uint32
	Data       []byte
}

// NonVolatile are the attributes of an ordinary persistent variable: non-volatile, boot and runtime access.
const NonVolatile = 7

// GlobalVariable is the vendor GUID 8be4df61-93ca-11d2-aa0d-00e098032b8c of the variables in UEFI 2.10 §3.3.
var GlobalVariable = [16]byte{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}

// authenticatedStore is the GUID aaf32c78-947b-439a-a180-2e144ec37792 at the start of a store.
var authenticatedStore = [16]byte{0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92}

// Offsets and sizes in bytes.
const (
	volumeSignature    = 40 // of the firmware volume header: "_FVH"
	volumeHeaderLength = 48
	volumeHeaderSize   = 50 // as far as it is read here

	storeSize       = 16 // of the store header
	storeFormat     = 20
	storeState      = 21
	storeHeaderSize = 28

	variableState      = 2 // of a variable's header
	variableAttributes = 4
	variableNameSize   = 36
	variableDataSize   = 40
	variableVendor     = 44
	variableHeaderSize = 60
)

const (
	startID        = 0x55aa // starts every variable; erased flash ends the list
	storeFormatted = 0x5a
	storeHealthy   = 0xfe
	stateAdded     = 0x3f // valid, and no later version of it in preparation
	alignment      = 4
)

// ErrFormat is in the chain of every error about a store that is not as expected.
var ErrFormat = errors.New("not a variable store of EDK2")

// List returns the valid variables of a store in the order in which they were written.
func List(store []byte) ([]Variable, error) {
	var all []Variable
	_, err := walk(store, func(v Variable, state byte) {
		if state == stateAdded {
			all = append(all, v)
		}
	})
	return all, err
}

// Append writes further variables into a store. It does not look for variables of the same name, of which the firmware
// would take the first.
func Append(store []byte, variables ...Variable) error {
	free, err := walk(store, func(Variable, byte) {})
	if err != nil {
		return err
	}
	if len(bytes.Trim(free, "\xff")) != 0 {
		return fmt.Errorf("append variables: %w: the space behind the last one is not erased", ErrFormat)
	}
	for _, v := range variables {
		record := v.encode()
		if len(record) > len(free) {
			return fmt.Errorf("append variable %s: %d bytes do not fit into the %d left", v.Name, len(record), len(free))
		}
		copy(free, record)
		free = free[len(record):]
	}
	return nil
}

// walk calls visit for every variable record and returns the part of the store behind the last one.
func walk(store []byte, visit func(v Variable, state byte)) (free []byte, err error) {
	area, err := variableArea(store)
	if err != nil {
		return nil, err
	}
	for len(area) >= variableHeaderSize && binary.LittleEndian.Uint16(area) == startID {
		v, size, err := decode(area)
		if err != nil {
			return nil, err
		}
		visit(v, area[variableState])
		area = area[min(size, len(area)):]
	}
	return area, nil
}

// variableArea checks the headers and returns the bytes in which variables lie.
func variableArea(store []byte) ([]byte, error) {
	if len(store) < volumeHeaderSize || string(store[volumeSignature:][:4]) != "_FVH" {
		return nil, fmt.Errorf("%w: it does not start with a firmware volume", ErrFormat)
	}
	start := int(binary.LittleEndian.Uint16(store[volumeHeaderLength:]))
	if len(store) < start+storeHeaderSize || !bytes.HasPrefix(store[start:], authenticatedStore[:]) {
		return nil, fmt.Errorf("%w: its volume holds something else", ErrFormat)
	}
	header := store[start:]
	size := uint64(binary.LittleEndian.Uint32(header[storeSize:]))
	if header[storeFormat] != storeFormatted || header[storeState] != storeHealthy || size < storeHeaderSize || size > uint64(len(header)) {
		return nil, fmt.Errorf("%w: it is damaged", ErrFormat)
	}
	return header[storeHeaderSize:size], nil
}

func decode(record []byte) (v Variable, size int, err error) {
	nameSize := uint64(binary.LittleEndian.Uint32(record[variableNameSize:]))
	dataSize := uint64(binary.LittleEndian.Uint32(record[variableDataSize:]))
	body := record[variableHeaderSize:]
	if nameSize < 2 || nameSize%2 != 0 || nameSize+dataSize > uint64(len(body)) {
		return Variable{}, 0, fmt.Errorf("%w: a variable with a name of %d and data of %d bytes in the last %d", ErrFormat, nameSize, dataSize, len(body))
	}
	name := make([]uint16, nameSize/2-1) // without the final NUL
	for i := range name {
		name[i] = binary.LittleEndian.Uint16(body[2*i:])
	}
	v = Variable{
		Name:       string(utf16.Decode(name)),
		Attributes: binary.LittleEndian.Uint32(record[variableAttributes:]),
		Data:       bytes.Clone(body[nameSize : nameSize+dataSize]),
	}
	copy(v.Vendor[:], record[variableVendor:])
	return v, align(variableHeaderSize + int(nameSize+dataSize)), nil
}

// encode returns the record of a variable with zero time stamp, monotonic count and key index.
func (v Variable) encode() []byte {
	name := UTF16(v.Name)
	record := make([]byte, variableHeaderSize, align(variableHeaderSize+len(name)+len(v.Data)))
	binary.LittleEndian.PutUint16(record, startID)
	record[variableState] = stateAdded
	binary.LittleEndian.PutUint32(record[variableAttributes:], v.Attributes)
	binary.LittleEndian.PutUint32(record[variableNameSize:], uint32(len(name)))
	binary.LittleEndian.PutUint32(record[variableDataSize:], uint32(len(v.Data)))
	copy(record[variableVendor:], v.Vendor[:])
	record = append(append(record, name...), v.Data...)
	for len(record)%alignment != 0 {
		record = append(record, 0xff) // as erased flash
	}
	return record
}

func align(n int) int { return (n + alignment - 1) &^ (alignment - 1) }

// UTF16 returns text in UTF-16LE with a final NUL.
func UTF16(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, 0, 0)
}
