//go:build !uefi

package goefi

import "testing"

func TestOutsideOfFirmware(t *testing.T) {
	const efiUnsupported = 0x8000000000000003
	if Running() || ImageHandle() != 0 || SystemTable() != 0 || LoadFile2Entry() != 0 || ReadStats() != (Stats{}) {
		t.Error("a program on the host takes itself for an EFI application")
	}
	if Call(1, 2, 3) != efiUnsupported || CallNative(1, 2, 3) != efiUnsupported {
		t.Error("a call of absent firmware succeeds")
	}
}
