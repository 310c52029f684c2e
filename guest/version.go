package guest

import (
	"errors"
	"fmt"
)

// MinMajor is the first QEMU that gives the screen of a guest away without KVM.
const MinMajor = 8

// ErrVersion is in the chain of the errors about a QEMU that is too old.
var ErrVersion = errors.New("QEMU is too old")

// CheckVersion looks at what QEMU has said to --version. It fails with [ErrVersion] for
// one that could not start a Linux guest with a screen: before version 8, vhost-user
// devices need KVM ("vhost initialization failed: requires kvm").
func CheckVersion(said string, kvm bool) error {
	var major, minor, micro int
	if _, err := fmt.Sscanf(said, "QEMU emulator version %d.%d.%d", &major, &minor, &micro); err != nil {
		return fmt.Errorf("find out the version of QEMU: it says %.100q", said)
	}
	if major < MinMajor && !kvm {
		return fmt.Errorf("%w: version %d.%d.%d shows no guest without KVM, %d and newer do; use the QEMU that `rayimg qemu` gets, or a machine with KVM",
			ErrVersion, major, minor, micro, MinMajor)
	}
	return nil
}
