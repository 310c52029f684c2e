// Command benchshow measures how a guest's full page flips of 1920 by 1080 come to
// a process of the host: by our vhost-user-gpu, and by QEMU's VNC to a client with
// raw encoding, beside a plain copy() of the frame as the limit.
package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/showhost"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/display"
)

const (
	width, height = 1920, 1080
	frameBytes    = width * height * 4
	flips         = 200
	work          = "flips:200:1920x1080"
)

// result is what one way has taken.
type result struct {
	frames       int
	took         time.Duration
	client, qemu time.Duration // of processor time
	bytes        uint64        // copied by the client
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "benchshow:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "benchshow")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	guest, err := showhost.Prepare(ctx, dir)
	if err != nil {
		return err
	}
	limit := plainCopy()
	own, latency, killed, err := ours(ctx, guest, dir)
	if err != nil {
		return fmt.Errorf("ours: %w", err)
	}
	vnc, err := viaVNC(ctx, guest, dir)
	if err != nil {
		return fmt.Errorf("VNC: %w", err)
	}
	fmt.Printf("%d by %d, full flips, QEMU %s; copy() of one frame takes %v\n", width, height, guest.Version, limit)
	own.print("vhost-user-gpu")
	vnc.print("VNC, raw")
	fmt.Printf("latency of vhost-user-gpu: p50 %v, p90 %v, p99 %v (bar for p50: %v)\n", latency.P50, latency.P90, latency.P99, latencyBar)
	fmt.Printf("from kill -9 of QEMU to HIDDEN and DESTROY: %v (bar: %v)\n", killed, killedBar)
	return bars(own, vnc, latency, killed, limit)
}

func (r result) rate() float64 { return float64(r.frames) / r.took.Seconds() }

func (r result) print(name string) {
	n := time.Duration(max(r.frames, 1))
	fmt.Printf("%-14s %6.1f frames/s, client %v and QEMU %v of CPU, %d bytes copied per frame\n",
		name, r.rate(), (r.client / n).Round(time.Microsecond), (r.qemu / n).Round(time.Microsecond), r.bytes/uint64(n))
}

// Bars for times.
const (
	latencyBar = time.Millisecond
	killedBar  = 200 * time.Millisecond
)

// bars says which bars were missed.
func bars(own, vnc result, latency presentation.Latency, killed, limit time.Duration) error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("missed: "+what))
		}
	}
	check(own.bytes <= frameBytes*uint64(own.frames), "one copy per changed pixel")
	check(own.rate() >= 5*vnc.rate(), "5 times the frames of VNC")
	check(own.client <= 3*limit*time.Duration(own.frames), "client CPU of 3 times copy()")
	check(latency.P50 < latencyBar, "latency p50 (on a quiet machine)")
	check(killed < killedBar, "HIDDEN and DESTROY after kill -9")
	return errors.Join(errs...)
}

// memorySink is a screen that is only memory.
type memorySink struct{ presentation.Target }

func (m memorySink) Size() image.Point                   { return image.Pt(width, height) }
func (m memorySink) SetCursor(presentation.Cursor) error { return nil }
func (m memorySink) MoveCursor(image.Point) error        { return nil }
func (m memorySink) Blank() error                        { return nil }
func (m memorySink) Draw(p presentation.Picture, damage []image.Rectangle) (n int, err error) {
	for _, r := range damage {
		n += p.Read(m.Target, r)
	}
	return n, nil
}

// ours also returns how long after its end by kill -9 the guest's surface was gone.
func ours(ctx context.Context, guest *showhost.Guest, dir string) (r result, latency presentation.Latency, killed time.Duration, err error) {
	sink := memorySink{presentation.Target{Format: presentation.BGRX, Width: width, Height: height, Stride: width * 4, Bytes: make([]byte, frameBytes)}}
	warn := func(err error) { fmt.Fprintln(os.Stderr, "benchshow:", err) }
	var gone time.Time // of HIDDEN and, after it, DESTROY
	d := display.New(sink, func(m markers.Emitter) {
		if _, ok := m.(markers.PresentationDestroy); ok {
			gone = time.Now()
		}
	}, warn)
	d.Show("linux")
	m, err := guest.Serve(ctx, dir, "linux", work, d.Source("linux"), warn)
	if err != nil {
		return r, latency, 0, err
	}
	defer m.Stop()
	if err := m.Await("flips begin"); err != nil {
		return r, latency, 0, err
	}
	before, begin, stats := usage(m.Cmd.Process.Pid), time.Now(), d.Surfaces()[0].Stats
	if err := m.Await("flips " + strconv.Itoa(flips)); err != nil {
		return r, latency, 0, err
	}
	after, end := usage(m.Cmd.Process.Pid), d.Surfaces()[0].Stats
	r = result{int(end.Drawn - stats.Drawn), time.Since(begin), after[0] - before[0], after[1] - before[1], end.Bytes - stats.Bytes}
	kill := time.Now()
	if err := m.Cmd.Process.Kill(); err != nil {
		return r, latency, 0, err
	}
	if err := <-m.Ended; err != nil {
		return r, latency, 0, err
	}
	if gone.Before(kill) {
		return r, latency, 0, errors.New("the surface of a guest that was killed is still there")
	}
	return r, end.Latency, gone.Sub(kill), nil
}

// usage returns the processor time of this process and of another one's threads,
// without those that run the guest.
func usage(pid int) (u [2]time.Duration) {
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) == nil {
		u[0] = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	}
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)) // a process that is gone takes none
	for _, t := range tasks {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, t.Name()))
		name, rest, ok := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); ok && len(f) > 12 && !strings.Contains(name, "CPU ") {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			u[1] += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return u
}

// plainCopy returns what copying one frame takes out of a memory of many, at the
// best of many times, as others use this machine too.
func plainCopy() time.Duration {
	src, dst := make([]byte, 16*frameBytes), make([]byte, frameBytes)
	for i := range src {
		src[i] = byte(i)
	}
	best := time.Hour
	for i := range 160 {
		begin := time.Now()
		copy(dst, src[i%16*frameBytes:])
		best = min(best, time.Since(begin))
	}
	return best
}
