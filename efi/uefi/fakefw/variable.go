package fakefw

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// variable is an entry of the variable store.
type variable struct {
	name   string
	vendor uefi.GUID
	attr   uefi.VariableAttr
	data   []byte
}

// SetVariable sets a variable behind the program's back; no data removes it.
func (fw *Firmware) SetVariable(name string, vendor uefi.GUID, attr uefi.VariableAttr, data []byte) {
	fw.variables = slices.DeleteFunc(fw.variables, func(v variable) bool { return v.name == name && v.vendor == vendor })
	if len(data) > 0 {
		fw.variables = append(fw.variables, variable{name, vendor, attr, slices.Clone(data)})
	}
}

// Variable reads a variable; false if there is none.
func (fw *Firmware) Variable(name string, vendor uefi.GUID) ([]byte, uefi.VariableAttr, bool) {
	i := fw.variableIndex(name, vendor)
	if i < 0 {
		return nil, 0, false
	}
	return slices.Clone(fw.variables[i].data), fw.variables[i].attr, true
}

func (fw *Firmware) variableIndex(name string, vendor uefi.GUID) int {
	return slices.IndexFunc(fw.variables, func(v variable) bool { return v.name == name && v.vendor == vendor })
}

func (fw *Firmware) getVariable(args []uintptr) uefi.Status {
	i := fw.variableIndex(textAt(args[0]), guidAt(args[1]))
	if i < 0 {
		return uefi.ErrNotFound
	}
	v := fw.variables[i]
	if args[2] != 0 {
		*raw.At[uefi.VariableAttr](args[2]) = v.attr
	}
	size := raw.At[uintptr](args[3])
	return answer(raw.Bytes(args[4], int(*size)), size, v.data)
}

func (fw *Firmware) setVariable(args []uintptr) uefi.Status {
	name, vendor, attr := textAt(args[0]), guidAt(args[1]), uefi.VariableAttr(args[2])
	if name == "" || attr&uefi.RuntimeAccess != 0 && attr&uefi.BootServiceAccess == 0 {
		return uefi.ErrInvalidParameter
	}
	old, oldAttr, exists := fw.Variable(name, vendor)
	data := slices.Clone(raw.Bytes(args[4], int(args[3])))
	switch {
	case len(data) == 0 && !exists:
		return uefi.ErrNotFound
	case exists && len(data) > 0 && attr&^uefi.AppendWrite != oldAttr:
		return uefi.ErrInvalidParameter
	case attr&uefi.AppendWrite != 0:
		data = append(old, data...)
	}
	fw.SetVariable(name, vendor, attr&^uefi.AppendWrite, data)
	return uefi.Success
}

func (fw *Firmware) getNextVariableName(args []uintptr) uefi.Status {
	size, vendor := raw.At[uintptr](args[0]), raw.At[uefi.GUID](args[2])
	next := 0
	if name := textAt(args[1]); name != "" {
		i := fw.variableIndex(name, *vendor)
		if i < 0 {
			return uefi.ErrInvalidParameter
		}
		next = i + 1
	}
	if next == len(fw.variables) {
		return uefi.ErrNotFound
	}
	v := fw.variables[next]
	status := answer(raw.Bytes(args[1], int(*size)), size, append(encodeUnits(v.name), 0, 0))
	if status == uefi.Success {
		*vendor = v.vendor
	}
	return status
}

// encodeUnits is UTF-16LE without an end.
func encodeUnits(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// textAt is the CHAR16 string at an address.
func textAt(addr uintptr) string {
	var units []uint16
	for ; *raw.At[uint16](addr) != 0; addr += 2 {
		units = append(units, *raw.At[uint16](addr))
	}
	return string(utf16.Decode(units))
}
