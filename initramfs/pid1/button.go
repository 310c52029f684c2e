package pid1

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Events of Linux's input devices (linux/input.h, linux/input-event-codes.h).
const (
	inputEventBytes = 24
	inputKey        = 1 // EV_KEY
	keyPower        = 116
	keyPressed      = 1
)

// watchButtons has the power buttons that are there turn the machine off, in order. Keyboards
// with such a key are among them, while no guest has the keyboard.
func (b *boot) watchButtons() {
	files, err := filepath.Glob(filepath.Join(b.root, "sys/class/input/event*/device/capabilities/key"))
	if err != nil {
		panic(err) // the pattern is good
	}
	for _, file := range files {
		keys, err := os.ReadFile(file)
		if err != nil || !hasKey(string(keys), keyPower) {
			continue // also one that was unplugged just now
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(file, filepath.Join(b.root, "sys/class/input")+"/"), "/")
		device, err := os.Open(filepath.Join(b.root, "dev/input", name))
		if err != nil {
			b.warn("power button: %v; it does nothing", err)
			continue
		}
		go b.hearButton(device)
	}
}

// hasKey reports whether a device has a key. keys are words of 64 bits in hexadecimal, the last
// one with the first keys.
func hasKey(keys string, code int) bool {
	words := strings.Fields(keys)
	at := len(words) - 1 - code/64
	if at < 0 {
		return false
	}
	word, err := strconv.ParseUint(words[at], 16, 64)
	return err == nil && word>>(code%64)&1 != 0
}

// hearButton waits for a press of a power button, until the device is gone.
func (b *boot) hearButton(device io.ReadCloser) {
	defer device.Close()
	for event := make([]byte, inputEventBytes); ; {
		if _, err := io.ReadFull(device, event); err != nil {
			return
		}
		kind, code := binary.NativeEndian.Uint16(event[16:]), binary.NativeEndian.Uint16(event[18:])
		if value := binary.NativeEndian.Uint32(event[20:]); kind != inputKey || code != keyPower || value != keyPressed {
			continue
		}
		select {
		case b.pressed <- struct{}{}:
		case <-b.ending:
		}
		return
	}
}
