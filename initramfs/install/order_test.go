package install

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/initramfs/bootentry"
	"github.com/rayos/rayboot/initramfs/efivar"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
)

// layoutText is a layout of one's own.
const layoutText = `
[[partition]]
name = "Boot"
type = "esp"
size = "100MiB"
`

// TestRefusedOrders leaves a marker of each, and the disk as it is.
func TestRefusedOrders(t *testing.T) {
	i, out := machine(t, map[string]string{"bad.toml": "[[partition]]\nnam = \"x\"\n"})
	here := func(name string) string { return filepath.Join(i.Root, name) }
	for name, c := range map[string]struct {
		order  Order
		marker string // behind INSTALL_FAILED
	}{
		"no such disk":    {Order{Disk: "sdz", Yes: "serial-sdb"}, `disk="", reason="find disk: `},
		"another serial":  {Order{Disk: "sdb", Yes: "serial-sdc"}, `disk=sdb, reason="--yes serial-sdc does not confirm sdb`},
		"nobody confirms": {Order{Disk: "sdb"}, `disk=sdb, reason="there is no terminal to confirm sdb at`},
		"the stick":       {Order{Disk: "sda", Yes: "serial-sda", Consent: plan.Consent{Erase: true}}, `disk=sda, reason="sda is not written: this system runs from it"`},
		"guests of none":  {Order{Disk: "sdb", Yes: "serial-sdb", Consent: plan.Consent{KeepGuests: true}}, `disk=sdb, reason="sdb is not written: its guests cannot be kept`},
		"no layout file":  {Order{Disk: "sdb", Yes: "serial-sdb", Layout: here("none.toml")}, `disk=sdb, reason="read layout: open `},
		"a bad layout":    {Order{Disk: "sdb", Yes: "serial-sdb", Layout: here("bad.toml")}, `disk=sdb, reason="` + here("bad.toml") + `: unusable layout file`},
	} {
		out.Reset()
		if _, err := i.Do(t.Context(), c.order, nil); err == nil {
			t.Errorf("%s: it is installed", name)
		}
		if got := out.String(); !strings.Contains(got, "[RAYOS_INSTALLER:INSTALL_FAILED] "+c.marker) || strings.Count(got, "INSTALL_FAILED") != 1 {
			t.Errorf("%s: %s\nwant %s", name, got, c.marker)
		}
	}
	for _, disk := range []string{"sda", "sdb", "sdc"} {
		if len(i.table(t, disk).Partitions) > 0 {
			t.Errorf("%s was written", disk)
		}
	}
}

// TestPlan has the steps of an order, and writes nothing.
func TestPlan(t *testing.T) {
	i, out := machine(t, map[string]string{"layout.toml": layoutText})
	s, err := i.Plan(Order{Disk: "sdb", Layout: filepath.Join(i.Root, "layout.toml")})
	if err != nil {
		t.Fatal(err)
	}
	steps, err := s.Job.Steps(t.Context())
	if err != nil || len(s.Plan.After) != 1 || len(steps) < 5 || steps[0].Name != "erase partition 1 (Boot)" {
		t.Errorf("%+v, %v", steps, err)
	}
	if len(i.table(t, "sdb").Partitions) > 0 {
		t.Error("it was written")
	}
	if _, err := i.Plan(Order{Disk: "sda"}); !errors.Is(err, plan.ErrRefused) {
		t.Error(err)
	}
	if strings.Contains(out.String(), "INSTALL_FAILED") {
		t.Errorf("a plan is no installation that can fail: %s", out)
	}
}

// TestOrderIsConfirmed asks for the serial number. What is not confirmed is not written.
func TestOrderIsConfirmed(t *testing.T) {
	i, out := machine(t, map[string]string{bootentry.Dir + "/BootOrder-" + efivar.Global: "\x07\x00\x00\x00\x09\x00"})
	if _, err := i.Do(t.Context(), Order{Disk: "sdb"}, answering(t, "serial-sdc")); !errors.Is(err, session.ErrNotConfirmed) {
		t.Error(err)
	}
	says(t, out, []string{"Afterwards:", `[RAYOS_INSTALLER:INSTALL_FAILED] disk=sdb, reason="not confirmed; nothing was written"`})
	if len(i.table(t, "sdb").Partitions) > 0 {
		t.Error("it was written")
	}
	out.Reset()
	report, err := i.Do(t.Context(), Order{Disk: "sdb"}, answering(t, "serial-sdb"))
	if err != nil || report.BootEntry != "Boot0000" || report.PeakBytes != 1024<<10 || report.Warnings != nil {
		t.Fatalf("%+v, %v", report, err)
	}
	says(t, out, []string{"INSTALL_COMPLETE] disk=sdb, bytes=", "boot_entry=Boot0000", "the firmware starts it first: Boot0000"})
	value, err := efivar.Read(filepath.Join(i.Root, bootentry.Dir), "Boot0000", efivar.Global)
	if err != nil {
		t.Fatal(err)
	}
	o, err := bootoption.Decode(value)
	if esp := i.table(t, "sdb").Partitions[0]; err != nil || o.Partition.ID != esp.ID || o.Partition.StartLBA != uint64(esp.StartBytes/512) {
		t.Errorf("the boot option starts %+v, %v", o, err)
	}
}

// TestSilentOrder says nothing: what was done is in its report.
func TestSilentOrder(t *testing.T) {
	i, out := machine(t, nil)
	i.Silent = true
	report, err := i.Do(t.Context(), Order{Disk: "sdb", Yes: "serial-sdb"}, nil)
	if err != nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, out)
	}
	if text, err := json.Marshal(report); err != nil || !strings.Contains(string(text), `"warnings":["the firmware keeps no boot entries`) {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := i.Do(t.Context(), Order{Disk: "sda", Yes: "serial-sda"}, nil); err == nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, out)
	}
}

// TestInterruptedOrder tells a person who leaves from an installation that is broken off.
func TestInterruptedOrder(t *testing.T) {
	i, out := machine(t, nil)
	if _, err := i.Do(t.Context(), Order{Disk: "sdb"}, func(string) (string, error) { return "", context.Canceled }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	says(t, out, nil, "INSTALL_FAILED")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := i.Do(ctx, Order{Disk: "sdb"}, func(string) (string, error) { cancel(); return "serial-sdb", nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	says(t, out, []string{"[RAYOS_INSTALLER:INSTALL_FAILED] disk=sdb", "context canceled; "})

	ctx, cancel = context.WithCancel(t.Context())
	i.Out = atText{out, "checking the disk ...", cancel}
	if _, err := i.Do(ctx, Order{Disk: "sdc", Yes: "serial-sdc"}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	says(t, out, []string{`[RAYOS_INSTALLER:INSTALL_FAILED] disk=sdc, reason="verify sdc: `, `context canceled; it is written, but not checked: install --verify sdc does that"`})
}

// atText is an output at which something happens when a text is written.
type atText struct {
	io.Writer
	text string
	do   func()
}

func (a atText) Write(b []byte) (int, error) {
	if strings.Contains(string(b), a.text) {
		a.do()
	}
	return a.Writer.Write(b)
}
