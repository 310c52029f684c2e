package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/tools/mkimage/qemu/qemutest"
)

// emulated is what runs in the machines of these tests: it prints the emulator's arguments, sends SHELL_READY, and powers
// off at the key q.
func emulated(serial io.ReadWriter) {
	fmt.Fprintf(serial, "arguments: %s\r\n[RAYOS_BOOT_MARKER:SHELL_READY] seq=3, entry=rayos\r\n", strings.Join(os.Args, " "))
	key := make([]byte, 1)
	for {
		if _, err := serial.Read(key); err != nil {
			return
		}
		fmt.Fprintf(serial, "key %q\r\n", key)
		if key[0] == 'q' {
			return
		}
	}
}

func TestRunStatus(t *testing.T) {
	qemutest.Machine(t) // puts the emulator on PATH
	folder := t.TempDir()
	disk := filepath.Join(folder, "disk.img")
	for _, path := range []string{disk, filepath.Join(folder, "OVMF_CODE_4M.fd"), filepath.Join(folder, "OVMF_VARS_4M.fd")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		keys string
		want int
	}{
		{"--until SHELL_READY", "", exitOK},
		{"--interactive", "q", exitOK},
		{"--interactive", "\x01x", exitOK},
		{"--interactive --until GOLDEN", "\x01x", exitInterrupted},
		{"--interactive --until GOLDEN", "q", exitNotReached},
		{"--until GOLDEN --timeout 50ms", "", exitNotReached},
		{"--until NOTHING", "", exitUsage},
		{"--kvm on --bus ahci --ovmf /nowhere", "", exitFailure},
	} {
		args := append([]string{"run", disk, "--kvm", "off", "--ovmf", folder}, strings.Fields(c.args)...)
		var stderr strings.Builder
		if got := run(args, strings.NewReader(c.keys), io.Discard, &stderr); got != c.want {
			t.Errorf("%s: status %d, want %d: %s", c.args, got, c.want, &stderr)
		}
	}
}
