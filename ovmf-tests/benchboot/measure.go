package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// The lines between which is measured, and the longest that a boot may take to the second one.
const (
	firstLine = "BdsDxe: loading Boot"
	lastLine  = "Linux version "
	limit     = 3 * time.Minute
)

// pluginSource is where the source is, seen from the root of the repository.
const pluginSource = "ovmf-tests/icount/icount.c"

func (b *bench) buildPlugin(ctx context.Context) error {
	plugin := filepath.Join(b.folder, "icount.so")
	out, err := exec.CommandContext(ctx, "gcc", "-O2", "-shared", "-fPIC", "-o", plugin, pluginSource).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the counting plugin: %w %s", err, out)
	}
	b.plugin = plugin
	return nil
}

func (b *bench) unit() string {
	if b.plugin == "" {
		return "ms"
	}
	return "million instructions"
}

// measure boots once and returns the cost in b's unit.
func (b *bench) measure(ctx context.Context, l loader) (cost float64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the kernel did not start in time"))
	defer cancel()
	vars, err := b.newVarStore(l)
	if err != nil {
		return 0, err
	}
	counter := filepath.Join(b.folder, "count")
	m := qemu.Machine{
		Firmware: b.firmware, VarStore: vars, KVM: qemu.KVMOff,
		Disks: []qemu.Disk{{Path: b.disk, Snapshot: true}},
	}
	if b.plugin != "" {
		m.Extra = []string{"-plugin", b.plugin + ",count=" + counter}
	}
	p, err := m.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	meter := func() (float64, error) { return b.now(counter) }
	cost, err = span(p, l, meter)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return cost, err
}

// span reads the serial port up to the kernel's first line.
func span(p *qemu.Process, l loader, now func() (float64, error)) (float64, error) {
	var start float64
	started := false
	for lines := bufio.NewScanner(p.Serial); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.Contains(line, firstLine):
			if !strings.Contains(line, l.name) {
				return 0, fmt.Errorf("the firmware chose something else: %q", line)
			}
			var err error
			if start, err = now(); err != nil {
				return 0, err
			}
			started = true
		case started && strings.Contains(line, lastLine):
			end, err := now()
			return end - start, err
		}
	}
	return 0, errors.New("the machine ended before the kernel's first line")
}

// now reads the clock of the measurement: instructions in millions, or milliseconds.
func (b *bench) now(counter string) (float64, error) {
	if b.plugin == "" {
		return float64(time.Now().UnixMicro()) / 1e3, nil
	}
	f, err := os.Open(counter)
	if err != nil {
		return 0, err
	}
	var count [8]byte
	_, err = f.ReadAt(count[:], 0)
	return float64(binary.NativeEndian.Uint64(count[:])) / 1e6, errors.Join(err, f.Close())
}
