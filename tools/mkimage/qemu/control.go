package qemu

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
)

// Reset resets the machine, as its reset button would.
func (p *Process) Reset(ctx context.Context) error {
	return p.QMP.Execute(ctx, "system_reset", nil, nil)
}

// PowerOn switches on a machine that the guest has switched off and that was started with -no-shutdown.
func (p *Process) PowerOn(ctx context.Context) error {
	if err := p.Reset(ctx); err != nil {
		return err
	}
	return p.QMP.Execute(ctx, "cont", nil, nil)
}

// BlockStats is what the guest has had a disk do since QEMU's start.
type BlockStats struct {
	WriteOperations int64 `json:"wr_operations"`
	WrittenBytes    int64 `json:"wr_bytes"`
	FlushOperations int64 `json:"flush_operations"`
}

// BlockStats asks for the statistics of the disk with this index.
func (p *Process) BlockStats(ctx context.Context, disk int) (BlockStats, error) {
	var all []struct {
		Device string
		Stats  BlockStats
	}
	if err := p.QMP.Execute(ctx, "query-blockstats", nil, &all); err != nil {
		return BlockStats{}, err
	}
	for _, s := range all {
		if s.Device == fmt.Sprintf("disk%d", disk) {
			return s.Stats, nil
		}
	}
	return BlockStats{}, fmt.Errorf("statistics of disk %d: the machine has no such disk", disk)
}

// PowerButton presses the ACPI power button; what follows is up to the guest.
func (p *Process) PowerButton(ctx context.Context) error {
	return p.QMP.Execute(ctx, "system_powerdown", nil, nil)
}

// Quit ends QEMU in an orderly way (the guest notices nothing) and waits for its end.
func (p *Process) Quit(ctx context.Context) error {
	if err := p.QMP.Execute(ctx, "quit", nil, nil); err != nil {
		select {
		case <-p.done: // the connection may end before the answer to the last command
		default:
			return err
		}
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("wait for QEMU's end: %w", context.Cause(ctx))
	}
}

// Screenshot returns what the guest's screen shows now.
func (p *Process) Screenshot(ctx context.Context) (image.Image, error) {
	path := filepath.Join(p.folder, "screen.png")
	args := map[string]string{"filename": path, "format": "png"}
	if err := p.QMP.Execute(ctx, "screendump", args, nil); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the screenshot: %w", err)
	}
	picture, err := png.Decode(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the screenshot: %w", err)
	}
	return picture, nil
}

// Key names a key of the emulated keyboard as QEMU's QKeyCode does.
type Key string

// Keys that have no printable character.
const (
	KeyEnter     Key = "ret"
	KeyEscape    Key = "esc"
	KeyUp        Key = "up"
	KeyDown      Key = "down"
	KeyHome      Key = "home"
	KeyEnd       Key = "end"
	KeyBackspace Key = "backspace"
)

// holdMilliseconds is how long a key stays down: long enough for a keyboard that is polled by slow firmware, and short
// enough that it does not repeat.
const holdMilliseconds = 100

// PressKeys presses and releases the keys one after the other on the emulated keyboard. The names of letters and digits
// are the characters themselves: PressKeys(ctx, "j", KeyEnter).
func (p *Process) PressKeys(ctx context.Context, keys ...Key) error {
	for _, key := range keys {
		if err := p.PressChord(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// PressChord presses keys, holds them together, and releases them.
func (p *Process) PressChord(ctx context.Context, keys ...Key) error {
	type keyValue struct {
		Type string `json:"type"`
		Data Key    `json:"data"`
	}
	var values []keyValue
	for _, key := range keys {
		values = append(values, keyValue{"qcode", key})
	}
	args := map[string]any{"keys": values, "hold-time": holdMilliseconds}
	if err := p.QMP.Execute(ctx, "send-key", args, nil); err != nil {
		return fmt.Errorf("press keys %v: %w", keys, err)
	}
	return nil
}
