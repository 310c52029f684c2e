package uefi

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
)

// VariableAttr are the attributes of a variable (UEFI 2.10 §8.2.1).
type VariableAttr uint32

// The attributes that a program can give a variable.
const (
	NonVolatile           VariableAttr = 0x01
	BootServiceAccess     VariableAttr = 0x02
	RuntimeAccess         VariableAttr = 0x04
	HardwareErrorRecord   VariableAttr = 0x08
	TimeBasedAuthenticate VariableAttr = 0x20
	AppendWrite           VariableAttr = 0x40
)

// VariableName is a variable's name; each vendor has a name space of its own.
type VariableName struct {
	Name   string
	Vendor GUID
}

// Bounds on variables: what the firmware may claim. The size of the data is also
// what goefi lets the firmware write to new Go memory.
const (
	maxVariableBytes = 128 << 10
	maxNameBytes     = 4096
	maxVariables     = 1 << 14
)

// GetVariable reads a variable (UEFI 2.10 §8.2.1). One that is not there is
// ErrNotFound, which errors.Is also knows as fs.ErrNotExist.
func (s *System) GetVariable(name string, vendor GUID) ([]byte, VariableAttr, error) {
	if err := checkName(name); err != nil {
		return nil, 0, fmt.Errorf("get variable %s: %w", name, err)
	}
	for size := uintptr(1024); size <= maxVariableBytes; {
		buffer := make([]byte, size)
		var attr VariableAttr
		needed := size
		status := s.call(s.runtime().GetVariable, gate.Slice(encodeUCS2(name)), gate.Pointer(&vendor),
			gate.Pointer(&attr), gate.Pointer(&needed), gate.Slice(buffer))
		if status == ErrBufferTooSmall {
			size = max(needed, 2*size) // it may have grown, and must for the loop to end
			continue
		}
		if err := status.Err(); err != nil {
			return nil, 0, fmt.Errorf("get variable %s: %w", name, err)
		}
		if needed > size {
			return nil, 0, fmt.Errorf("get variable %s: the firmware claims %d bytes in a buffer of %d", name, needed, size)
		}
		return buffer[:needed], attr, nil
	}
	return nil, 0, fmt.Errorf("get variable %s: it takes more than %d bytes", name, maxVariableBytes)
}

// SetVariable creates or replaces a variable; data must not be empty
// (UEFI 2.10 §8.2.3).
func (s *System) SetVariable(name string, vendor GUID, attr VariableAttr, data []byte) error {
	if len(data) == 0 {
		return fmt.Errorf("set variable %s: no data: %w", name, fs.ErrInvalid)
	}
	if err := s.setVariable(name, vendor, attr, data); err != nil {
		return fmt.Errorf("set variable %s: %w", name, err)
	}
	return nil
}

// DeleteVariable removes a variable. One that is not there is ErrNotFound.
func (s *System) DeleteVariable(name string, vendor GUID) error {
	_, attr, err := s.GetVariable(name, vendor)
	if err == nil {
		err = s.setVariable(name, vendor, attr&^AppendWrite, nil)
	}
	if err != nil {
		return fmt.Errorf("delete variable %s: %w", name, err)
	}
	return nil
}

func (s *System) setVariable(name string, vendor GUID, attr VariableAttr, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	return s.call(s.runtime().SetVariable, gate.Slice(encodeUCS2(name)), gate.Pointer(&vendor),
		gate.Word(attr), gate.Word(len(data)), gate.Slice(data)).Err()
}

// checkName refuses names that the firmware would take for another one.
func checkName(name string) error {
	if name == "" || decodeUCS2(encodeUCS2(name)) != name {
		return fmt.Errorf("no variable can have this name: %w", fs.ErrInvalid)
	}
	return nil
}

// VariableNames iterates over the names of all variables in the firmware's order,
// an error ends the iteration. The set must not be changed meanwhile
// (UEFI 2.10 §8.2.2).
func (s *System) VariableNames() iter.Seq2[VariableName, error] {
	return func(yield func(VariableName, error) bool) {
		buffer := make([]uint16, maxNameBytes/2)
		var vendor GUID
		for range maxVariables {
			more, err := s.nextVariableName(buffer, &vendor)
			if err != nil {
				yield(VariableName{}, fmt.Errorf("list variables: %w", err))
				return
			}
			if !more || !yield(VariableName{decodeUCS2(buffer), vendor}, nil) {
				return
			}
		}
		yield(VariableName{}, fmt.Errorf("list variables: more than %d", maxVariables))
	}
}

// nextVariableName replaces the name in buffer and its vendor by the next ones;
// false at the end.
func (s *System) nextVariableName(buffer []uint16, vendor *GUID) (bool, error) {
	size := uintptr(2 * len(buffer))
	status := s.call(s.runtime().GetNextVariableName, gate.Pointer(&size), gate.Slice(buffer), gate.Pointer(vendor))
	if status == ErrNotFound {
		return false, nil
	}
	if err := status.Err(); err != nil {
		return false, err
	}
	if buffer[0] == 0 {
		return false, errors.New("the firmware gave a variable without a name")
	}
	return true, nil
}

// SecureBoot reports whether the firmware refuses images that it does not trust:
// the variable SecureBoot is 1 (UEFI 2.10 §3.3).
func (s *System) SecureBoot() (bool, error) { return s.flag("SecureBoot") }

// SetupMode reports whether the firmware accepts keys from anybody: the variable
// SetupMode is 1 (UEFI 2.10 §3.3).
func (s *System) SetupMode() (bool, error) { return s.flag("SetupMode") }

// flag reads a one-byte variable of the specification; without it, false.
func (s *System) flag(name string) (bool, error) {
	b, _, err := s.GetVariable(name, GlobalVariable)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return len(b) == 1 && b[0] == 1, err
}
