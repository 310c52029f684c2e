// Command benchstate tells what the boot manager's own work costs, in instructions, each beside its bar: loading and saving the
// boot state, and digesting a kernel with its initrd.
//
// The state is loaded and saved by a program under OVMF in QEMU, whose counting plugin sees marks in the program. QEMU's
// processor may have no SHA extensions, so the digest is counted on this host's too, by single-stepping a Linux program that
// runs the same code over less data. Nothing depends on how fast the host is or what else it does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchstate:", err)
		os.Exit(1)
	}
}

var errMissed = errors.New("a bar is missed")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("benchstate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rayimg := flags.String("rayimg", "dist/rayimg", "program that builds the disk image and EFI applications")
	if err := flags.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "benchstate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	spans, err := runMachine(ctx, *rayimg, folder)
	if err != nil {
		return fmt.Errorf("count under QEMU: %w", err)
	}
	host, err := digestOnHost(ctx, folder)
	if err != nil {
		return fmt.Errorf("count on this host: %w", err)
	}
	rows := append(stateRows(spans), digestRows(spans, host)...)
	if err := report(stdout, rows); err != nil {
		return err
	}
	if missed(rows) {
		return errMissed
	}
	return nil
}
