package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/raylog"
)

// openLog opens the log of the machine below root, for reading.
func openLog(root string) (*raylog.Ring, func() error, error) {
	facts, err := bootfacts.Read(root)
	if err != nil {
		return nil, nil, err
	}
	place := logstore.InMemory(root)
	if facts.LogVolatile == "" {
		place = logstore.OnDisk(root, facts.Kernel)
	}
	return logstore.OpenReader(place, raylog.InstallLogID(facts.InstallID))
}

func newLogLevel(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "level [LEVEL]",
		Short:             "Show or set the least level that is kept, until the next start",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: oneOf(levels()...),
		RunE:              func(_ *cobra.Command, args []string) error { return logThreshold(e, args, asJSON) },
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

// logThreshold shows or sets the least level that is kept.
func logThreshold(e *env, args []string, asJSON bool) error {
	request := logstore.Request{Verb: logstore.VerbLevel}
	if len(args) > 0 {
		if _, err := raylog.ParseLevel(args[0]); err != nil {
			return cli.Usage(err)
		}
		request.Level = args[0]
	}
	level, err := e.logs.ask(request)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(e.stdout).Encode(map[string]raylog.Level{"level": level})
	}
	_, err = fmt.Fprintf(e.stdout, "The log keeps %v and above, until the next start.\n", level)
	return err
}

func newLogAdd(e *env) *cobra.Command {
	var level, source string
	cmd := &cobra.Command{
		Use:   "add [--level LEVEL] [--source NAME] MESSAGE...",
		Short: "Keep a message",
		Long:  "Add keeps a message. From level warn on it is on the disk when the command ends.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, words []string) error {
			if _, err := raylog.ParseLevel(level); err != nil {
				return cli.Usage(err)
			}
			_, err := e.logs.ask(logstore.Request{Verb: logstore.VerbAdd, Level: level, Source: source, Message: strings.Join(words, " ")})
			return err
		},
	}
	levelFlag(cmd, &level, "info", "how much it matters")
	cmd.Flags().StringVar(&source, "source", "shell", "who says it")
	cmd.Flags().SetInterspersed(false) // what looks like an option behind the first word is part of the message
	return cmd
}

func newLogClear(e *env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "clear",
		Short:             "Begin anew; older records are shown to who asks for --all",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return clearLog(e, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it without asking")
	return cmd
}

// clearLog begins anew, when it was confirmed.
func clearLog(e *env, yes bool) error {
	if !yes {
		if err := confirmClear(e); err != nil {
			return err
		}
	}
	if _, err := e.logs.ask(logstore.Request{Verb: logstore.VerbClear}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.stdout, "The log is cleared. log show --all shows what was there before, as long as\nnothing newer takes its place.")
	return err
}

func confirmClear(e *env) error {
	tty, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return errors.New("nobody can be asked here: add --yes to clear the log")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	answer, err := asker(ctx, tty, e.stdout)("This clears the log. Type yes to do it: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done: the answer was not yes")
	}
	return nil
}
