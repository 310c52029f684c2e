package pid1

import (
	"encoding/binary"
	"io"
	"os"
	"strings"
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

// TestNoPowerButton has somebody press a key, and let the power button go.
func TestNoPowerButton(t *testing.T) {
	b, _, _ := newMachine(t, bootedMachine())
	b.pressed, b.ending = make(chan struct{}), make(chan struct{})
	for _, event := range []string{inputEvent(inputKey, 30, keyPressed), inputEvent(inputKey, keyPower, 0), inputEvent(0, keyPower, keyPressed), "half"} {
		heard := make(chan struct{})
		go func() {
			b.hearButton(io.NopCloser(strings.NewReader(event)))
			close(heard)
		}()
		select {
		case <-b.pressed:
			t.Errorf("%x turns the machine off", event)
		case <-heard:
		}
	}
}

// TestPowerButton has somebody press the power button, on a machine that has a device without one, too.
func TestPowerButton(t *testing.T) {
	machine := bootedMachine()
	machine["sys/class/input/event0/device/capabilities/key"] = "ffff ffffffffffffffff"
	machine["dev/input/event0"] = inputEvent(inputKey, keyPower, keyPressed) // has no such key, and is not listened to
	machine["sys/class/input/event1/device/capabilities/key"] = powerButtonKeys
	b, _, terminal := newMachine(t, machine)
	b.bringUp()
	b.watchButtons()
	terminal.Expect("power button: open ")
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
