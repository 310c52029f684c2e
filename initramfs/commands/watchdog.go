package commands

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rayos/rayboot/bootmenu/control"
	"github.com/rayos/rayboot/initramfs/watchdog"
)

// watchdogVerb is a verb of the command watchdog.
type watchdogVerb struct {
	name, args, short string
	most              int // arguments
	answer            func(s watchdog.Status) string
}

var watchdogVerbs = []watchdogVerb{
	{watchdog.VerbStatus, "", "show how the watchdog stands", 0, watchdog.Status.String},
	{watchdog.VerbArm, "", "have it reset a machine that hangs", 0, func(s watchdog.Status) string {
		return fmt.Sprintf("The watchdog %s resets the machine when it was not fed for %v.", s.Device, time.Duration(s.Timeout)*time.Millisecond)
	}},
	{watchdog.VerbDisarm, "", "stop it, until the next start", 0, func(watchdog.Status) string {
		return "The watchdog is stopped: nothing resets a machine that hangs."
	}},
	{watchdog.VerbKick, "", "feed it once; process 1 does so all the time", 0, func(s watchdog.Status) string {
		return fmt.Sprintf("The watchdog %s was fed.", s.Device)
	}},
	{watchdog.VerbPolicy, "[POLICY]", "show or set what is done before it resets the machine", 1, func(s watchdog.Status) string {
		return "The policy is " + s.Policy + ", until the next start."
	}},
}

func watchdogCommand(e *env) error {
	var words []string
	asJSON := false
	for _, arg := range e.args {
		switch {
		case arg == "--json" || arg == "-json":
			asJSON = true
		case arg == "--help" || arg == "-help" || arg == "-h":
			return watchdogHelp(e)
		case strings.HasPrefix(arg, "-"):
			return fmt.Errorf("%w: there is no option %s", control.ErrUsage, arg)
		default:
			words = append(words, arg)
		}
	}
	if len(words) == 0 || words[0] == "help" {
		return watchdogHelp(e)
	}
	return doWatchdog(e, words[0], words[1:], asJSON)
}

func doWatchdog(e *env, name string, args []string, asJSON bool) error {
	verb := findWatchdogVerb(name)
	if verb == nil {
		return fmt.Errorf("%w: there is no %q", control.ErrUsage, e.name+" "+name)
	}
	if len(args) > verb.most {
		return fmt.Errorf("%w: %s has too many arguments", control.ErrUsage, name)
	}
	request := watchdog.Request{Verb: name}
	if len(args) == 1 {
		if _, err := watchdog.ParsePolicy(args[0]); err != nil {
			return fmt.Errorf("%w: %w", control.ErrUsage, err)
		}
		request.Policy = args[0]
	}
	status, err := e.watchdog(request)
	switch {
	case err != nil:
		return err
	case asJSON:
		j := json.NewEncoder(e.stdout)
		j.SetIndent("", "  ")
		return j.Encode(status)
	}
	_, err = fmt.Fprintln(e.stdout, verb.answer(status))
	return err
}

func findWatchdogVerb(name string) *watchdogVerb {
	for i := range watchdogVerbs {
		if watchdogVerbs[i].name == name {
			return &watchdogVerbs[i]
		}
	}
	return nil
}

func watchdogHelp(e *env) error {
	fmt.Fprintf(e.stdout, `usage: %s COMMAND [ARGUMENT] [--json]

Shows and changes what process 1 does with the hardware watchdog. It feeds it
as long as it works itself and a shell answers.

`, e.name)
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, v := range watchdogVerbs {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(v.name+" "+v.args), v.short)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "\npolicies: %s\n\nexit status: 0 done, 1 not done, 2 wrong usage\n", strings.Join(watchdog.PolicyNames(), ", "))
	return nil
}
