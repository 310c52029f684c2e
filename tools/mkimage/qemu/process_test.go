package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds what must not hang; nothing here takes long.
const patience = 20 * time.Second

// TestMain lets the test binary play the emulator when it is called by the emulator's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == Program {
		os.Exit(emulator())
	}
	os.Exit(m.Run())
}

// emulator speaks enough QMP for the tests and echoes the serial port, with the pressed keys in between.
func emulator() int {
	if strings.Contains(strings.Join(os.Args, " "), "-bad-option") {
		fmt.Fprintln(os.Stderr, "-bad-option: invalid option")
		return 1
	}
	serial, monitor := os.NewFile(serialFD, "serial"), os.NewFile(qmpFD, "monitor")
	fmt.Fprintln(monitor, `{"QMP": {"version": {}, "capabilities": []}}`)
	go func() { _, _ = io.Copy(serial, serial) }() // until the process ends
	lines := bufio.NewScanner(monitor)
	for lines.Scan() {
		var command struct {
			Execute   string
			Arguments struct {
				Filename string
				Keys     []struct{ Data string }
			}
			ID int
		}
		if err := json.Unmarshal(lines.Bytes(), &command); err != nil {
			panic(err)
		}
		switch command.Execute {
		case "screendump":
			writePicture(command.Arguments.Filename)
		case "send-key":
			fmt.Fprintf(serial, "<%s>", command.Arguments.Keys[0].Data)
		case "system_reset":
			fmt.Fprintln(monitor, `{"event": "RESET", "data": {"guest": false}, "timestamp": {"seconds": 1}}`)
		case "quit":
			fmt.Fprintf(monitor, "{\"return\": {}, \"id\": %d}\n", command.ID)
			return 0
		case "qmp_capabilities":
		default:
			fmt.Fprintf(monitor, `{"error": {"class": "CommandNotFound", "desc": "no such command"}, "id": %d}`, command.ID)
			continue
		}
		fmt.Fprintf(monitor, "{\"return\": {}, \"id\": %d}\n", command.ID)
	}
	return 2
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

// emulated returns a machine whose emulator is this test binary.
func emulated(t *testing.T) Machine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, Program)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("TMPDIR", t.TempDir())
	template := filepath.Join(t.TempDir(), "VARS.fd")
	writeFile(t, template, "empty store")
	return Machine{Firmware: Firmware{Code: "CODE.fd", Vars: template}, KVM: KVMOff}
}

func start(t *testing.T, m Machine) (*Process, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	p, err := m.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		left, err := os.ReadDir(os.Getenv("TMPDIR"))
		if err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
	return p, ctx
}

func TestSerialAndKeyboard(t *testing.T) {
	p, ctx := start(t, emulated(t))
	if _, err := io.WriteString(p.Serial, "hello"); err != nil {
		t.Fatal(err)
	}
	expect(t, p, "hello")
	if err := p.PressKeys(ctx, "j", KeyDown, KeyEnter); err != nil {
		t.Fatal(err)
	}
	expect(t, p, "<j><down><ret>")
}

func expect(t *testing.T, p *Process, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.Serial, got); err != nil || string(got) != want {
		t.Fatalf("serial port gives %q, %v; want %q", got, err, want)
	}
}

func TestScreenshot(t *testing.T) {
	p, ctx := start(t, emulated(t))
	picture, err := p.Screenshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := picture.At(1, 0).RGBA(); picture.Bounds().Dx() != 2 || r != 0xffff {
		t.Errorf("not the picture that the emulator wrote: %v", picture)
	}
}

func TestResetIsAnEvent(t *testing.T) {
	events := make(chan Event, 1)
	m := emulated(t)
	m.OnEvent = func(e Event) { events <- e }
	p, ctx := start(t, m)
	if err := p.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-events:
		if e.Name != "RESET" || string(e.Data) != `{"guest": false}` {
			t.Errorf("got %s %s", e.Name, e.Data)
		}
	case <-ctx.Done():
		t.Fatal("no event")
	}
}

func TestRefusedCommand(t *testing.T) {
	p, ctx := start(t, emulated(t))
	err := p.PowerButton(ctx) // which this emulator does not have
	var refusal *QMPError
	if !errors.As(err, &refusal) || refusal.Class != "CommandNotFound" {
		t.Errorf("got %v", err)
	}
}

func TestQuit(t *testing.T) {
	p, ctx := start(t, emulated(t))
	if err := p.Quit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestKillKeepsWhatWasSent(t *testing.T) {
	p, ctx := start(t, emulated(t))
	if err := p.PressKeys(ctx, "x"); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if err := p.Wait(); err == nil {
		t.Error("a killed machine ended well")
	}
	got, err := io.ReadAll(p.Serial)
	if err != nil || string(got) != "<x>" {
		t.Errorf("serial port gives %q, %v", got, err)
	}
	if err := p.Reset(ctx); err == nil {
		t.Error("a dead machine answered")
	}
}

func TestStartErrors(t *testing.T) {
	t.Run("what QEMU says is told", func(t *testing.T) {
		m := emulated(t)
		m.Extra = []string{"-bad-option"}
		_, err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "-bad-option: invalid option") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no QEMU", func(t *testing.T) {
		m := emulated(t)
		t.Setenv("PATH", t.TempDir())
		_, err := m.Start(t.Context())
		if !errors.Is(err, ErrNoQEMU) || !strings.Contains(err.Error(), "apt-get install qemu-system-x86") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no KVM", func(t *testing.T) {
		m := emulated(t)
		m.KVM = KVMOn
		kvmDevice = filepath.Join(t.TempDir(), "kvm")
		t.Cleanup(func() { kvmDevice = "/dev/kvm" })
		_, err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "group kvm") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("impossible disk", func(t *testing.T) {
		m := emulated(t)
		m.Disks = []Disk{{Path: "x", Bus: "floppy"}}
		if p, err := m.Start(t.Context()); err == nil {
			t.Error("started", p.Pid())
		}
	})
}

func TestContextEndsTheMachine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := emulated(t).Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cancel()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatal("still running")
	}
}
