package commands

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/service"
)

const servicesLong = `Services shows what process 1 keeps running, and how it ended last. What a
service writes is in the log: log show --source NAME. Services that are added
here last until the machine's next start; files in /etc/rayos/services define
lasting ones.`

func newServices(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:  "services",
		Long: servicesLong,
		Example: "  services\n  services --json\n  services restart guest:linux\n" +
			"  services add watcher --restart always --memory 64M -- /bin/sh /root/watch.sh",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return askServices(e, service.Request{Verb: service.VerbList}, asJSON)
		},
	}
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, v := range []struct{ verb, short string }{
		{service.VerbStart, "Start a service that does not run, and those that it comes after"},
		{service.VerbStop, "End a service, until it is started or the machine is"},
		{service.VerbRestart, "End a service and start it"},
		{service.VerbRemove, "End a service and forget it, until the machine's next start"},
	} {
		cmd.AddCommand(&cobra.Command{
			Use:               v.verb + " NAME",
			Short:             v.short,
			Args:              cobra.ExactArgs(1),
			ValidArgsFunction: e.completeService,
			RunE: func(_ *cobra.Command, args []string) error {
				return askServices(e, service.Request{Verb: v.verb, Name: args[0]}, asJSON)
			},
		})
	}
	cmd.AddCommand(newServicesAdd(e, &asJSON))
	return cmd
}

func newServicesAdd(e *env, asJSON *bool) *cobra.Command {
	var d service.Definition
	var restart, memory string
	cmd := &cobra.Command{
		Use:   "add NAME [flags] -- PROGRAM [ARGUMENT...]",
		Short: "Have process 1 run a program as a service, until the next start",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			d.Name, d.Program, d.Restart = args[0], args[1:], service.Policy(restart)
			if memory != "" {
				if d.Limits.MemoryBytes, err = service.ParseBytes(memory); err != nil {
					return cli.Usage(err)
				}
			}
			return askServices(e, service.Request{Verb: service.VerbAdd, Name: d.Name, Define: &d}, *asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&restart, "restart", string(service.OnFailure), "when it is started again:\n"+strings.Join(policies(), ", "))
	flags.IntVar(&d.Restarts, "restarts", service.DefaultLimit.Restarts, "that many restarts within 5 minutes; one more and\nit has failed; -1: no limit")
	flags.BoolVar(&d.Critical, "critical", false, "the machine is of no use without it: if it fails\nbefore GOLDEN, the boot has failed")
	flags.StringSliceVar(&d.After, "after", nil, "services that are started before")
	flags.DurationVar(&d.Stop, "stop", service.DefaultStop, "time to end in until it is killed")
	flags.DurationVar(&d.Beat, "beat", 0, "it gives a sign of life so often, or the\nhardware watchdog resets the machine")
	flags.StringVar(&memory, "memory", "", "memory that it may use, such as 64M")
	flags.IntVar(&d.Limits.Processes, "processes", 0, "processes that it may have")
	flags.IntVar(&d.Limits.CPUPercent, "cpu", 0, "percent of one processor that it may use")
	flags.Uint64Var(&d.Limits.OpenFiles, "files", 0, "files that each process may have open")
	complete(cmd, "restart", policies())
	return cmd
}

func policies() (names []string) {
	for _, p := range service.Policies() {
		names = append(names, string(p))
	}
	return names
}

// completeService completes the name of a service.
func (e *env) completeService(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	states, err := e.services(service.Request{Verb: service.VerbList})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, s := range states {
		names = append(names, s.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// askServices asks process 1 and shows how the services stand then: all of them, or
// the one that something was done with.
func askServices(e *env, r service.Request, asJSON bool) error {
	states, err := e.services(r)
	if err != nil {
		return err
	}
	if r.Name != "" {
		states = slices.DeleteFunc(states, func(s service.State) bool { return s.Name != r.Name })
	}
	if asJSON {
		return indented(e.stdout, append([]service.State{}, states...))
	}
	if len(states) == 0 && r.Verb == service.VerbRemove {
		_, err := fmt.Fprintf(e.stdout, "%s is gone.\n", r.Name)
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tSTATE\tSTARTS\tSINCE\tPID\tLAST END")
	for _, s := range states {
		pid := ""
		if s.PID != 0 {
			pid = strconv.Itoa(s.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d s\t%s\t%.28s\n", s.Name, s.Condition, s.Starts, int(s.Since.Seconds()), orDash(pid), orDash(s.LastEnd))
	}
	return w.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
