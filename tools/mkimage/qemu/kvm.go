package qemu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// kvmDevice is a variable for the tests.
var kvmDevice = "/dev/kvm"

// use decides for one start whether KVM is used.
func (k KVMMode) use() (bool, error) {
	switch orDefault(k, KVMAuto) {
	case KVMOff:
		return false, nil
	case KVMAuto:
		return tryKVM() == nil, nil
	case KVMOn:
		if err := tryKVM(); err != nil {
			return false, fmt.Errorf("KVM is asked for but cannot be used: %w", err)
		}
		return true, nil
	default:
		return false, fmt.Errorf("unknown KVM mode %q: choose auto, on or off", k)
	}
}

// tryKVM opens the device, to which the user may have no right, and then runs a guest: nested in another virtual
// machine, or with a QEMU that is older than the kernel, a device that opens may be of no use.
func tryKVM() error {
	f, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w; is your user in the group kvm?", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return guestRunsOnKVM()
}

var guestRunsOnKVM = sync.OnceValue(func() error {
	return tryGuest(true, probeROM(probeCode))
})

const (
	probeLimit  = 20 * time.Second // for a guest of three instructions
	probeStatus = 0x2a<<1 | 1      // how isa-debug-exit makes a written byte QEMU's exit status
	probeBytes  = 64 << 10         // of the ROM, the smallest that QEMU's PC machines take
	resetVector = probeBytes - 16  // Intel SDM vol. 3 §9.1.4
)

// probeCode writes 0x2a to the port of isa-debug-exit and stops: mov al, 0x2a; out 0xf4, al; hlt.
var probeCode = []byte{0xb0, 0x2a, 0xe6, 0xf4, 0xf4}

func probeROM(code []byte) []byte {
	rom := make([]byte, probeBytes)
	copy(rom[resetVector:], code)
	return rom
}

// tryGuest starts QEMU with a ROM, and returns nil if that has written the byte that it should.
func tryGuest(kvm bool, rom []byte) (err error) {
	folder, err := os.MkdirTemp("", "rayboot-qemu-")
	if err != nil {
		return fmt.Errorf("try KVM: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	bios := filepath.Join(folder, "probe.rom")
	if err := os.WriteFile(bios, rom, 0o600); err != nil {
		return fmt.Errorf("try KVM: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, Program, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "16",
		"-machine", "q35,accel="+accelerator(kvm), "-cpu", Machine{}.cpuModel(kvm), "-bios", bios,
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1")
	said, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return fmt.Errorf("try KVM: %w", err)
	}
	if cmd.ProcessState.ExitCode() == probeStatus {
		return nil
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("a small guest does not run (%v): %w: %s", cmd.ProcessState, errNoByte, first)
}

var errNoByte = errors.New("it ended without its last instruction")
