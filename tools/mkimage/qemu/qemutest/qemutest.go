// Package qemutest lets a test binary play the emulator, so that what starts and steers a machine is tested without
// QEMU. It is for tests only.
package qemutest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// BadOption is an argument that the emulator refuses, as QEMU refuses what it does not know.
const BadOption = "-bad-option"

// Main is to be called by TestMain. It runs the tests or, called by QEMU's name, the emulator.
func Main(m *testing.M, guest func(serial io.ReadWriter)) {
	if filepath.Base(os.Args[0]) == qemu.Program {
		Emulate(guest)
	}
	os.Exit(m.Run())
}

// Machine returns a machine whose emulator is this test binary, found first on PATH for the duration of the test. The
// test fails if anything is left in the folder of temporary files.
func Machine(t *testing.T) qemu.Machine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, temporary := t.TempDir(), t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, qemu.Program)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("TMPDIR", temporary)
	template := filepath.Join(t.TempDir(), "VARS.fd")
	if err := os.WriteFile(template, []byte("empty store"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	return qemu.Machine{Firmware: qemu.Firmware{Code: "CODE.fd", Vars: template}, KVM: qemu.KVMOff}
}

// Emulate makes this process the emulator, and does not come back. The guest is a function that talks on the machine's
// serial port and whose return powers the machine off.
func Emulate(guest func(serial io.ReadWriter)) { os.Exit(emulate(guest)) }

// emulate speaks enough QMP for the tests: the pressed keys appear on the serial port, the screen is a picture of a
// black and a white pixel, and everything unknown is refused.
func emulate(guest func(io.ReadWriter)) int {
	if slices.Contains(os.Args, BadOption) {
		fmt.Fprintln(os.Stderr, BadOption+": invalid option")
		return 1
	}
	// The machine's two sockets are the first files that it inherits.
	serial, monitor := os.NewFile(3, "serial"), os.NewFile(4, "monitor")
	fmt.Fprintln(monitor, `{"QMP": {"version": {}, "capabilities": []}}`)
	go func() {
		guest(serial)
		os.Exit(0)
	}()
	for lines := bufio.NewScanner(monitor); lines.Scan(); {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		answer := c.execute(serial, monitor)
		fmt.Fprintf(monitor, "{%s, \"id\": %d}\n", answer, c.ID)
		if c.Execute == "quit" {
			return 0
		}
	}
	return 2 // whoever started us is gone
}

type command struct {
	Execute   string
	Arguments struct {
		Filename string
		Keys     []struct{ Data string }
	}
	ID int
}

func (c command) execute(serial, monitor io.Writer) (answer string) {
	switch c.Execute {
	case "qmp_capabilities", "quit":
	case "screendump":
		writePicture(c.Arguments.Filename)
	case "send-key":
		fmt.Fprintf(serial, "<%s>", c.Arguments.Keys[0].Data)
	case "system_reset":
		fmt.Fprintln(monitor, `{"event": "RESET", "data": {"guest": false}, "timestamp": {"seconds": 1}}`)
	default:
		return `"error": {"class": "CommandNotFound", "desc": "no such command"}`
	}
	return `"return": {}`
}

func writePicture(path string) {
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 2, 1))
	picture.Set(1, 0, color.White)
	if err := png.Encode(f, picture); err != nil {
		panic(err)
	}
}
