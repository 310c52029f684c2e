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

	"github.com/rayos/rayboot/installer/write"
	"github.com/rayos/rayboot/tools/mkimage/session"
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
found problems; 4 run waited in vain; 130 interrupted. Whatever the status, no
half-written image is left behind.`

// errUsage marks errors in the command line itself.
var errUsage = errors.New("wrong usage")

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
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, "See rayimg --help, or --help behind the command.")
		return exitUsage
	case errors.Is(err, session.ErrNotReached):
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
		Use:           "rayimg",
		Short:         "Make RayOS disk images and work with them",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(
		newBuildCmd(),
		newInspectCmd(),
		newVerifyCmd(),
		newRunCmd(),
		newDisksCmd(),
		newInstallCmd(),
		newBootmgrCmd(),
		newRecoveryCmd(),
		newLogCmd(),
		newTimelineCmd(),
		newEFICmd(),
		newKernelCmd(),
		newRuntimeCmd(),
		newVersionCmd(),
	)
	checkUsage(root)
	return root
}

// checkUsage makes wrong arguments of cmd and of all commands below it wrong
// usage, and has a command that only groups others print its help.
func checkUsage(cmd *cobra.Command) {
	if cmd.HasSubCommands() {
		cmd.Args = noSuchCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	cmd.Args = usageArgs(cmd.Args)
	for _, sub := range cmd.Commands() {
		checkUsage(sub)
	}
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		return fmt.Errorf("%s has no command %q; did you mean %s?", cmd.CommandPath(), args[0], like[0])
	}
	return fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
}

func usage(err error) error {
	if err == nil || errors.Is(err, errUsage) {
		return err
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}

// usageArgs marks the errors of an argument check as wrong usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil
	}
	return func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
}
