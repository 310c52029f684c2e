// Command bench-install measures how fast rayimg install writes, beside dd with the same
// block size to the same file in the same run, and how much memory it needs. Both write
// the same 300 MiB, durable at the end; rayimg adds the rest of RayOS. The two take turns, and
// the best of each counts: what else runs on the machine only makes either slower. A missed
// bar is a failure.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Sizes in bytes.
const (
	diskBytes    = 80_000_000_000
	payloadBytes = 300 << 20 // most of what an ESP can hold
	blockBytes   = 1 << 20   // in which both write
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench-install:", err)
		os.Exit(1)
	}
}

// sample is one measurement.
type sample struct {
	bytesPerSecond float64
	peakBytes      int64 // most that was resident (VmHWM)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench-install", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dist := flags.String("dist", "dist", "folder of the built files")
	runs := flags.Int("runs", 5, "how often each way is measured")
	folder := flags.String("dir", ".", "folder on the disk to write to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return fmt.Errorf("-runs %d: at least one is needed", *runs)
	}
	dir, err := os.MkdirTemp(*folder, ".bench-install-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	payload := filepath.Join(dir, "payload", "noise")
	if err := writeNoise(payload); err != nil {
		return err
	}
	target := filepath.Join(dir, "disk.img")
	var ours, peer []sample
	for i := range *runs {
		a, err := install(ctx, filepath.Join(*dist, "rayimg"), target, filepath.Dir(payload))
		if err != nil {
			return err
		}
		b, err := dd(ctx, payload, target)
		if err != nil {
			return err
		}
		ours, peer = append(ours, a), append(peer, b)
		fmt.Fprintf(stderr, "run %d of %d: rayimg install %.0f MB/s, dd %.0f MB/s\n", i+1, *runs, a.bytesPerSecond/1e6, b.bytesPerSecond/1e6)
	}
	return report(stdout, ours, peer)
}

// writeNoise writes bytes that no disk can compress.
func writeNoise(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	b := make([]byte, payloadBytes)
	rand.New(rand.NewSource(1)).Read(b)
	return os.WriteFile(name, b, 0o644)
}

// fresh makes the target an empty sparse file, with nothing else left to be written.
func fresh(target string) error {
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(target, diskBytes); err != nil {
		return err
	}
	syscall.Sync()
	return nil
}

// install measures rayimg install, which tells how long it wrote.
func install(ctx context.Context, rayimg, target, payload string) (sample, error) {
	if err := fresh(target); err != nil {
		return sample{}, err
	}
	cmd := exec.CommandContext(ctx, rayimg, "install", "--to", target, "--yes", filepath.Base(target), "--payload", payload, "--json")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		return sample{}, fmt.Errorf("rayimg install: %w", err)
	}
	peak := watchPeak(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		return sample{}, fmt.Errorf("rayimg install: %w: %s", err, log.Bytes())
	}
	var report struct {
		Written struct {
			WrittenBytes int64   `json:"writtenBytes"`
			WriteSeconds float64 `json:"writeSeconds"`
		} `json:"written"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return sample{}, fmt.Errorf("rayimg install: %w", err)
	}
	if report.Written.WrittenBytes < payloadBytes || report.Written.WriteSeconds <= 0 {
		return sample{}, fmt.Errorf("rayimg install says it has written %d bytes in %v s", report.Written.WrittenBytes, report.Written.WriteSeconds)
	}
	most := <-peak
	if most == 0 {
		return sample{}, errors.New("rayimg install: its peak memory could not be read")
	}
	return sample{float64(report.Written.WrittenBytes) / report.Written.WriteSeconds, most}, nil
}

// watchPeak reads the peak of a process's memory again and again, and tells the last one when
// the process has ended. What wait(2) tells would be that of this process, if that is more.
func watchPeak(pid int) <-chan int64 {
	last := make(chan int64, 1)
	go func() {
		var peak int64
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			now, ok := peakIn(string(status))
			if err != nil || !ok { // it has ended
				last <- peak
				return
			}
			peak = now
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return last
}

// peakIn finds VmHWM, in bytes, in what /proc tells of a process.
func peakIn(status string) (int64, bool) {
	for line := range strings.Lines(status) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(words[1], 10, 64)
			return kib << 10, err == nil
		}
	}
	return 0, false
}

// dd measures dd with the same blocks to the same file.
func dd(ctx context.Context, payload, target string) (sample, error) {
	if err := fresh(target); err != nil {
		return sample{}, err
	}
	cmd := exec.CommandContext(ctx, "dd", "if="+payload, "of="+target, fmt.Sprint("bs=", blockBytes), "conv=fsync,notrunc", "status=none")
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("dd: %w: %s", err, out)
	}
	return sample{bytesPerSecond: payloadBytes / time.Since(start).Seconds()}, nil
}
