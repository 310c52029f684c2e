package qemu

import "testing"

// SetKVMDevice replaces /dev/kvm for the duration of a test.
func SetKVMDevice(t *testing.T, path string) {
	before := kvmDevice
	kvmDevice = path
	t.Cleanup(func() { kvmDevice = before })
}
