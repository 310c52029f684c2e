package uefi

import (
	"errors"
	"runtime"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi/internal/gate"
)

// Running is the firmware that the program runs on. A program that is not an EFI
// application (see [goefi.Running]) has none, which is an error.
func Running() (*System, error) {
	if !goefi.Running() {
		return nil, errors.New("open system table: this program does not run on UEFI firmware")
	}
	return New(firmware{}, Handle(goefi.ImageHandle()), goefi.SystemTable())
}

// firmware is the gate to real firmware.
type firmware struct{}

func (firmware) Call(fn uintptr, args ...gate.Arg) uintptr {
	status := goefi.Call(fn, gate.Values(args)...)
	runtime.KeepAlive(args)
	return status
}

func (firmware) CallNative(fn uintptr, args ...uintptr) uintptr {
	return goefi.CallNative(fn, args...)
}

func (firmware) LoadFile2Entry() uintptr { return goefi.LoadFile2Entry() }
