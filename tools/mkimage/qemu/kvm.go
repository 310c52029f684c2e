package qemu

import (
	"fmt"
	"os"
)

// kvmDevice is a variable for the tests.
var kvmDevice = "/dev/kvm"

// use decides for one start whether KVM is used. Opening the device is the only honest test: it may be there without
// the user having the right to it.
func (k KVMMode) use() (bool, error) {
	switch orDefault(k, KVMAuto) {
	case KVMOff:
		return false, nil
	case KVMAuto:
		return openKVM() == nil, nil
	case KVMOn:
		if err := openKVM(); err != nil {
			return false, fmt.Errorf("KVM is asked for but cannot be used: %w; is your user in the group kvm?", err)
		}
		return true, nil
	default:
		return false, fmt.Errorf("unknown KVM mode %q: choose auto, on or off", k)
	}
}

func openKVM() error {
	f, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
