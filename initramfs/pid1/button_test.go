package pid1

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// inputEvent is an event as a device gives it.
func inputEvent(kind, code uint16, value uint32) string {
	e := binary.NativeEndian.AppendUint16(make([]byte, 16), kind)
	return string(binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint16(e, code), value))
}

// powerButtonKeys is what the kernel says of the keys of an ACPI power button.
const powerButtonKeys = "10000000000000 0\n"

// TestPowerButton has somebody press a key, let the power button go, and press it.
func TestPowerButton(t *testing.T) {
	machine := bootedMachine()
	machine["sys/class/input/event0/device/capabilities/key"] = "ffff ffffffffffffffff"
	machine["dev/input/event0"] = inputEvent(inputKey, keyPower, keyPressed) // has no such key, and is not listened to
	machine["sys/class/input/event1/device/capabilities/key"] = powerButtonKeys
	machine["sys/class/input/event2/device/capabilities/key"] = powerButtonKeys
	machine["dev/input/event2"] = inputEvent(inputKey, 30, keyPressed) + inputEvent(inputKey, keyPower, 0) + inputEvent(0, keyPower, keyPressed)
	b, _, terminal := newMachine(t, machine)
	b.bringUp()
	b.watchButtons()
	terminal.Expect("power button: open ")
	select {
	case <-b.pressed:
		t.Fatal("turned off by what is no press of the button")
	default:
	}
	if err := os.WriteFile(b.root+"/dev/input/event1", []byte(inputEvent(inputKey, keyPower, keyPressed)), 0o600); err != nil {
		t.Fatal(err)
	}
	command := make(chan int)
	go func() { command <- b.serve(make(chan os.Signal), nil) }()
	terminal.Expect("the power button was pressed")
	if got := <-command; got != unix.LINUX_REBOOT_CMD_POWER_OFF {
		t.Errorf("command %#x", got)
	}
	b.stopServices()
}

func TestHasKey(t *testing.T) {
	for keys, want := range map[string]bool{
		powerButtonKeys: true, "10000000000000 0 0": false, "0 10000000000000 0": true, "": false, "0": false, "x 0": false, "ffffffffffffffff ffffffffffffffff": true,
		"ffefffffffffffff ffffffffffffffff": false,
	} {
		if got := hasKey(keys, keyPower); got != want {
			t.Errorf("%q: %v", keys, got)
		}
	}
}
