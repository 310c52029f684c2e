package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/rayos/rayboot/tools/mkimage/image"
)

// sample is one measured way to an image.
type sample struct {
	time      time.Duration // wall clock
	cpu       time.Duration // user and system
	peak      int64         // resident bytes of the largest process
	allocated int64         // bytes on the host's file system
}

// measure runs the commands that make an image, has rayimg verify it, and
// removes it.
func (b *bench) measure(ctx context.Context, name string, commands func(image string) [][]string) (s sample, err error) {
	path := filepath.Join(b.dir, name)
	for _, args := range commands(path) {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		start := time.Now()
		out, err := cmd.CombinedOutput()
		s.time += time.Since(start)
		if err != nil {
			return s, fmt.Errorf("%v: %w\n%s", args, err, out)
		}
		s.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return s, errors.New("no resource usage on this system")
		}
		s.peak = max(s.peak, usage.Maxrss<<10)
	}
	if s.allocated, err = image.AllocatedBytes(path); err != nil {
		return s, err
	}
	if err := b.command(ctx, b.rayimg, "verify", path); err != nil {
		return s, err
	}
	return s, os.Remove(path)
}

// The bars for rayimg build.
const (
	barTime   = 2 * time.Second
	barPeak   = 200_000_000
	barBlocks = 1.3 // times the payload
)

func median[T int64 | time.Duration](samples []sample, of func(sample) T) T {
	var values []T
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func report(w io.Writer, payload int64, ours, peers []sample) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "payload %.1f MB, median of %d\ttime\tCPU\tpeak RSS\tdisk blocks\tof payload\t\n", mega(payload), len(ours))
	for _, row := range []struct {
		name    string
		samples []sample
	}{{"rayimg build", ours}, {"sgdisk + mkfs.vfat + mcopy + dd", peers}} {
		blocks := median(row.samples, func(s sample) int64 { return s.allocated })
		fmt.Fprintf(out, "%s\t%.2f s\t%.2f s\t%.0f MB\t%.1f MB\t%.2f\t\n", row.name,
			median(row.samples, func(s sample) time.Duration { return s.time }).Seconds(),
			median(row.samples, func(s sample) time.Duration { return s.cpu }).Seconds(),
			mega(median(row.samples, func(s sample) int64 { return s.peak })),
			mega(blocks), float64(blocks)/float64(payload))
	}
	fmt.Fprintf(out, "bar for rayimg build\t%.2f s\t\t%.0f MB\t%.1f MB\t%.2f\t\n", barTime.Seconds(), mega(barPeak), barBlocks*mega(payload), barBlocks)
	return out.Flush()
}

func mega(n int64) float64 { return float64(n) / 1e6 }
