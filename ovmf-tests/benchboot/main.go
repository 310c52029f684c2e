// Command benchboot tells what the way from the firmware to the kernel costs: with RayOS's boot manager, with
// systemd-boot, and with the kernel started by the firmware itself. All three boot the same kernel, initrd and command
// line from the same EFI System Partition; only the firmware's boot option differs.
//
// The measure is guest instructions, counted by a plugin of QEMU's software emulation, from the firmware's "loading" line to
// the kernel's first line: it hardly depends on the host's load, as time would. Where the plugin cannot be built, it is
// time. The loaders take turns in changing order, and the median is what counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

const systemdBoot = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchboot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("benchboot", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dist := flags.String("dist", "dist", "folder of the built files")
	runs := flags.Int("runs", 6, "boots of each loader")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *runs < 1 {
		return fmt.Errorf("-runs %d: at least one boot is needed", *runs)
	}
	b, err := prepare(ctx, *dist, stderr)
	if err != nil {
		return err
	}
	defer func() { err = b.close(err) }()
	samples := map[string][]float64{}
	for i := range *runs {
		for j := range b.loaders {
			l := b.loaders[(i+j)%len(b.loaders)]
			cost, err := b.measure(ctx, l)
			if err != nil {
				return fmt.Errorf("boot with %s: %w", l.name, err)
			}
			samples[l.name] = append(samples[l.name], cost)
			fmt.Fprintf(stderr, "run %d of %d: %-15s %7.1f %s\n", i+1, *runs, l.name, cost, b.unit())
		}
	}
	return b.report(stdout, samples)
}
