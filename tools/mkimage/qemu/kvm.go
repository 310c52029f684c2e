package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
)

// kvmDevice is a variable for the tests.
var kvmDevice = "/dev/kvm"

// Use decides for a guest that is started otherwise. What KVM is worth is found out with a
// firmware of this machine; without one it is not used.
func (k KVMMode) Use() (bool, error) {
	if k == KVMOff {
		return false, nil
	}
	firmware, err := FindFirmware(Plain)
	switch {
	case err != nil && k == KVMOn:
		return false, fmt.Errorf("KVM is asked for but cannot be tried: %w", err)
	case err != nil:
		return false, nil
	}
	return k.use(firmware)
}

// use decides for one start whether KVM is used.
func (k KVMMode) use(firmware Firmware) (bool, error) {
	switch orDefault(k, KVMAuto) {
	case KVMOff:
		return false, nil
	case KVMAuto:
		return tryKVM(firmware) == nil, nil
	case KVMOn:
		if err := tryKVM(firmware); err != nil {
			return false, fmt.Errorf("KVM is asked for but cannot be used: %w", err)
		}
		return true, nil
	default:
		return false, fmt.Errorf("unknown KVM mode %q: choose auto, on or off", k)
	}
}

// tryKVM opens the device, to which the user may have no right, and then starts the firmware: nested in another virtual
// machine, or with a QEMU that is older than the kernel, a device that opens may be of no use, and one that runs small
// guests may give up at an instruction that only a whole firmware has.
func tryKVM(firmware Firmware) error {
	f, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w; is your user in the group kvm?", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	tried.Lock()
	defer tried.Unlock()
	if err, ok := tried.firmware[firmware]; ok {
		return err
	}
	err = tryFirmware(firmware, true)
	tried.firmware[firmware] = err
	return err
}

// tried is what came of firmware that was started on KVM, for as long as the program runs.
var tried = struct {
	sync.Mutex
	firmware map[Firmware]error
}{firmware: map[Firmware]error{}}

// probeLimit bounds the start of a firmware up to its first character, which takes a second or two.
const probeLimit = 30 * time.Second

var (
	errStopped = errors.New("QEMU has stopped it")
	errSilent  = errors.New("it says nothing")
)

// tryFirmware starts a machine without disks.
func tryFirmware(firmware Firmware, kvm bool) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), probeLimit, errSilent)
	defer cancel()
	return Machine{Firmware: firmware, Extra: []string{"-no-reboot"}}.speaks(ctx, kvm)
}

// speaks runs the machine until its firmware says something on the serial port.
func (m Machine) speaks(ctx context.Context, kvm bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m.OnEvent = func(e qmp.Event) {
		if e.Name == "STOP" { // as QEMU does at what KVM calls an internal error
			cancel(errStopped)
		}
	}
	p, err := m.start(ctx, kvm)
	if err != nil {
		return fmt.Errorf("start the firmware: %w", err)
	}
	// What happened before the monitor was there is no event.
	var status struct{ Running bool }
	if err := p.QMP.Execute(ctx, "query-status", nil, &status); err == nil && !status.Running {
		cancel(errStopped)
	} // a monitor that does not answer is the end of the machine, or the end of ctx
	if _, err := io.ReadFull(p.Serial, make([]byte, 1)); err != nil {
		return fmt.Errorf("the firmware does not run: %w", errors.Join(context.Cause(ctx), p.Wait(), p.Close()))
	}
	return p.Close()
}
