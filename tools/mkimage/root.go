package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/session"
	"github.com/rayos/rayboot/tools/mkimage/showing"
)

// Exit statuses of rayimg, as documented in its help.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitFindings    = 3
	exitNotReached  = 4
	exitInterrupted = 130
)

const rootLong = `rayimg makes bootable RayOS disk images and works with them. An image is one
sparse file with a GUID partition table, an EFI System Partition with the boot
manager, and a kernel slot; it starts on any UEFI machine and in QEMU.

Exit status: 0 done; 1 the operation did not succeed; 2 wrong usage; 3 verify
found problems; 4 run or show waited in vain; 130 interrupted. Whatever the
status, no half-written image is left behind.`

// errFindings ends verify when there are problems, which it has printed.
var errFindings = errors.New("problems were found")

// run executes one command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	root := newRootCmd()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, context.Canceled) && !begun(err):
		fmt.Fprintln(stderr, "rayimg: interrupted; nothing was left behind")
		return exitInterrupted
	}
	fmt.Fprintln(stderr, "rayimg:", err)
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, control.ErrUsage):
		fmt.Fprintln(stderr, "See rayimg --help, or --help behind the command.")
		return exitUsage
	case errors.Is(err, session.ErrNotReached), errors.Is(err, showing.ErrNotSaid):
		return exitNotReached
	}
	return exitFailure
}

// begun reports whether something was left behind: a disk that was being written.
func begun(err error) bool {
	var failed *write.FailedError
	return errors.As(err, &failed) && failed.State != write.Untouched
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "rayimg",
		Short: "Make RayOS disk images and work with them",
		Long:  rootLong,
	}
	root.AddCommand(
		newBuildCmd(),
		newInspectCmd(),
		newVerifyCmd(),
		newRunCmd(),
		newShowCmd(),
		newDisksCmd(),
		newInstallCmd(),
		newUpgradeCmd(),
		newBootmgrCmd(),
		newRecoveryCmd(),
		newLogCmd(),
		newTimelineCmd(),
		newEFICmd(),
		newKernelCmd(), newQEMUCmd(),
		newRuntimeCmd(),
		newVersionCmd(),
	)
	cli.Finish(root)
	return root
}

// usage marks an error as one about the command line itself.
func usage(err error) error { return cli.Usage(err) }
