package qemu

import (
	"errors"
	"testing"
)

// TestTryGuest has the small guest do the right thing and another one.
func TestTryGuest(t *testing.T) {
	if err := tryGuest(false, probeROM(probeCode)); err != nil {
		t.Error(err)
	}
	other := append([]byte{0xb0, 0x2b}, probeCode[2:]...)
	if err := tryGuest(false, probeROM(other)); !errors.Is(err, errNoByte) {
		t.Errorf("a guest that writes another byte: %v", err)
	}
}
