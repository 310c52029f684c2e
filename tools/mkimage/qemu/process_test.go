package qemu_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
	"github.com/rayos/rayboot/tools/mkimage/qemu/qemutest"
)

// patience bounds what must not hang; nothing here takes long.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	qemutest.Main(m, func(serial io.ReadWriter) { _, _ = io.Copy(serial, serial) })
}

func start(t *testing.T, m qemu.Machine) (*qemu.Process, context.Context) {
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
	})
	return p, ctx
}

func TestSerialAndKeyboard(t *testing.T) {
	p, ctx := start(t, qemutest.Machine(t))
	if _, err := io.WriteString(p.Serial, "hello"); err != nil {
		t.Fatal(err)
	}
	expect(t, p, "hello")
	if err := p.PressKeys(ctx, "j", qemu.KeyDown, qemu.KeyEnter); err != nil {
		t.Fatal(err)
	}
	expect(t, p, "<j><down><ret>")
}

func expect(t *testing.T, p *qemu.Process, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p.Serial, got); err != nil || string(got) != want {
		t.Fatalf("serial port gives %q, %v; want %q", got, err, want)
	}
}

func TestScreenshot(t *testing.T) {
	p, ctx := start(t, qemutest.Machine(t))
	picture, err := p.Screenshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := picture.At(1, 0).RGBA(); picture.Bounds().Dx() != 2 || r != 0xffff {
		t.Errorf("not the picture that the emulator wrote: %v", picture)
	}
}

func TestResetIsAnEvent(t *testing.T) {
	events := make(chan qmp.Event, 1)
	m := qemutest.Machine(t)
	m.OnEvent = func(e qmp.Event) { events <- e }
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
	p, ctx := start(t, qemutest.Machine(t))
	err := p.PowerButton(ctx) // which this emulator does not have
	var refusal *qmp.Error
	if !errors.As(err, &refusal) || refusal.Class != "CommandNotFound" {
		t.Errorf("got %v", err)
	}
}

func TestQuit(t *testing.T) {
	p, ctx := start(t, qemutest.Machine(t))
	if err := p.Quit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestKillKeepsWhatWasSent(t *testing.T) {
	p, ctx := start(t, qemutest.Machine(t))
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
		m := qemutest.Machine(t)
		m.Extra = []string{qemutest.BadOption}
		_, err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "-bad-option: invalid option") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no QEMU", func(t *testing.T) {
		m := qemutest.Machine(t)
		t.Setenv("PATH", t.TempDir())
		_, err := m.Start(t.Context())
		if !errors.Is(err, qemu.ErrNoQEMU) || !strings.Contains(err.Error(), "apt-get install qemu-system-x86") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no KVM", func(t *testing.T) {
		m := qemutest.Machine(t)
		m.KVM = qemu.KVMOn
		qemu.SetKVMDevice(t, filepath.Join(t.TempDir(), "kvm"))
		_, err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "group kvm") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("impossible disk", func(t *testing.T) {
		m := qemutest.Machine(t)
		m.Disks = []qemu.Disk{{Path: "x", Bus: "floppy"}}
		if p, err := m.Start(t.Context()); err == nil {
			t.Error("started", p.Pid())
		}
	})
}

func TestContextEndsTheMachine(t *testing.T) {
	m := qemutest.Machine(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := m.Start(ctx)
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
