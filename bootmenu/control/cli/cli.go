// Package cli is what the command lines of rayimg and of the runtime's shell have
// in common: how a tree of cobra commands treats wrong usage, and the verbs of
// package control as cobra commands.
package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
)

// Usage marks an error as one about the command line itself: it is
// [control.ErrUsage] then.
func Usage(err error) error {
	if err == nil || errors.Is(err, control.ErrUsage) {
		return err
	}
	return fmt.Errorf("%w: %w", control.ErrUsage, err)
}

// Finish readies a whole tree of commands: wrong flags, wrong arguments and verbs
// that do not exist are wrong usage, a command that only groups others prints its
// help, and it is left to the caller to print errors.
func Finish(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	finish(root)
}

func finish(cmd *cobra.Command) {
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args = noSuchCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return Usage(check(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		finish(sub)
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
