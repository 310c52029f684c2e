package uefi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// bootToFirmwareUI is EFI_OS_INDICATIONS_BOOT_TO_FW_UI (UEFI 2.10 §8.5.4).
const bootToFirmwareUI = 0x1

// FirmwareUISupported reports whether the firmware can be asked to show its setup
// at the next start (UEFI 2.10 §8.5.4).
func (s *System) FirmwareUISupported() (bool, error) {
	v, err := s.indications("OsIndicationsSupported")
	return v&bootToFirmwareUI != 0, err
}

// RequestFirmwareUI asks the firmware to show its setup at the next start, which
// a reset brings about (UEFI 2.10 §8.5.4).
func (s *System) RequestFirmwareUI() error {
	v, err := s.indications("OsIndications")
	if err != nil {
		return err
	}
	return s.SetVariable("OsIndications", GlobalVariable, NonVolatile|BootServiceAccess|RuntimeAccess,
		binary.LittleEndian.AppendUint64(nil, v|bootToFirmwareUI))
}

// indications reads a variable of 64 bits; without it, 0.
func (s *System) indications(name string) (uint64, error) {
	b, _, err := s.GetVariable(name, GlobalVariable)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err == nil && len(b) != 8 {
		err = fmt.Errorf("get variable %s: %d bytes instead of 8", name, len(b))
	}
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// BootOptionName is the name of the variable that holds the load option with a
// number, such as Boot000A (UEFI 2.10 §3.3).
func BootOptionName(number uint16) string { return fmt.Sprintf("Boot%04X", number) }

// BootOption reads the load option with a number (UEFI 2.10 §3.1.3).
func (s *System) BootOption(number uint16) (LoadOption, error) {
	name := BootOptionName(number)
	b, _, err := s.GetVariable(name, GlobalVariable)
	if err != nil {
		return LoadOption{}, err
	}
	o, err := ParseLoadOption(b)
	if err != nil {
		return LoadOption{}, fmt.Errorf("get variable %s: %w", name, err)
	}
	return o, nil
}

// BootOrder are the numbers of the load options in the order in which the
// firmware tries them; none without the variable (UEFI 2.10 §3.1.2).
func (s *System) BootOrder() ([]uint16, error) {
	b, _, err := s.GetVariable("BootOrder", GlobalVariable)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return getUnits(b), err
}
