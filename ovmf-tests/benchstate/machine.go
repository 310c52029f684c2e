package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rayos/rayboot/ovmf-tests/espdisk"
	"github.com/rayos/rayboot/ovmf-tests/icount"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// limit is the longest that the machine may take.
const limit = 5 * time.Minute

// span is one step of the program statecost.
type span struct {
	name string
	cost uint64 // instructions
}

// runMachine lets statecost run from the ESP of an image as users get it.
func runMachine(ctx context.Context, rayimg, folder string) ([]span, error) {
	firmware, err := qemu.FindFirmware(qemu.Plain)
	if err != nil {
		return nil, err
	}
	disk, err := makeDisk(ctx, rayimg, folder)
	if err != nil {
		return nil, err
	}
	counter, err := icount.New(ctx, folder)
	if err != nil {
		return nil, err
	}
	transcript, err := boot(ctx, qemu.Machine{
		Firmware: firmware, KVM: qemu.KVMOff, Disks: []qemu.Disk{{Path: disk}}, Extra: counter.Arguments(),
	})
	if err != nil {
		return nil, err
	}
	names, err := spanNames(transcript)
	if err != nil {
		return nil, err
	}
	marks, err := counter.Marks()
	if err != nil {
		return nil, err
	}
	return pair(names, marks)
}

func makeDisk(ctx context.Context, rayimg, folder string) (string, error) {
	disk, app, file := filepath.Join(folder, "disk.img"), filepath.Join(folder, "statecost.efi"), filepath.Join(folder, "four-kib")
	err := errors.Join(
		tool(ctx, rayimg, "build", disk),
		tool(ctx, rayimg, "efi", "build", "./ovmf-tests/apps/statecost", "-o", app),
		os.WriteFile(file, make([]byte, 4096), 0o600))
	if err == nil {
		err = errors.Join(
			espdisk.Put(ctx, disk, "EFI/BOOT/BOOTX64.EFI", app),
			espdisk.Put(ctx, disk, "four-kib", file))
	}
	return disk, err
}

// tool runs a program of the host.
func tool(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// boot runs the machine until it switches itself off, and returns what it wrote on its serial port.
func boot(ctx context.Context, m qemu.Machine) (transcript string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the machine did not switch itself off in time"))
	defer cancel()
	p, err := m.Start(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	said, err := io.ReadAll(p.Serial)
	if err == nil {
		err = p.Wait()
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var plain qemu.PlainText
	return string(plain.Append(nil, said)), err
}

// spanNames reads the lines of statecost.
func spanNames(transcript string) (names []string, err error) {
	passed := false
	for line := range strings.Lines(transcript) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "span "); ok {
			names = append(names, name)
		}
		if strings.HasPrefix(line, "FAIL ") {
			return nil, fmt.Errorf("statecost says %q", line)
		}
		passed = strings.HasPrefix(line, "PASS ") || passed
	}
	if !passed {
		return nil, fmt.Errorf("statecost did not come to its end:\n%s", transcript)
	}
	return names, nil
}

// pair gives each span the instructions between its two marks.
func pair(names []string, marks []uint64) ([]span, error) {
	if len(marks) != 2*len(names) {
		return nil, fmt.Errorf("%d marks for %d spans", len(marks), len(names))
	}
	spans := make([]span, len(names))
	for i, name := range names {
		spans[i] = span{name, marks[2*i+1] - marks[2*i]}
	}
	return spans, nil
}
