// Command bench-image measures rayimg build beside sgdisk, mkfs.vfat and mcopy,
// which make the same layout with the same content: time, peak memory, and
// disk blocks. rayimg also packs the kernel modules and checks its parts; the
// peers get all files ready-made. Both flush the image to the disk. The two take
// turns, and the median counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench-image:", err)
		os.Exit(1)
	}
}

// bench is what the measurements share.
type bench struct {
	rayimg string
	dir    string // for images and the peers' input
	log    io.Writer
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench-image", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dist := flags.String("dist", "dist", "folder of the built files")
	runs := flags.Int("runs", 7, "how often each way is measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return fmt.Errorf("-runs %d: at least one is needed", *runs)
	}
	dir, err := os.MkdirTemp(".", ".bench-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{rayimg: filepath.Join(*dist, "rayimg"), dir: dir, log: stderr}
	content, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	var ours, peers []sample
	for i := range *runs {
		s, err := b.measure(ctx, "rayimg.img", func(image string) [][]string { return [][]string{b.build(image)} })
		if err != nil {
			return err
		}
		ours = append(ours, s)
		if s, err = b.measure(ctx, "peers.img", content.commands); err != nil {
			return err
		}
		peers = append(peers, s)
		fmt.Fprintf(stderr, "run %d of %d: rayimg %v, peers %v\n", i+1, *runs, ours[i].time, peers[i].time)
	}
	return report(stdout, content.bytes, ours, peers)
}

// build is the command line that is measured.
func (b *bench) build(image string) []string {
	return []string{b.rayimg, "build", image, "--seed", "bench"}
}

// prepare makes one image, which also fills the kernel cache, and takes the
// peers' input from it.
func (b *bench) prepare(ctx context.Context) (content, error) {
	image := filepath.Join(b.dir, "first.img")
	if err := b.command(ctx, b.build(image)...); err != nil {
		return content{}, err
	}
	return extract(image, filepath.Join(b.dir, "input"))
}

func (b *bench) command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return nil
}
