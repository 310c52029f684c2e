package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/watchdog"
)

const watchdogLong = `Watchdog shows and changes what process 1 does with the hardware watchdog. It
feeds it as long as it works itself and the services answer that it watches.`

// watchdogVerb is a verb of the command watchdog.
type watchdogVerb struct {
	name, short string
	answer      func(s watchdog.Status) string
}

var watchdogVerbs = []watchdogVerb{
	{watchdog.VerbStatus, "Show how the watchdog stands", watchdog.Status.String},
	{watchdog.VerbArm, "Have it reset a machine that hangs", func(s watchdog.Status) string {
		return fmt.Sprintf("The watchdog %s resets the machine when it was not fed for %v.", s.Device, time.Duration(s.Timeout)*time.Millisecond)
	}},
	{watchdog.VerbDisarm, "Stop it, until the next start", func(watchdog.Status) string {
		return "The watchdog is stopped: nothing resets a machine that hangs."
	}},
	{watchdog.VerbKick, "Feed it once; process 1 does so all the time", func(s watchdog.Status) string {
		return fmt.Sprintf("The watchdog %s was fed.", s.Device)
	}},
	{watchdog.VerbPolicy, "Show or set what is done before it resets the machine", func(s watchdog.Status) string {
		return "The policy is " + s.Policy + ", until the next start."
	}},
}

func newWatchdog(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "watchdog",
		Long:    watchdogLong,
		Example: "  watchdog status\n  watchdog status --json\n  watchdog policy recovery-boot\n  watchdog disarm",
	}
	for _, v := range watchdogVerbs {
		cmd.AddCommand(newWatchdogVerb(e, v))
	}
	return cmd
}

func newWatchdogVerb(e *env, v watchdogVerb) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               v.name,
		Short:             v.short,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			request := watchdog.Request{Verb: v.name, Policy: strings.Join(args, "")}
			if request.Policy != "" {
				if _, err := watchdog.ParsePolicy(request.Policy); err != nil {
					return cli.Usage(err)
				}
			}
			status, err := e.watchdog(request)
			switch {
			case err != nil:
				return err
			case asJSON:
				return indented(e.stdout, status)
			}
			_, err = fmt.Fprintln(e.stdout, v.answer(status))
			return err
		},
	}
	if v.name == watchdog.VerbPolicy {
		cmd.Use += " [POLICY]"
		cmd.Long = v.short + ".\n\nPolicies: " + strings.Join(watchdog.PolicyNames(), ", ") + "."
		cmd.Args, cmd.ValidArgsFunction = cobra.MaximumNArgs(1), oneOf(watchdog.PolicyNames()...)
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}
