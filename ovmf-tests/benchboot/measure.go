package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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

func (b *bench) unit() string {
	if b.counter == nil {
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
	m := qemu.Machine{
		Firmware: b.firmware, VarStore: vars, KVM: qemu.KVMOff,
		Disks: []qemu.Disk{{Path: b.disk, Snapshot: true}},
	}
	if b.counter != nil {
		m.Extra = b.counter.Arguments()
	}
	p, err := m.Start(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	cost, err = span(p, l, b.now)
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
func (b *bench) now() (float64, error) {
	if b.counter == nil {
		return float64(time.Now().UnixMicro()) / 1e3, nil
	}
	count, err := b.counter.Now()
	return float64(count) / 1e6, err
}
