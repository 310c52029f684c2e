package qemu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTryFirmware(t *testing.T) {
	if err := tryFirmware(plainFirmware(t), false); err != nil {
		t.Error(err)
	}
}

// TestFirmwareThatDoesNotRun has two firmwares of a few instructions that say nothing.
func TestFirmwareThatDoesNotRun(t *testing.T) {
	const patience = time.Minute // beyond any limit that is waited for here
	for _, c := range []struct {
		name  string
		code  []byte
		limit time.Duration
		extra []string
		want  error
	}{
		{"halts", []byte{0xf4}, time.Second, nil, errSilent},                                                               // hlt
		{"is stopped", []byte{0xb0, 0xfe, 0xe6, 0x64, 0xf4}, patience, []string{"-no-reboot", "-no-shutdown"}, errStopped}, // mov al, 0xfe; out 0x64, al; hlt: reset
		{"ends the machine", []byte{0xb0, 0xfe, 0xe6, 0x64, 0xf4}, patience, []string{"-no-reboot"}, nil},                  // the same
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Machine{Firmware: plainFirmware(t), Extra: c.extra}
			m.Firmware.Code = tinyFirmware(t, c.code)
			ctx, cancel := context.WithTimeoutCause(t.Context(), c.limit, errSilent)
			defer cancel()
			err := m.speaks(ctx, false)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && ctx.Err() != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func plainFirmware(t *testing.T) Firmware {
	t.Helper()
	firmware, err := FindFirmware(Plain)
	if err != nil {
		t.Fatal(err)
	}
	return firmware
}

// tinyFirmware is one that does no more than the code at the reset vector (Intel SDM vol. 3 §9.1.4).
func tinyFirmware(t *testing.T, code []byte) string {
	t.Helper()
	const size = 64 << 10
	rom := make([]byte, size)
	copy(rom[size-16:], code)
	name := filepath.Join(t.TempDir(), "tiny.fd")
	if err := os.WriteFile(name, rom, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
